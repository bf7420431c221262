/**
 * Which cells of the lab show which row of docs/kernel-truth.md again, and by which fact. A row is only held against cells that do
 * what it says; what no scenario does is named with its reason.
 */
import type { NotDone, TruthLink } from './truth-link.ts';
import { LINKS_A } from './truth-links-a.ts';
import { LINKS_B, NOT_DONE_B } from './truth-links-b.ts';

export const LINKS: readonly TruthLink[] = [...LINKS_A, ...LINKS_B];

/** Why no scenario of the lab does what a row says; the first that fits. */
export const NOT_DONE: NotDone = NOT_DONE_B;
