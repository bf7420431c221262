/** All rows of docs/kernel-truth that are done on the simulated kernel. */
import { PART_A_FORCED } from './part-a-forced.ts';
import { PART_A_MATRIX } from './part-a-matrix.ts';
import { PART_A_OTHERS } from './part-a-others.ts';
import { PART_A_UNBIND } from './part-a-unbind.ts';
import { PART_B_DAX } from './part-b-dax.ts';
import type { TruthRow } from './row.ts';

export const TRUTH_ROWS: readonly TruthRow[] = [...PART_A_MATRIX, ...PART_A_UNBIND, ...PART_A_FORCED, ...PART_A_OTHERS, ...PART_B_DAX];
