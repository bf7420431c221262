/** `badblocks` of namespaces, regions and disks. Source: block/badblocks.c, badblocks_show(): `sector count`, sectors of 512 bytes. */
import type { PhysRange } from '../../range/phys-range.ts';

const SECTOR = 512;

/** Bad ranges in bytes from the start of the device, or null where a line makes no sense. */
export function parseBadblocks(text: string): PhysRange[] | null {
  const ranges: PhysRange[] = [];
  for (const line of text.split('\n').map((l) => l.trim()).filter((l) => l !== '')) {
    const m = /^(\d+)\s+(\d+)$/.exec(line);
    const start = Number(m?.[1]) * SECTOR;
    const end = start + Number(m?.[2]) * SECTOR;
    if (!m || !Number.isSafeInteger(end)) return null;
    ranges.push({ start, end });
  }
  return ranges;
}
