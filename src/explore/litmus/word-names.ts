/** Names for the heap words that a counterexample shows: pages, entries, counts, locks, by the names of the test. */
import { DEV } from '../../kernel/drivers/base/bus.ts';
import { deviceData } from '../../kernel/drivers/base/bus.ts';
import { DAXDEV } from '../../kernel/drivers/dax/super.ts';
import { DEVDAX } from '../../kernel/drivers/dax/bus.ts';
import { PMEM } from '../../kernel/drivers/nvdimm/pmem-words.ts';
import { SLOT } from '../../kernel/drivers/pci/slot.ts';
import { DIMM } from '../../kernel/drivers/acpi/memhotplug.ts';
import { BLOCK, MEM_NAMES, memoryBlocks } from '../../kernel/drivers/base/memory.ts';
import { driverCore } from '../../kernel/drivers/base/bus.ts';
import { domainsOf } from '../../kernel/domains.ts';
import { INODE, SB } from '../../kernel/fs/inode.ts';
import { findEntry } from '../../kernel/fs/dax-entry.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { hotplug } from '../../kernel/mm/memory_hotplug/hotplug.ts';
import { MM, mmOf, mmPart, regionPage, VMA } from '../../kernel/mm/mm_struct.ts';
import { memmapPresent, PAGE, pageLoad } from '../../kernel/mm/page.ts';
import { VM } from '../../kernel/drivers/virtio/virtio_mem.ts';
import { pagemapsOf, PGMAP } from '../../kernel/mm/memremap.ts';
import { walk } from '../../kernel/mm/pgtable.ts';
import type { Slab } from '../../kernel/state/slab.ts';
import { TASK, tasksOf } from '../../kernel/task.ts';
import type { Tap } from '../../kernel/state/heap.ts';
import type { Subjects } from './subjects.ts';

export interface WordNames {
  readonly nameOf: (address: number) => string | null;
  readonly showValue: (address: number, value: number) => string;
}

type Words = Readonly<Record<string, number>>;

type Kind = 'pte-flags' | 'pfn' | 'dax-flags' | 'task-state';

class Namer {
  readonly names = new Map<number, string>();
  readonly kinds = new Map<number, Kind>();

  put(address: number, name: string, kind?: Kind): void {
    if (!this.names.has(address)) this.names.set(address, name);
    if (kind !== undefined) this.kinds.set(address, kind);
  }

  object(address: number, who: string, words: Words): void {
    if (address === 0) return;
    for (const [word, at] of Object.entries(words)) if (word !== 'words') this.put(address + at, `${who}.${word}`);
  }

  slab(slab: Slab, who: string, words: Words): void {
    for (let i = 0; i < 8; i += 1) this.object(slab.at(i), `${who}#${i}`, words);
  }
}

/** The address that `look` loads `back` loads before its last one. */
function lastLoad(k: Kernel, look: () => void, back = 0): number {
  const seen: number[] = [];
  const tap: Tap = {
    load: (address) => {
      seen.push(address);
      return k.heap.words[address] as number;
    },
    store: () => undefined, enter: () => undefined, leave: () => undefined, round: (state) => state, choose: () => 0,
  };
  k.heap.tap = tap;
  try {
    look();
  } finally {
    k.heap.tap = null;
  }
  return seen.at(-1 - back) ?? 0;
}

export function wordNames(s: Subjects): WordNames {
  const { k } = s.built;
  const namer = new Namer();
  nameProcesses(s, namer);
  nameDevices(s, namer);
  nameFiles(s, namer);
  for (const [name, slot] of s.built.slots) namer.object(slot, name, SLOT);
  namer.put(pagemapsOf(k).irqsOff, 'CPUs with interrupts off');
  namer.put(driverCore(k).hotplugLock, 'device_hotplug_lock');
  namer.put(hotplug(k).lock, 'mem_hotplug_lock');
  namer.put(k.clock, 'clock');
  const d = domainsOf(k);
  for (const [i, via] of ['CPU', 'DMA', 'guest'].entries()) {
    namer.put(d.crossReads + i, `reads across domains (${via})`);
    namer.put(d.crossWrites + i, `writes across domains (${via})`);
    namer.put(d.absentReads + i, `reads of absent memory (${via})`);
    namer.put(d.absentWrites + i, `writes to absent memory (${via})`);
  }
  namer.slab(mmPart(k).vmas, 'vma', VMA);
  namer.slab(mmPart(k).mms, 'mm', MM);
  namer.slab(tasksOf(k).slab, 'task', TASK);
  namer.slab(pagemapsOf(k).slab, 'pgmap', PGMAP);
  return { nameOf: (address) => namer.names.get(address) ?? null, showValue: (address, value) => show(namer, address, value) };
}

const TASK_STATES = ['running', 'stopped', 'dead', 'dead of an oops'];
/** What values of words mean, by the name of the word. */
const MEANINGS: readonly (readonly [RegExp, (value: number) => string])[] = [
  [/\.sb\.flags$/, (v) => flagWords(v, ['shut down', 'read-only', 'mounted', '', 'no log flush']) || 'none'],
  [/\.dax\.flags$/, (v) => ((v & 1) !== 0 ? 'alive' : 'dead')],
  [/^memory\d+\.state$/, (v) => MEM_NAMES[v] ?? String(v)],
  [/\.events$/, (v) => flagWords(v, ['button', 'link down', 'presence']) || 'none'],
  [/^device_hotplug_lock$|^[^.]+\.lock$|\.ptl$/, (v) => (v === 0 ? 'free' : 'held')],
  [/\.invalidateLock$|^mem_hotplug_lock$/, (v) => (v === 0 ? 'free' : v < 0 ? 'held for writing' : `${v} reading`)],
  [/\.vma\.inode$/, (v) => (v === 0 ? 'none' : 'a file')],
  // The words of a table that was freed hold poison.
  [/^struct pages of/, (v) => (v === 0 || v === 0x6b6b6b6b ? 'gone' : 'there')],
];

function show(namer: Namer, address: number, value: number): string {
  const kind = namer.kinds.get(address);
  const name = namer.names.get(address);
  const meaning = name === undefined ? undefined : MEANINGS.find(([pattern]) => pattern.test(name));
  if (meaning !== undefined) return meaning[1](value);
  if (kind === 'pte-flags') return value === 0 ? 'none' : flagWords(value, ['present', 'write', 'dirty', 'young', 'devmap', 'anon', 'special', 'hwpoison']);
  if (kind === 'dax-flags') return value === 0 ? 'none' : flagWords(value, ['locked', 'pmd', 'zero', 'empty', 'present', 'dirty', 'table']);
  if (kind === 'task-state') return TASK_STATES[value] ?? String(value);
  if (kind === 'pfn') return `pfn 0x${(value >>> 0).toString(16)}`;
  return String(value);
}
const flagWords = (value: number, names: readonly string[]): string => names.filter((name, i) => name !== '' && (value & (1 << i)) !== 0).join('|');

function nameProcesses({ built, processes }: Subjects, namer: Namer): void {
  const { k } = built;
  for (const [name, p] of processes) {
    namer.object(p.task, name, TASK);
    namer.put(p.task + TASK.state, `${name}.state`, 'task-state');
    namer.object(mmOf(k, p.task), `${name}.mm`, MM);
    if (p.vma === 0) continue;
    namer.object(p.vma, `${name}.vma`, VMA);
    const region = k.heap.load(p.vma + VMA.region);
    for (let page = 0; page < p.pages; page += 1) {
      const at = regionPage(k, p.vma, p.vpn + page);
      const flags = lastLoad(k, () => walk(k.heap, region, at), walk(k.heap, region, at).level === 0 ? 0 : 1);
      if (flags === 0) continue;
      namer.put(flags, `${name} pte[${page}]`, 'pte-flags');
      namer.put(flags - 1, `${name} pte[${page}].pfn`, 'pfn');
    }
  }
}

function nameDevices({ built }: Subjects, namer: Namer): void {
  const { k } = built;
  for (const [name, device] of built.devices) {
    if (device.dev !== 0) namer.object(device.dev, name, DEV);
    if (device.kind === 'pages') namer.object(device.pgmap, `${name}.pgmap`, PGMAP);
    if (device.kind === 'ram' && device.virtioMem !== 0) namer.object(device.virtioMem, name, VM);
    if (device.kind === 'ram' && device.dimm !== 0) namer.object(device.dimm, name, DIMM);
    const first = device.range[0] + (device.kind === 'pmem' || device.kind === 'devdax' ? 32 : 0);
    if (memmapPresent(k, first)) namer.put(lastLoad(k, () => memmapPresent(k, first)), `struct pages of ${name}`);
    if (device.kind === 'ram') for (const id of device.blocks) namer.object(memoryBlocks(k).find(id), `memory${id}`, BLOCK);
    if (device.kind === 'pmem') {
      const pmem = deviceData(k, device.dev);
      namer.object(pmem, `${name}.pmem`, PMEM);
      namer.object(k.heap.load(pmem + PMEM.dax), `${name}.dax`, DAXDEV);
      namer.object(k.heap.load(pmem + PMEM.pgmap), `${name}.pgmap`, PGMAP);
      namer.object(device.sb, `${name}.sb`, SB);
    } else if (device.kind === 'devdax') {
      const data = deviceData(k, device.dev);
      namer.object(data, name, DEVDAX);
      namer.object(k.heap.load(data + DEVDAX.dax), `${name}.dax`, DAXDEV);
      namer.object(k.heap.load(data + DEVDAX.pgmap), `${name}.pgmap`, PGMAP);
      namer.object(device.inode, `${name} node`, INODE);
    }
    namePages(k, name, device.range, namer);
  }
}

/** struct pages of the data area that have words of their own. */
function namePages(k: Kernel, name: string, [start, end]: readonly [number, number], namer: Namer): void {
  const first = start + 32;
  for (let pfn = first; pfn < Math.min(end, first + 256); pfn += 1) {
    let at = 0;
    try {
      at = lastLoad(k, () => pageLoad(k, pfn, PAGE.flags, 'name'));
    } catch {
      return;
    }
    for (const [word, offset] of Object.entries(PAGE)) if (word !== 'words') namer.put(at + offset, `${name} page[${pfn - first}].${word}`);
  }
}

function nameFiles({ built }: Subjects, namer: Namer): void {
  const { k } = built;
  for (const [name, inode] of built.files) {
    namer.object(inode, name, INODE);
    for (let page = 0; page < k.heap.load(inode + INODE.pages); page += 1) {
      const entry = findEntry(k, inode, page);
      const flags = entry !== 0 ? entry + 1 : lastLoad(k, () => findEntry(k, inode, page));
      if (flags === 0) continue;
      namer.put(flags, `${name} dax entry[${page}]`, 'dax-flags');
      namer.put(flags - 1, `${name} dax entry[${page}].pfn`, 'pfn');
    }
  }
}
