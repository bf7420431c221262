/** All rows of docs/kernel-truth that are done on the simulated kernel. */
import { PART_A_MATRIX } from './part-a-matrix.ts';
import type { TruthRow } from './row.ts';

export const TRUTH_ROWS: readonly TruthRow[] = [...PART_A_MATRIX];
