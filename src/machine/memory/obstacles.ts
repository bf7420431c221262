/**
 * Why a memory block will not go offline, as far as it can be known without trying. Source: mm/memory_hotplug.c
 * offline_pages() and mm/page_isolation.c has_unmovable_pages(); errno values and their silence as measured
 * (docs/kernel-truth, part B, 4 and 5): EINVAL for holes, pmem, two zones and two nodes, EBUSY for unmovable pages.
 */
import { rangeSize } from '../../range/phys-range.ts';
import { formatBytes, formatRange } from '../../range/units.ts';
import type { ReasonCode } from '../../steps/reason.ts';
import type { MemoryBlock } from '../types/memory.ts';

export interface OfflineObstacle {
  readonly reason: Extract<ReasonCode, 'block-has-hole' | 'block-has-pmem' | 'block-spans-zones' | 'block-spans-nodes' | 'block-has-reserved' | 'memory-unmovable'>;
  /** What the write of `offline` gives. */
  readonly errno: 'EINVAL' | 'EBUSY';
  /** One sentence with the values seen. */
  readonly text: string;
}

/** Empty for a block that may go (pins and free pages on CPU lists cannot be seen), or that is offline already. */
export function offlineObstacles(block: MemoryBlock): OfflineObstacle[] {
  if (block.state === 'offline') return [];
  const found: OfflineObstacle[] = [];
  const add = (reason: OfflineObstacle['reason'], errno: OfflineObstacle['errno'], text: string): void => void found.push({ reason, errno, text: `memory${block.index} ${text}` });
  const outside = block.foreign.filter((f) => f.kind !== 'kernel');
  const pmem = outside.filter((f) => f.kind === 'pmem');
  const holes = outside.filter((f) => f.kind !== 'pmem');
  if (pmem.length > 0) add('block-has-pmem', 'EINVAL', `also holds ${listed(pmem)}`);
  if (holes.length > 0) add('block-has-hole', 'EINVAL', `is not System RAM from end to end: ${listed(holes)}`);
  if (block.nodes.length > 1) add('block-spans-nodes', 'EINVAL', `spans nodes ${block.nodes.join(' and ')}`);
  else if (block.validZones?.[0] === 'none') add('block-spans-zones', 'EINVAL', 'spans two zones (valid_zones reads "none")');
  const kernel = block.foreign.filter((f) => f.kind === 'kernel');
  if (kernel.length > 0) add('block-has-reserved', 'EBUSY', `holds ${listed(kernel)}`);
  const pages = block.pages;
  if (block.removable === false) add('memory-unmovable', 'EBUSY', 'reads 0 in removable: the kernel (before 5.6) saw pages that do not move, or cannot remove memory at all');
  if (pages === undefined) return found;
  if (pages.reserved > 0 && kernel.length === 0) add('block-has-reserved', 'EBUSY', `holds ${pages.reserved} page(s) reserved at boot`);
  const fixed = [[pages.slab, 'slab'], [pages.pageTables, 'page table'], [pages.kernel, 'other kernel']].filter(([n]) => (n as number) > 0);
  if (fixed.length > 0) {
    const at = pages.firstUnmovablePfn === undefined ? '' : `, the first at pfn 0x${pages.firstUnmovablePfn.toString(16)}`;
    add('memory-unmovable', 'EBUSY', `holds pages that do not move: ${fixed.map(([n, what]) => `${n} ${what}`).join(', ')}${at}`);
  }
  return found;
}

function listed(ranges: MemoryBlock['foreign']): string {
  const shown = ranges.slice(0, 3).map((f) => `${f.what} ${formatRange(f)} (${formatBytes(rangeSize(f))})`);
  return shown.join(', ') + (ranges.length > 3 ? ` and ${ranges.length - 3} more` : '');
}
