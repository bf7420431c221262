/** NUMA nodes with what they hold. Source: drivers/base/node.c, mm/memory-tiers.c, mm/vmstat.c. */
import { numbered, parseIdList, type Reader } from '../reader.ts';
import type { MemoryNode } from '../types/memory.ts';
import { parseMeminfo } from './meminfo.ts';
import { parseZoneinfo, type ZoneInfo } from './zoneinfo.ts';

const NODES = '/sys/devices/system/node';
const TIERS = '/sys/devices/virtual/memory_tiering';

export function readNodes(reader: Reader): MemoryNode[] {
  const online = idList(reader, `${NODES}/online`);
  const withCpu = idList(reader, `${NODES}/has_cpu`);
  const tiers = readTiers(reader);
  const zones = parseZoneinfo(reader.text('/proc/zoneinfo') ?? '');
  const ids = new Set([...numbered(reader.list(NODES), 'node'), ...zones.map((z) => z.node)]);
  return [...ids].sort((a, b) => a - b).map((id) => {
    const memory = parseMeminfo(reader.text(`${NODES}/node${id}/meminfo`) ?? '');
    const cpulist = reader.text(`${NODES}/node${id}/cpulist`);
    return {
      id,
      online: online === null ? true : online.includes(id),
      hasCpu: withCpu !== null ? withCpu.includes(id) : cpulist !== null && cpulist !== '',
      total: memory.get('MemTotal') ?? null,
      free: memory.get('MemFree') ?? null,
      hugePagesTotal: memory.get('HugePages_Total') ?? null,
      hugePagesFree: memory.get('HugePages_Free') ?? null,
      tier: tiers.get(id) ?? null,
      zones: zones.filter((z) => z.node === id).map(zoneOf),
    };
  });
}

const zoneOf = (z: ZoneInfo): MemoryNode['zones'][number] =>
  ({ name: z.name, managedPages: z.managedPages, presentPages: z.presentPages, spannedPages: z.spannedPages, startPfn: z.startPfn });

function idList(reader: Reader, path: string): number[] | null {
  const text = reader.text(path);
  const ids = text === null ? null : parseIdList(text);
  if (text !== null && ids === null) reader.malformed(path, text, 'a list of numbers');
  return ids;
}

/** `memory_tier4` by node, where the kernel has memory tiers (6.1 and later). */
function readTiers(reader: Reader): Map<number, string> {
  const tiers = new Map<number, string>();
  for (const name of reader.list(TIERS).filter((n) => n.startsWith('memory_tier'))) {
    for (const id of idList(reader, `${TIERS}/${name}/nodelist`) ?? []) tiers.set(id, name);
  }
  return tiers;
}
