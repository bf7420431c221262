/**
 * Sizes of litmus machines. Pages are 64 KiB, so that a sub-section of 2 MiB has 32 of them and states stay narrow;
 * nothing in the kernel's paths depends on the size of a page.
 */
import { KiB, MiB } from '../../range/units.ts';

export const PAGE_SIZE = 64 * KiB;
/** Bytes of a section, and of a memory block. */
export const SECTION = 16 * MiB;
