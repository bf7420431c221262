/**
 * The machine of a litmus test, from its few plain fields. Pages are 64 KiB here, so that a sub-section of 2 MiB has 32
 * of them and states stay narrow; nothing in the kernel's paths depends on the size of a page.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import { blockIdOf } from '../../kernel/drivers/base/memory.ts';
import { deviceData } from '../../kernel/drivers/base/bus.ts';
import { MEMDEV } from '../../kernel/drivers/cxl/cxl.ts';
import { daxKmemInit } from '../../kernel/drivers/dax/kmem.ts';
import { createDevDax } from '../../kernel/drivers/dax/dev_dax.ts';
import { deviceDaxDriver, devDaxEnd, devDaxStart } from '../../kernel/drivers/dax/bus.ts';
import { ndPmemDriver } from '../../kernel/drivers/nvdimm/pmem.ts';
import { extentsOf, setExtents } from '../../kernel/fs/inode.ts';
import { Kernel } from '../../kernel/kernel.ts';
import { addMemory } from '../../kernel/mm/memory_hotplug/add.ts';
import { MMOP } from '../../kernel/mm/memory_hotplug/hotplug.ts';
import { kmemReserve } from '../../kernel/mm/slab.ts';
import { bootMachine, pmemResource } from '../../kernel/setup/boot-machine.ts';
import { cxlWindow, makeMemdev, makeRegion } from '../../kernel/setup/cxl.ts';
import { addDevDax, devDaxInode } from '../../kernel/setup/devdax.ts';
import { addPmem, createFile, mountFs, pmemRange, unbindPmem } from '../../kernel/setup/fsdax.ts';
import { must } from '../../kernel/setup/run.ts';
import { createSlot } from '../../kernel/drivers/pci/slot.ts';
import { stateStore } from '../../kernel/drivers/base/block-state.ts';
import { bindStore } from '../../kernel/drivers/base/dd.ts';
import { tasksOf } from '../../kernel/task.ts';
import type { Profile } from '../../profile/profile.ts';
import { MECHANISMS, type MechanismName } from '../../profile/mechanisms/index.ts';
import { KiB, MiB } from '../../range/units.ts';
import type { LitmusMachine } from './schema.ts';

export const PAGE_SIZE = 64 * KiB;
const SECTION = 16 * MiB;
/** Where device memory begins, and how far apart devices are unless they share a section. */
const DEVICES = 0x100000000;
const BOOT_RAM = 64 * MiB;
/** Pages before the data of a device, and of the data: a group of a file system begins with 64 pages of metadata. */
const HEAD_PAGES = 32;
const DATA_PAGES = { none: 32, ext4: 96, xfs: 192, multi: 96 } as const;

export interface PmemHandle { readonly kind: 'pmem'; readonly dev: number; readonly driver: number; readonly range: readonly [number, number]; readonly sb: number }
export interface DevDaxHandle { readonly kind: 'devdax'; readonly dev: number; readonly driver: number; readonly range: readonly [number, number]; readonly inode: number }
export interface RamHandle {
  readonly kind: 'ram'; readonly range: readonly [number, number]; readonly node: number; readonly blocks: readonly number[];
  /** dax device and kmem (0: none), CXL region and memdev (0: none). */
  readonly dev: number; readonly driver: number; readonly region: number; readonly memdev: number;
}
export type DeviceHandle = PmemHandle | DevDaxHandle | RamHandle;

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
    geometry: { pageSize: PAGE_SIZE, pmdSize: 512 * PAGE_SIZE, sectionSize: SECTION, physicalBits: 36 },
    ram: shared ? [{ start: 0, end: BOOT_RAM, nid: 0 }, { start: DEVICES, end: ramEnd, nid: 0 }] : [{ start: 0, end: ramEnd, nid: 0 }],
  });
  k.concurrent = true;
  if (machine.early_kill) k.heap.store(tasksOf(k).earlyKill, 1);
  const devices = new Map<string, DeviceHandle>();
  const files = new Map<string, number>();
  const deviceOfFile = new Map<string, string>();
  const place = new Placement(shared ? ramEnd : DEVICES);
  for (const [name, spec] of Object.entries(machine.pmem)) addPmemNamed(k, name, spec, place, devices, files, deviceOfFile);
  for (const [name, spec] of Object.entries(machine.devdax)) devices.set(name, addDax(k, name, spec, place));
  for (const [name, spec] of Object.entries(machine.ram)) devices.set(name, addRam(k, name, spec, place));
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
class Placement {
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

function addPmemNamed(k: Kernel, name: string, spec: LitmusMachine['pmem'][string], place: Placement, devices: Map<string, DeviceHandle>, files: Map<string, number>, deviceOfFile: Map<string, string>): void {
  const size = (HEAD_PAGES + DATA_PAGES[spec.fs ?? 'none']) * PAGE_SIZE;
  const start = place.take(size, spec.after !== undefined);
  const dev = addPmem(k, { name: `pfn${devices.size}.0`, start, size, map: spec.map, dataOffset: HEAD_PAGES * PAGE_SIZE });
  const range = pmemRange(k, dev);
  let sb = 0;
  if (spec.fs !== undefined) {
    sb = mountFs(k, dev, { type: spec.fs, rmapbt: spec.rmapbt ?? false, reflink: spec.reflink ?? false, ...(spec.fs === 'xfs' ? { groups: 2 } : {}) });
    for (const [file, input] of Object.entries(spec.files)) {
      const inode = createFile(k, sb, { pages: input.pages, domain: input.domain ?? 1, name: file, unlinked: input.unlinked ?? false, ...(input.group === undefined ? {} : { group: input.group }) });
      if (input.reflink !== undefined) reflink(k, files.get(input.reflink) ?? 0, inode);
      files.set(file, inode);
      deviceOfFile.set(file, name);
    }
  }
  if (!spec.bound) unbindPmem(k, dev);
  devices.set(name, { kind: 'pmem', dev, driver: ndPmemDriver(k), range, sb });
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

function addRam(k: Kernel, name: string, spec: LitmusMachine['ram'][string], place: Placement): RamHandle {
  const size = spec.blocks * SECTION;
  const start = place.take(size, false);
  const range = { start, end: start + size };
  const blocks = Array.from({ length: spec.blocks }, (_, i) => blockIdOf(k, start) + i);
  let [dev, driver, region, memdev] = [0, 0, 0, 0];
  if (spec.by === 'cxl') {
    cxlWindow(k, 0, start, start + size);
    memdev = makeMemdev(k, { name: 'mem0', pciName: '0000:0d:00.0' });
    region = makeRegion(k, { name: 'region0', ...range, mode: 'ram', targets: [memdev], nid: spec.node, answer: spec.answer === 'ones' ? -1 : 0, daxName: name });
    if (region < 0) throw new UnseatError('UNSUPPORTED', 'this kernel makes no CXL ram regions', { subject: name });
  } else if (spec.by === 'kmem') {
    pmemResource(k, range, 'Soft Reserved');
    driver = daxKmemInit(k);
    dev = must(k, createDevDax(k, { name, ranges: [range], targetNode: spec.node }), `dax device ${name}`);
    if (spec.present) must(k, bindStore(k, driver, dev), `kmem for ${name}`);
  } else if (spec.present) must(k, addMemory(k, spec.node, start, size, 0), `add_memory of ${name}`);
  if (spec.present && spec.online !== 'no') for (const id of blocks) must(k, stateStore(k, id, spec.online === 'movable' ? MMOP.onlineMovable : MMOP.online, 0), `online block of ${name}`);
  return { kind: 'ram', range: [start / PAGE_SIZE, (start + size) / PAGE_SIZE], node: spec.node, blocks, dev, driver, region, memdev };
}

