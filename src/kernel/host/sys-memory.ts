/** /sys/devices/system/memory and node (drivers/base/memory.c, node.c; Documentation/ABI/testing/sysfs-devices-memory). */
import { EINVAL } from '../errno.ts';
import { stateStore, validZones } from '../drivers/base/block-state.ts';
import { blockNodes, blockState, MEM_NAMES, memoryBlocks } from '../drivers/base/memory.ts';
import type { Kernel } from '../kernel.ts';
import { hotplug, MMOP_WORDS } from '../mm/memory_hotplug/hotplug.ts';
import { hardOfflinePage, numPoisonedPages } from '../mm/memory-failure.ts';
import { ZONE, ZONE_NAMES } from '../mm/page-template.ts';
import type { Path } from '../state/path.ts';
import { attribute, directory, file, link, listing, writeOnly, type DirectoryNode, type Node } from './vfs.ts';

const blockDirectory = (k: Kernel, id: number): DirectoryNode => {
  const nodes = blockNodes(k, memoryBlocks(k).find(id));
  return directory({
    ...Object.fromEntries(nodes.map((nid) => [`node${nid}`, link(`../../node/node${nid}`)])),
    online: attribute(() => (MEM_NAMES[blockState(k, id)] === 'online' ? 1 : 0)),
    phys_device: attribute(() => 0),
    phys_index: attribute(() => id.toString(16).padStart(8, '0')),
    removable: attribute(() => 1),
    state: attribute(() => MEM_NAMES[blockState(k, id)] as string, (text, signal) => storeState(k, id, text, signal)),
    valid_zones: attribute(() => validZones(k, id)),
  });
};

function* storeState(k: Kernel, id: number, text: string, signal: number): Path<number> {
  const word = text.trim();
  const mmop = (MMOP_WORDS as readonly string[]).indexOf(word);
  const rc = yield* k.call(stateStore, id, mmop, signal);
  return rc < 0 ? rc : text.length;
}

function* storeAutoOnline(k: Kernel, text: string): Path<number> {
  const at = (MMOP_WORDS as readonly string[]).indexOf(text.trim());
  if (at < 0) return -EINVAL;
  k.heap.store(hotplug(k).autoOnline, at);
  return text.length;
}

const existing = (k: Kernel, name: string): number => {
  const id = /^memory(\d+)$/.exec(name)?.[1];
  return id !== undefined && memoryBlocks(k).find(Number(id)) !== 0 ? Number(id) : -1;
};

export const memoryDirectory = (k: Kernel): DirectoryNode => listing(
  () => ['auto_online_blocks', 'block_size_bytes', 'hard_offline_page', 'soft_offline_page', ...[...memoryBlocks(k).all()].map((id) => `memory${id}`)],
  (name): Node | null => {
    if (name === 'block_size_bytes') return attribute(() => k.geo.memoryBlockSize.toString(16));
    if (name === 'auto_online_blocks') return attribute(() => MMOP_WORDS[k.heap.load(hotplug(k).autoOnline)] as string, (text) => storeAutoOnline(k, text));
    if (name === 'hard_offline_page') return writeOnly((text) => hardOfflineStore(k, text));
    if (name === 'soft_offline_page') return writeOnly(function* () { return -EINVAL; });
    const id = existing(k, name);
    return id < 0 ? null : blockDirectory(k, id);
  },
);

function* hardOfflineStore(k: Kernel, text: string): Path<number> {
  const address = Number(text.trim());
  if (!Number.isSafeInteger(address)) return -EINVAL;
  const rc = yield* k.call(hardOfflinePage, Math.floor(address / k.geo.pageSize));
  return rc < 0 ? rc : text.length;
}

const onlineNodes = (k: Kernel): number[] => Array.from({ length: k.nodes }, (_, nid) => nid).filter((nid) => k.zones.nodeOnline(nid));
const kB = (k: Kernel, pages: number): number => (pages * k.geo.pageSize) / 1024;

function nodePages(k: Kernel, nid: number, counter: 'managed' | 'free'): number {
  let pages = 0;
  for (let zone = 0; zone < ZONE.count; zone += 1) pages += k.zones.get(nid, zone, counter);
  return pages;
}

const meminfoLine = (nid: number, name: string, value: number, unit = ' kB'): string => `Node ${nid} ${`${name}:`.padEnd(16)}${String(value).padStart(8)}${unit}\n`;

const nodeDirectory = (k: Kernel, nid: number, cpus: number): DirectoryNode => {
  const blocks = (): number[] => [...memoryBlocks(k).all()].filter((id) => blockNodes(k, memoryBlocks(k).find(id)).includes(nid));
  const plain = directory({
    cpulist: attribute(() => (nid === 0 ? (cpus > 1 ? `0-${cpus - 1}` : '0') : '')),
    meminfo: file(() => [
      meminfoLine(nid, 'MemTotal', kB(k, nodePages(k, nid, 'managed'))), meminfoLine(nid, 'MemFree', kB(k, nodePages(k, nid, 'free'))),
      meminfoLine(nid, 'HugePages_Total', 0, ''), meminfoLine(nid, 'HugePages_Free', 0, ''),
    ].join('')),
  });
  return listing(() => [...plain.names(), ...blocks().map((id) => `memory${id}`)], (name) => {
    const id = existing(k, name);
    return plain.get(name) ?? (id >= 0 && blocks().includes(id) ? link(`../../memory/memory${id}`) : null);
  });
};

const idList = (ids: readonly number[]): string => {
  const runs: string[] = [];
  for (let i = 0; i < ids.length;) {
    let end = i;
    while (ids[end + 1] === (ids[end] as number) + 1) end += 1;
    runs.push(end === i ? String(ids[i]) : `${ids[i]}-${ids[end]}`);
    i = end + 1;
  }
  return runs.join(',');
};

export const nodesDirectory = (k: Kernel, cpus: number): DirectoryNode => listing(
  () => ['has_cpu', 'online', 'possible', ...onlineNodes(k).map((nid) => `node${nid}`)],
  (name): Node | null => {
    if (name === 'online') return attribute(() => idList(onlineNodes(k)));
    if (name === 'possible') return attribute(() => idList(Array.from({ length: k.nodes }, (_, nid) => nid)));
    if (name === 'has_cpu') return attribute(() => '0');
    const nid = Number(/^node(\d+)$/.exec(name)?.[1] ?? NaN);
    return onlineNodes(k).includes(nid) ? nodeDirectory(k, nid, cpus) : null;
  },
);

/** /proc/meminfo: the lines that the inventory reads. */
export function meminfoText(k: Kernel): string {
  const sum = (counter: 'managed' | 'free'): number => onlineNodes(k).reduce((pages, nid) => pages + nodePages(k, nid, counter), 0);
  const line = (name: string, value: number): string => `${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB\n`;
  return [
    line('MemTotal', kB(k, sum('managed'))), line('MemFree', kB(k, sum('free'))), line('MemAvailable', kB(k, sum('free'))), line('SwapTotal', 0), line('SwapFree', 0),
    // fs/proc/meminfo.c: this line alone is not as wide as the others.
    `HardwareCorrupted: ${String(kB(k, k.heap.load(numPoisonedPages(k)))).padStart(5)} kB\n`,
  ].join('');
}

/** /proc/zoneinfo: spans, counts and watermarks of every zone of an online node. */
export function zoneinfoText(k: Kernel): string {
  const zones = onlineNodes(k).flatMap((nid) => Array.from({ length: ZONE.count }, (_, zone) => ({ nid, zone }))).filter(({ zone }) => zone < 4);
  return zones.map(({ nid, zone }) => {
    const get = (counter: 'free' | 'spanned' | 'present' | 'managed' | 'start'): number => k.zones.get(nid, zone, counter);
    const low = Math.floor(get('managed') / 512);
    return [
      `Node ${nid}, zone ${(ZONE_NAMES[zone] as string).padStart(8)}`, `  pages free     ${get('free')}`, '        boost    0', `        min      ${low}`, `        low      ${low}`, `        high     ${low}`,
      `        spanned  ${get('spanned')}`, `        present  ${get('present')}`, `        managed  ${get('managed')}`, '        cma      0', `  start_pfn:           ${get('start')}`, '',
    ].join('\n');
  }).join('');
}
