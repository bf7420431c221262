/** A process of a scenario, started: it opens, maps, touches and holds what its description says. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { MapSpec, OpenFile, PinSpec, ProcessSpec } from '../../scenario/process.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { fileSync, fileWrite } from '../fs/block.ts';
import { fdInstall } from '../fs/file.ts';
import { INODE, inodesOf } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import { fork } from '../mm/fork.ts';
import { devDaxInode } from '../setup/devdax.ts';
import { createFile, extendFile } from '../setup/fsdax.ts';
import { errnoName } from '../errno.ts';
import { PIN_KINDS, pinPages, type PinKind } from '../mm/pin-holders.ts';
import { pinLongterm, spliceGet } from '../mm/pin-ram.ts';
import { userAlloc } from '../mm/ram-user.ts';
import { mlock } from '../mm/mmap.ts';
import { addProcess, chdir, mapAnonymous, mapFile } from '../setup/process.ts';
import { must, run } from '../setup/run.ts';
import { userRead, userWrite } from '../mm/access.ts';
import { vmaPages, vmaStart } from '../mm/mm_struct.ts';
import { eachTask, taskPid } from '../task.ts';

/** Where a map lies in its process: virtual page numbers. */
export interface Area {
  readonly spec: MapSpec;
  readonly vpn: number;
  readonly pages: number;
  /** Anonymous memory on a node of its own choice: a user of System RAM (mm/ram-user.ts), 0 for all else. */
  readonly user: number;
}

export interface Started {
  readonly task: number;
  readonly pid: number;
  /** What its writes leave in a page. */
  readonly mark: number;
  /** VMA of each map, by name. */
  readonly maps: ReadonlyMap<string, number>;
  readonly areas: readonly Area[];
  readonly children: number[];
  /** Descriptor (heap address) of each pin on device memory, by name. */
  readonly pins: Map<string, number>;
  /** Descriptor (heap address) of each declared open file, in their order. */
  readonly files: readonly { readonly path: string; readonly fd: number; /** Block device that is open itself; 0 for a file. */ readonly raw: number }[];
}

/** False once it has ended and was reaped, by whomever: its heap words are another's then. */
export const stillThere = (k: Kernel, process: Started): boolean => {
  for (const task of eachTask(k)) if (task === process.task && taskPid(k, task) === process.pid) return true;
  return false;
};

export interface Surroundings {
  readonly k: Kernel;
  readonly scenario: Scenario;
  readonly supers: ReadonlyMap<string, number>;
  readonly devices: ReadonlyMap<string, number>;
  /** What the process's writes leave in a page. */
  readonly mark: number;
  /** Security domain of the process and of the files it makes. */
  readonly domain: number;
}

const PAGE = 4096;
const HUGE = 2 * 1024 * 1024;

export function startProcess(around: Surroundings, spec: ProcessSpec): Started {
  const { k, mark } = around;
  // Every interleaving of a reader with a removal is the explorer's to try; here steps are taken one after the other.
  if (spec.loop) throw unsupported('a process that runs beside the steps');
  const task = addProcess(k, { comm: spec.name.slice(0, 15), domain: around.domain, handlesSigbus: spec.sigbus === 'handler', ...(spec.mceKill === undefined ? {} : { mceKill: spec.mceKill }) });
  const maps = new Map<string, number>();
  const areas: Area[] = [];
  for (const map of spec.maps) {
    const user = 'anonymous' in map ? ramUser(around, spec, map) : 0;
    const vma = makeMap(around, task, spec, map);
    maps.set(map.name, vma);
    areas.push({ spec: map, vpn: vmaStart(k, vma), pages: vmaPages(k, vma), user });
  }
  const pins = new Map<string, number>();
  for (const pin of spec.pins) makePin(k, task, areas, pin, pins);
  const files = spec.files.map((file) => openDeclared(around, task, file));
  if (spec.cwd !== undefined) chdir(k, task, directoryInode(around, spec.cwd));
  const children = Array.from({ length: spec.forks }, () => forked(k, task));
  return { task, pid: taskPid(k, task), mark, maps, areas, children, pins, files };
}

/** A file is written page by page with the mark of the process. */
function openDeclared(around: Surroundings, task: number, { path, write, fsync }: OpenFile): Started['files'][number] {
  const { k, mark } = around;
  const device = /^\/dev\/\{([a-z0-9-]+)\.block\}$/.exec(path)?.[1];
  if (device !== undefined) return { path, fd: 0, raw: around.devices.get(device) ?? 0 };
  const pages = Math.ceil(write / PAGE);
  const inode = fileInode(around, path, Math.max(1, pages));
  for (let i = 0; i < pages; i += 1) if (fileWrite(k, inode, i, mark) < 0) throw unsupported(`a write to ${path} at its start`);
  if (fsync) must(k, fileSync(k, inode), 'fsync');
  return { path, fd: fdInstall(k, task, inode), raw: 0 };
}

/** Anonymous memory that a scenario puts on a node: folios that can be moved, or not. Huge where nothing pins it. */
function ramUser({ k, mark }: Surroundings, spec: ProcessSpec, map: Extract<MapSpec, { anonymous: true }>): number {
  const order = map.size % HUGE === 0 && !spec.pins.some((p) => p.map === map.name) ? 9 : 0;
  const node = map.node ?? 0;
  const input = { name: spec.name, kind: map.hugetlb ? 'hugetlb' as const : map.locked ? 'mlock' as const : 'anon' as const, nid: node, folios: map.size / (PAGE << order), order, value: mark };
  const user = userAlloc(k, { ...input, thisNode: map.node !== undefined }) || userAlloc(k, input);
  if (user === 0) throw unsupported(`${map.size} bytes of anonymous memory: there is not so much free memory`);
  return user;
}

/** A process that is there from the start must have its pins; one that is started by a step may be refused. */
export class PinRefused extends UnseatError {
  /** As the kernel returns it: below 0. */
  readonly rc: number;

  constructor(by: string, rc: number) {
    super('UNSUPPORTED', `a simulated machine cannot have pages of a device pinned by ${by}: this kernel says ${errnoName(rc)}`, { next: 'Run the scenario in the lab, or leave that part out.' });
    this.rc = rc;
  }
}

const KINDS: Readonly<Record<PinSpec['by'], PinKind>> = { vmsplice: 'vmsplice', 'io-uring': 'io_uring', 'af-xdp': 'af_xdp', 'o-direct-read': 'o_direct' };

function makePin(k: Kernel, task: number, areas: readonly Area[], pin: PinSpec, pins: Map<string, number>): void {
  const area = areas.find((a) => a.spec.name === pin.map) as Area;
  const pages = Math.min(area.pages, Math.ceil(pin.size / PAGE));
  if (area.user !== 0) {
    if (pin.by === 'vmsplice' || pin.by === 'o-direct-read') spliceGet(k, area.user, 0, pages);
    else must(k, pinLongterm(k, area.user, 0, pages), `pin by ${pin.by}`);
    pins.set(pin.name, 0);
    return;
  }
  const ran = run(k, pinPages(k, task, PIN_KINDS.indexOf(KINDS[pin.by]), area.vpn, pages), task);
  if (ran.rc <= 0) throw new PinRefused(pin.by, ran.rc);
  pins.set(pin.name, ran.rc);
}

export function forked(k: Kernel, task: number): number {
  return must(k, fork(k, task), 'fork');
}

function makeMap(around: Surroundings, task: number, spec: ProcessSpec, map: MapSpec): number {
  const { k } = around;
  const pages = map.size / PAGE;
  const common = { private: map.share === 'private', readOnly: map.prot === 'r', locked: map.locked, pages };
  let vma: number;
  if ('anonymous' in map) vma = mapAnonymous(k, task, pages);
  else if ('device' in map) {
    const device = around.devices.get(map.device);
    if (device === undefined) throw unsupported(`a mapping of ${map.device}`);
    vma = mapFile(k, task, devDaxInode(k, device), { ...common, offset: map.offset / PAGE });
  } else {
    const inode = fileInode(around, map.file, (map.offset + map.size) / PAGE);
    vma = mapFile(k, task, inode, { ...common, offset: map.offset / PAGE, sync: map.sync, noHuge: map.nohuge, offBy: map.align === '4K' ? 1 : 0 });
    if (map.unlink) k.heap.store(inode + INODE.nlink, 0);
    else if (spec.keepFds) fdInstall(k, task, inode);
  }
  if (map.locked && !('anonymous' in map)) must(k, mlock(k, task, vmaStart(k, vma)), 'mlock');
  if (!('anonymous' in map)) touch(k, task, vma, map.touch, around.mark);
  return vma;
}

function touch(k: Kernel, task: number, vma: number, how: MapSpec['touch'], mark: number): void {
  if (how === 'none') return;
  for (let i = 0; i < vmaPages(k, vma); i += 1) {
    const write = how === 'write' || (how === 'write-every-other' && i % 2 === 0);
    must(k, write ? userWrite(k, task, vmaStart(k, vma) + i, mark) : userRead(k, task, vmaStart(k, vma) + i), 'first touch');
  }
}

/** The file at a path of a declared mount; made where it does not exist or is too short. */
function fileInode(around: Surroundings, path: string, pages: number): number {
  const { k } = around;
  const { sb, name } = locate(around, path);
  const fs = around.scenario.filesystems.find((f) => around.supers.get(f.at) === sb);
  const layout = fs?.aligned === false ? { align: 1, offBy: 1 } : {};
  for (const inode of inodesOf(k, sb)) {
    if (k.names.text(k.heap.load(inode + INODE.name)) !== name || k.heap.load(inode + INODE.nlink) <= 0) continue;
    if (k.heap.load(inode + INODE.pages) < pages) extendFile(k, sb, inode, { pages, ...layout });
    return inode;
  }
  return createFile(k, sb, { pages, name, domain: around.domain, unwritten: true, ...layout });
}

function directoryInode(around: Surroundings, path: string): number {
  const { sb, name } = locate(around, path);
  return createFile(around.k, sb, { pages: 1, name, domain: around.domain });
}

function locate(around: Surroundings, path: string): { sb: number; name: string } {
  const points = [...around.supers.keys()].filter((at) => path === at || path.startsWith(`${at}/`)).sort((a, b) => b.length - a.length);
  const at = points[0];
  if (at === undefined) throw unsupported(`a file at ${path}, where nothing is mounted`);
  return { sb: around.supers.get(at) as number, name: path.slice(at.length + 1) };
}

const unsupported = (what: string): UnseatError => new UnseatError('UNSUPPORTED', `a simulated machine cannot have ${what}`, { next: 'Run the scenario in the lab, or leave that part out.' });
