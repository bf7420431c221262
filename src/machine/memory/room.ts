/** Room for what must leave: free memory, swap, huge pages, and who is confined to the memory that goes. */
import { isMissing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { byteString } from '../../host/names.ts';
import { formatBytes } from '../../range/units.ts';
import { numbered, parseIdList, Reader } from '../reader.ts';
import type { MemoryBlock, MemoryInventory } from '../types/memory.ts';
import type { HugePool, Room, RoomOnNode } from '../types/room.ts';
import { confinedCgroups, limitedCgroups } from './cgroups.ts';
import { parseMeminfo } from './meminfo.ts';
import { parseZoneinfo } from './zoneinfo.ts';

const NODES = '/sys/devices/system/node';

/**
 * Room elsewhere for the content of `leaving` (blocks of `memory`, with `pages` where they could be read). Memory
 * policies are not looked at: numa_maps can crash a kernel with a stale mapping, and offlining moves pages against
 * MPOL_BIND anyway (measured, docs/kernel-truth, part B, 3(c)).
 */
export function readRoom(host: Host, memory: MemoryInventory, leaving: readonly MemoryBlock[]): Room {
  const reader = new Reader(host);
  const pageSize = isMissing(host.identity.pageSize) ? null : host.identity.pageSize;
  const online = leaving.filter((b) => b.state !== 'offline');
  const size = (blocks: readonly MemoryBlock[]): number => blocks.reduce((sum, b) => sum + b.end - b.start, 0);
  const count = (of: (p: NonNullable<MemoryBlock['pages']>) => number): number | null =>
    pageSize === null || online.some((b) => b.pages === undefined) ? null : online.reduce((sum, b) => sum + of(b.pages!), 0) * pageSize;
  const gone = new Set(leaving.map((b) => b.index));
  const staying = memory.blocks.filter((b) => !gone.has(b.index) && b.state !== 'offline');
  const emptied = [...new Set(online.flatMap((b) => b.nodes))].filter((node) => !staying.some((b) => b.nodes.includes(node)));
  const receivers = memory.nodes.filter((n) => !emptied.includes(n.id) && (n.total ?? 0) > 0).map((n) => roomOn(reader, n.id, online, pageSize));
  const facts = {
    movable: count((p) => p.movable), hugetlb: count((p) => p.hugetlb), atMost: size(online), emptied, receivers,
    swapFree: memory.swapFreeBytes,
    hugePages: receivers.flatMap((r) => hugePools(reader, r.node)),
    confined: emptied.length === 0 ? [] : [...confinedCgroups(reader, emptied), ...confinedProcesses(host, emptied)],
    limited: online.length === 0 ? [] : limitedCgroups(reader, [...new Set(online.flatMap((b) => b.nodes))]),
  };
  return { ...facts, ...verdict(facts) };
}

function roomOn(reader: Reader, node: number, leaving: readonly MemoryBlock[], pageSize: number | null): RoomOnNode {
  const info = parseMeminfo(reader.text(`${NODES}/node${node}/meminfo`) ?? '');
  const low = parseZoneinfo(reader.text('/proc/zoneinfo') ?? '').filter((z) => z.node === node).reduce((sum, z) => sum + z.lowWatermark, 0);
  const leavingFree = leaving.filter((b) => b.nodes.includes(node)).reduce((sum, b) => sum + (b.pages?.free ?? 0), 0);
  const kept = pageSize === null ? 0 : (low + leavingFree) * pageSize;
  return {
    node,
    free: Math.max(0, (info.get('MemFree') ?? 0) - kept),
    reclaimable: (info.get('Active(file)') ?? 0) + (info.get('Inactive(file)') ?? 0),
  };
}

function hugePools(reader: Reader, node: number): HugePool[] {
  const directory = `${NODES}/node${node}/hugepages`;
  return numbered(reader.list(directory).map((n) => n.replace(/kB$/, '')), 'hugepages-').map((kilobytes) => ({
    node, pageSize: kilobytes * 1024,
    total: reader.unsigned(`${directory}/hugepages-${kilobytes}kB/nr_hugepages`) ?? 0,
    free: reader.unsigned(`${directory}/hugepages-${kilobytes}kB/free_hugepages`) ?? 0,
  }));
}

/** Processes whose Mems_allowed names only nodes that lose their memory (cpusets of version 1, or none of ours readable). */
function confinedProcesses(host: Host, emptied: readonly number[]): Room['confined'][number][] {
  const pids = host.processes.pids();
  if (isMissing(pids)) return [];
  return pids.flatMap((pid) => {
    const status = host.processes.read(pid, 'status');
    if (isMissing(status)) return [];
    const text = byteString(status);
    const nodes = parseIdList(/^Mems_allowed_list:\s*(\S+)/m.exec(text)?.[1] ?? '') ?? [];
    if (nodes.length === 0 || !nodes.every((n) => emptied.includes(n))) return [];
    return [{ who: `pid ${pid} (${/^Name:\s*(.*)$/m.exec(text)?.[1] ?? '?'})`, memoryNodes: nodes, source: `/proc/${pid}/status, Mems_allowed_list` }];
  });
}

type Facts = Omit<Room, 'fits' | 'says'>;

function verdict(f: Facts): Pick<Room, 'fits' | 'says'> {
  const free = f.receivers.reduce((sum, r) => sum + r.free, 0);
  const more = f.receivers.reduce((sum, r) => sum + r.reclaimable, 0) + (f.swapFree ?? 0);
  const have = `${formatBytes(free)} free and ${formatBytes(more)} by dropping file pages or swapping, on node(s) ${f.receivers.map((r) => r.node).join(', ') || 'none'}`;
  if (f.receivers.length === 0) return f.atMost === 0 ? { fits: 'yes', says: 'Nothing has to move.' } : { fits: 'unknown', says: 'No node is known that could receive the memory.' };
  const need = f.movable;
  if (need === null) return f.atMost <= free ? { fits: 'yes', says: `At most ${formatBytes(f.atMost)} must move; ${have}.` } : { fits: 'unknown', says: `Up to ${formatBytes(f.atMost)} must move (its pages could not be read); ${have}.` };
  const fits = need <= free ? 'yes' : need <= free + more ? 'tight' : 'no';
  const huge = hugeSays(f);
  return { fits: fits === 'yes' && huge.short ? 'tight' : fits, says: `${formatBytes(need)} must move; ${have}.${huge.says}` };
}

/** Huge pages move to free pages of a pool; without them the kernel tries to make new ones, which may fail. */
function hugeSays(f: Facts): { readonly short: boolean; readonly says: string } {
  if ((f.hugetlb ?? 0) === 0) return { short: false, says: '' };
  const pooled = f.hugePages.reduce((sum, p) => sum + p.free * p.pageSize, 0);
  return { short: pooled < f.hugetlb!, says: ` ${formatBytes(f.hugetlb!)} of huge pages must move too; the pools of those nodes have ${formatBytes(pooled)} free.` };
}
