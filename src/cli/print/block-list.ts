/** Memory blocks grouped as lsmem does: neighbours that are alike become one row. */
import { formatBytes, formatRange } from '../../range/units.ts';
import type { Machine } from '../../machine/machine.ts';
import { offlineObstacles } from '../../machine/memory/obstacles.ts';
import type { MemoryBlock } from '../../machine/types/memory.ts';

export interface BlockRow {
  readonly first: MemoryBlock;
  readonly last: MemoryBlock;
  readonly count: number;
  readonly device: string;
  readonly obstacle: string;
}

/** What stands in the table for each reason code. */
const WORDS: Readonly<Record<string, string>> = {
  'block-has-hole': 'hole', 'block-has-pmem': 'pmem inside', 'block-spans-zones': 'two zones', 'block-spans-nodes': 'two nodes',
  'block-has-reserved': 'kernel image', 'memory-unmovable': 'unmovable pages',
};

/** Short reasons why a block stays, empty for none. */
export const whyItStays = (block: MemoryBlock): string => [...new Set(offlineObstacles(block).map((o) => (o.reason === 'block-has-reserved' && !block.foreign.some((f) => f.what.startsWith('Kernel ')) ? 'boot reservations' : (WORDS[o.reason] ?? o.reason))))].join(', ');

export function blockRows(machine: Machine): BlockRow[] {
  const owner = new Map<number, string>();
  for (const device of machine.devices) if (device.kind !== 'memory-block' && device.contains.length === 0) for (const block of device.blocks) owner.set(block, device.name);
  const rows: BlockRow[] = [];
  let lastKey = '';
  for (const block of machine.memory.blocks) {
    const device = owner.get(block.index) ?? '';
    const obstacle = whyItStays(block);
    const key = [block.state, block.validZones?.join(' '), block.nodes.join(','), device, obstacle].join('|');
    const row = rows.at(-1);
    if (row && key === lastKey && row.last.end === block.start) rows[rows.length - 1] = { ...row, last: block, count: row.count + 1 };
    else rows.push({ first: block, last: block, count: 1, device, obstacle });
    lastKey = key;
  }
  return rows;
}

export const BLOCK_HEADING = ['BLOCKS', 'RANGE', 'SIZE', 'STATE', 'ZONE', 'NODE', 'DEVICE', 'WHY IT STAYS'] as const;

export const blockCells = (row: BlockRow): string[] => [
  row.count === 1 ? String(row.first.index) : `${row.first.index}-${row.last.index}`,
  formatRange({ start: row.first.start, end: row.last.end }),
  formatBytes(row.last.end - row.first.start),
  row.first.state,
  row.first.validZones === null ? '?' : row.first.validZones.join('/'),
  row.first.nodes.length === 0 ? '-' : row.first.nodes.join(','),
  row.device === '' ? '-' : row.device,
  row.obstacle === '' ? (row.first.state === 'offline' ? 'offline already' : '-') : row.obstacle,
];
