/** Flags of memory_failure() and its kin (include/linux/mm.h, enum mf_flags, 6.12). */
export const MF_COUNT_INCREASED = 1;
/** The task that runs now consumed the poison: it cannot go on without the page. */
export const MF_ACTION_REQUIRED = 2;
export const MF_MUST_KILL = 4;
export const MF_SOFT_OFFLINE = 8;
/** The device is about to go; nothing is broken yet (6.8 on). */
export const MF_MEM_PRE_REMOVE = 16;
/** Mass call over a device that is going (dev_pagemap_failure, 2021, never merged). */
export const MF_MASS = 32;
