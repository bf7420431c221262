/** All rows of docs/kernel-truth that are done on the simulated kernel. */
import { PART_A_FORCED } from './part-a-forced.ts';
import { PART_A_HWPOISON } from './part-a-hwpoison.ts';
import { PART_A_MATRIX } from './part-a-matrix.ts';
import { PART_A_OTHERS } from './part-a-others.ts';
import { PART_A_RUNNING } from './part-a-running.ts';
import { PART_A_UNBIND } from './part-a-unbind.ts';
import { PART_B_DAX } from './part-b-dax.ts';
import { PART_B_LOOK } from './part-b-look.ts';
import { PART_B_BLOCKS } from './part-b-blocks.ts';
import { PART_B_CXL } from './part-b-cxl.ts';
import { PART_B_HOTPLUG } from './part-b-hotplug.ts';
import { PART_B_KPAGEFLAGS } from './part-b-kpageflags.ts';
import { PART_B_KMEM } from './part-b-kmem.ts';
import { PART_B_LABELS } from './part-b-labels.ts';
import { PART_B_SECTIONS } from './part-b-sections.ts';
import { PART_B_SLOTS } from './part-b-slots.ts';
import type { TruthRow } from './row.ts';

export const TRUTH_ROWS: readonly TruthRow[] = [
  ...PART_A_MATRIX, ...PART_A_UNBIND, ...PART_A_FORCED, ...PART_A_RUNNING, ...PART_A_OTHERS, ...PART_A_HWPOISON, ...PART_B_DAX, ...PART_B_LOOK,
  ...PART_B_KMEM, ...PART_B_SECTIONS, ...PART_B_LABELS, ...PART_B_BLOCKS, ...PART_B_HOTPLUG, ...PART_B_CXL, ...PART_B_SLOTS, ...PART_B_KPAGEFLAGS,
];
