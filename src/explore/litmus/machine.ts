/** The machine of a litmus test, from its few plain fields. */
import { UnseatError } from '../../errors/unseat-error.ts';
import { deviceData } from '../../kernel/drivers/base/bus.ts';
import { MEMDEV } from '../../kernel/drivers/cxl/cxl.ts';
import { deviceDaxDriver, devDaxEnd, devDaxStart } from '../../kernel/drivers/dax/bus.ts';
import { ndPmemDriver } from '../../kernel/drivers/nvdimm/pmem.ts';
import { extentsOf, setExtents } from '../../kernel/fs/inode.ts';
import { Kernel } from '../../kernel/kernel.ts';
import { addMedium } from '../../kernel/domains.ts';
import { MEMORY_DEVICE, memremapPages } from '../../kernel/mm/memremap.ts';
import { makeTable } from '../../kernel/mm/page.ts';
import { kmemReserve } from '../../kernel/mm/slab.ts';
import { bootMachine } from '../../kernel/setup/boot-machine.ts';
import { addDevDax, devDaxInode } from '../../kernel/setup/devdax.ts';
import { addPmem, bindPmem, createFile, mountFs, mountMulti, pmemRange, unbindPmem } from '../../kernel/setup/fsdax.ts';
import { createSlot } from '../../kernel/drivers/pci/slot.ts';
import { tasksOf } from '../../kernel/task.ts';
import type { Profile } from '../../profile/profile.ts';
import { MECHANISMS, type MechanismName } from '../../profile/mechanisms/index.ts';
import { MiB } from '../../range/units.ts';
import { PAGE_SIZE, SECTION } from './geometry.ts';
import { addRam, type RamHandle } from './machine-ram.ts';
import type { LitmusMachine } from './schema.ts';

export { PAGE_SIZE } from './geometry.ts';
/** Where device memory begins, and how far apart devices are unless they share a section. */
const DEVICES = 0x100000000;
const BOOT_RAM = 64 * MiB;
/** Pages before the data of a device, and of the data: a group of a file system begins with 64 pages of metadata. */
const HEAD_PAGES = 32;
/** Pages that one entry of the second level maps. */
const PMD_PAGES = 512;
const DATA_PAGES = { none: 32, ext4: 96, xfs: 192, multi: 96 } as const;

export type { RamHandle };
export interface PmemHandle { readonly kind: 'pmem'; readonly dev: number; readonly driver: number; readonly range: readonly [number, number]; readonly sb: number }
export interface DevDaxHandle { readonly kind: 'devdax'; readonly dev: number; readonly driver: number; readonly range: readonly [number, number]; readonly inode: number }
/** A driver's pagemap; no device of the bus stands for it. */
export interface PagesHandle { readonly kind: 'pages'; readonly dev: 0; readonly driver: 0; readonly range: readonly [number, number]; readonly pgmap: number }
export type DeviceHandle = PmemHandle | DevDaxHandle | RamHandle | PagesHandle;

export interface BuiltMachine {
  readonly k: Kernel;
  readonly devices: ReadonlyMap<string, DeviceHandle>;
  readonly files: ReadonlyMap<string, number>;
  /** Device that a file lies on. */
  readonly deviceOfFile: ReadonlyMap<string, string>;
  readonly slots: ReadonlyMap<string, number>;
}

/** The profile with the mechanisms that this test sets. */
export function profileFor(profile: Profile, machine: LitmusMachine): Profile {
  const changed = Object.entries(machine.mechanisms);
  if (changed.length === 0) return profile;
  const mechanisms = { ...profile.mechanisms };
  for (const [name, value] of changed) {
    const declared: { readonly allowed: readonly unknown[] } | undefined = MECHANISMS[name as MechanismName];
    if (declared === undefined || !declared.allowed.includes(value)) {
      throw new UnseatError('BAD_SCENARIO', `machine.mechanisms: ${declared === undefined ? `there is no mechanism ${name}` : `${name} cannot be ${String(value)}`}`, { next: 'docs/profiles.md has the mechanisms and their values.' });
    }
    mechanisms[name] = { value: value as string | boolean | number, source: 'set by this litmus test' };
  }
  return { ...profile, mechanisms };
}

export function buildMachine(machine: LitmusMachine, base: Profile): BuiltMachine {
  const profile = profileFor(base, machine);
  const shared = Object.values(machine.pmem).some((p) => p.after === 'boot-ram');
  const ramEnd = shared ? DEVICES + SECTION / 2 : BOOT_RAM;
  const k = bootMachine({
    profile, concurrent: false, quietLog: true, nodes: 4,
    memmapOnMemory: Object.values(machine.ram).some((r) => r.memmap_on_memory),
    geometry: { pageSize: PAGE_SIZE, pmdSize: 512 * PAGE_SIZE, sectionSize: SECTION, physicalBits: 36 },
    ram: shared ? [{ start: 0, end: BOOT_RAM, nid: 0 }, { start: DEVICES, end: ramEnd, nid: 0 }] : [{ start: 0, end: ramEnd, nid: 0 }],
  });
  k.concurrent = true;
  if (machine.early_kill) k.heap.store(tasksOf(k).earlyKill, 1);
  const devices = new Map<string, DeviceHandle>();
  const files = new Map<string, number>();
  const deviceOfFile = new Map<string, string>();
  const place = new Placement(shared ? ramEnd : DEVICES);
  // RAM that a memmap may have to lie in comes first.
  const early = Object.entries(machine.ram).filter(([, r]) => r.over === undefined);
  const pmems = Object.entries(machine.pmem);
  const memmapHolders = pmems.some(([, p]) => p.node !== 0);
  if (memmapHolders) for (const [name, spec] of early) devices.set(name, addRam(k, name, spec, place));
  for (const [name, spec] of pmems) addPmemNamed(k, name, spec, machine, { place, devices, files, deviceOfFile });
  for (const [name, spec] of Object.entries(machine.devdax)) devices.set(name, addDax(k, name, spec, place));
  if (!memmapHolders) for (const [name, spec] of early) devices.set(name, addRam(k, name, spec, place));
  for (const [name, spec] of Object.entries(machine.ram)) if (spec.over !== undefined) devices.set(name, addRam(k, name, spec, place, devices.get(spec.over)));
  for (const [name, spec] of Object.entries(machine.pages)) devices.set(name, addPages(k, name, spec, place));
  const slots = new Map<string, number>();
  for (const [name, spec] of Object.entries(machine.slots)) {
    const card = devices.get(spec.card);
    const memdev = card?.kind === 'ram' ? card.memdev : 0;
    if (memdev === 0) throw new UnseatError('BAD_SCENARIO', `machine.slots.${name}: ${spec.card} is no ram by cxl`);
    slots.set(name, createSlot(k, name, spec.kind, k.heap.load(memdev + MEMDEV.pci)));
  }
  return { k, devices, files, deviceOfFile, slots };
}

/** Addresses for devices, a section of its own for each unless it is told to stand next to another. */
export class Placement {
  private next: number;
  constructor(start: number) {
    this.next = start;
  }
  /** Bytes; `close`: no gap to the device before. */
  take(size: number, close: boolean): number {
    const start = close ? this.next : Math.ceil(this.next / SECTION) * SECTION;
    this.next = start + size;
    return start;
  }
}

/** Objects that explored paths may allocate; after everything else has been set up. */
export function reserveRoom(k: Kernel): void {
  for (let words = 1; words <= 16; words += 1) kmemReserve(k.heap, words, 12);
  kmemReserve(k.heap, 1024, 6);
}

interface Sofar {
  readonly place: Placement;
  readonly devices: Map<string, DeviceHandle>;
  readonly files: Map<string, number>;
  readonly deviceOfFile: Map<string, string>;
}

function addPmemNamed(k: Kernel, name: string, spec: LitmusMachine['pmem'][string], machine: LitmusMachine, { place, devices, files, deviceOfFile }: Sofar): void {
  const first = spec.joins === undefined ? undefined : machine.pmem[spec.joins];
  const huge = Object.values(spec.files).some((f) => f.huge === true);
  const size = (HEAD_PAGES + (huge ? 2 * PMD_PAGES - HEAD_PAGES : DATA_PAGES[first?.fs ?? spec.fs ?? 'none'])) * PAGE_SIZE;
  const start = place.take(size, spec.after !== undefined);
  // Where a kernel hot-plugs whole sections only one of two neighbours can be there.
  const beside = devices.get(spec.after ?? '');
  const aside = !spec.bound && beside?.kind === 'pmem' && beside.sb === 0;
  if (aside) unbindPmem(k, beside.dev);
  const over = Object.values(machine.ram).some((r) => r.over === name);
  const dev = addPmem(k, { name: `pfn${devices.size}.0`, start, size, map: spec.map, dataOffset: HEAD_PAGES * PAGE_SIZE, node: spec.node, ...(over ? { resource: null } : {}) });
  const range = pmemRange(k, dev);
  const joined = spec.joins === undefined ? undefined : devices.get(spec.joins);
  // The file system of several is mounted when its last device is there, with the files of all.
  const lastOf = first === undefined ? null : Object.keys(machine.pmem).filter((n) => machine.pmem[n]?.joins === spec.joins).at(-1);
  let sb = 0;
  if (spec.fs === 'multi') sb = -1;
  else if (spec.fs !== undefined) {
    sb = mountFs(k, dev, { type: spec.fs, rmapbt: spec.rmapbt ?? false, reflink: spec.reflink ?? false, ...(spec.fs === 'xfs' ? { groups: 2 } : {}) });
    addFiles(k, name, sb, spec.files, [name], files, deviceOfFile);
  }
  devices.set(name, { kind: 'pmem', dev, driver: ndPmemDriver(k), range, sb });
  if (joined?.kind === 'pmem' && first !== undefined && lastOf === name) {
    const names = [spec.joins as string, ...Object.keys(machine.pmem).filter((n) => machine.pmem[n]?.joins === spec.joins)];
    const handles = names.map((n) => devices.get(n) as PmemHandle);
    const both = mountMulti(k, handles.map((h) => h.dev));
    for (const [i, n] of names.entries()) devices.set(n, { ...(handles[i] as PmemHandle), sb: both });
    addFiles(k, spec.joins as string, both, first.files, names, files, deviceOfFile);
  }
  if (!spec.bound) unbindPmem(k, dev);
  if (aside) bindPmem(k, beside.dev);
}

/** Files of a file system on `devices`; the first page of a file lies 64 pages behind the start of the data. */
function addFiles(k: Kernel, name: string, sb: number, specs: LitmusMachine['pmem'][string]['files'], devices: readonly string[], files: Map<string, number>, deviceOfFile: Map<string, string>): void {
  let next = 64;
  for (const [file, input] of Object.entries(specs)) {
    // The first page frame that an entry of the next level can begin with, counted from the start of the data.
    const where = input.huge === true ? { extents: [{ file: 0, device: PMD_PAGES - HEAD_PAGES, pages: PMD_PAGES, shared: false, dev: 0 }] } : devices.length === 1 ? {} : { extents: [{ file: 0, device: next, pages: input.pages, shared: false, dev: Math.max(0, devices.indexOf(input.on ?? name)) }] };
    next += input.pages;
    const inode = createFile(k, sb, { pages: input.huge === true ? PMD_PAGES : input.pages, domain: input.domain ?? 1, name: file, unlinked: input.unlinked ?? false, ...(input.group === undefined ? {} : { group: input.group }), ...where });
    if (input.reflink !== undefined) reflink(k, files.get(input.reflink) ?? 0, inode);
    files.set(file, inode);
    deviceOfFile.set(file, input.on ?? name);
  }
}

function reflink(k: Kernel, from: number, to: number): void {
  const extents = extentsOf(k, from).map((e) => ({ ...e, shared: true }));
  setExtents(k, from, extents);
  setExtents(k, to, extents);
}

function addDax(k: Kernel, name: string, spec: LitmusMachine['devdax'][string], place: Placement): DevDaxHandle {
  const size = (HEAD_PAGES + DATA_PAGES.none) * PAGE_SIZE;
  const start = place.take(size, false);
  const dev = addDevDax(k, { name, start, size, align: PAGE_SIZE, dataOffset: HEAD_PAGES * PAGE_SIZE, owner: spec.owner });
  const data = deviceData(k, dev);
  return { kind: 'devdax', dev, driver: deviceDaxDriver(k), range: [devDaxStart(k, data), devDaxEnd(k, data)], inode: devDaxInode(k, dev) };
}

/** Pages that a driver hands out: a sub-section of them, free. */
function addPages(k: Kernel, name: string, spec: LitmusMachine['pages'][string], place: Placement): PagesHandle {
  const [start, pages] = [place.take(HEAD_PAGES * PAGE_SIZE, false) / PAGE_SIZE, HEAD_PAGES];
  addMedium(k, name, start, start + pages);
  const pgmap = memremapPages(k, { startPfn: start, endPfn: start + pages, dataPfn: start, type: MEMORY_DEVICE[spec.type] });
  if (pgmap < 0) throw new UnseatError('UNSUPPORTED', 'this kernel gives the device no struct pages', { subject: name });
  for (let pfn = start; pfn < start + pages; pfn += 512) makeTable(k, pfn);
  return { kind: 'pages', dev: 0, driver: 0, range: [start, start + pages], pgmap };
}
