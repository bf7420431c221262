/** Flags of get_user_pages() (include/linux/mm_types.h, FOLL_*), and what a reference of each kind adds to the count of a page. */
export const FOLL_WRITE = 1;
/** A reference (FOLL_GET); without it and without FOLL_PIN nothing is taken. */
export const FOLL_GET = 4;
export const FOLL_PIN = 8;
export const FOLL_LONGTERM = 16;

/** What a pin adds to the count of a page (GUP_PIN_COUNTING_BIAS). */
export const PIN_BIAS = 1024;
export const gupRefs = (flags: number): number => ((flags & FOLL_PIN) !== 0 ? PIN_BIAS : 1);
