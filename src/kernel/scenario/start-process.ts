/** A process of a scenario, started: it opens, maps, touches and holds what its description says. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { MapSpec, ProcessSpec } from '../../scenario/process.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { fdInstall } from '../fs/file.ts';
import { INODE, inodesOf } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import { fork } from '../mm/fork.ts';
import { devDaxInode } from '../setup/devdax.ts';
import { createFile } from '../setup/fsdax.ts';
import { addProcess, chdir, mapAnonymous, mapFile, touchAll } from '../setup/process.ts';
import { must } from '../setup/run.ts';
import { userRead, userWrite } from '../mm/access.ts';
import { vmaPages, vmaStart } from '../mm/mm_struct.ts';
import { TASK } from '../task.ts';

export interface Started {
  readonly task: number;
  /** VMA of each map, by name. */
  readonly maps: ReadonlyMap<string, number>;
  readonly children: readonly number[];
}

export interface Surroundings {
  readonly k: Kernel;
  readonly scenario: Scenario;
  readonly supers: ReadonlyMap<string, number>;
  readonly devices: ReadonlyMap<string, number>;
  /** Security domain of the process: what it writes is its own. */
  readonly domain: number;
}

const PAGE = 4096;

export function startProcess(around: Surroundings, spec: ProcessSpec): Started {
  const { k } = around;
  if (spec.pins.length > 0) throw unsupported(`pins of process ${spec.name}`);
  // Files belong to whoever keeps them on the device: one domain for all that share a machine at its start.
  const task = addProcess(k, { comm: spec.name.slice(0, 15), domain: 1, handlesSigbus: spec.sigbus === 'handler', ...(spec.mceKill === undefined ? {} : { mceKill: spec.mceKill }) });
  const maps = new Map<string, number>();
  for (const map of spec.maps) maps.set(map.name, makeMap(around, task, spec, map));
  for (const file of spec.files) fdInstall(k, task, fileInode(around, file.path, Math.max(1, Math.ceil(file.write / PAGE))));
  if (spec.cwd !== undefined) chdir(k, task, directoryInode(around, spec.cwd));
  const children = Array.from({ length: spec.forks }, () => forked(k, task));
  return { task, maps, children };
}

function forked(k: Kernel, task: number): number {
  const child = must(k, fork(k, task), 'fork');
  k.heap.store(child + TASK.parent, task);
  return child;
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
  touch(k, task, vma, map.touch);
  return vma;
}

function touch(k: Kernel, task: number, vma: number, how: MapSpec['touch']): void {
  if (how === 'none') return;
  if (how !== 'write-every-other') return touchAll(k, task, vma, how);
  for (let i = 0; i < vmaPages(k, vma); i += 1) must(k, i % 2 === 1 ? userWrite(k, task, vmaStart(k, vma) + i, i + 1) : userRead(k, task, vmaStart(k, vma) + i), 'first touch');
}

/** The file at a path of a declared mount; made where it does not exist or is too short. */
function fileInode(around: Surroundings, path: string, pages: number): number {
  const { k } = around;
  const { sb, name } = locate(around, path);
  for (const inode of inodesOf(k, sb)) {
    if (k.names.text(k.heap.load(inode + INODE.name)) === name && k.heap.load(inode + INODE.pages) >= pages && k.heap.load(inode + INODE.nlink) > 0) return inode;
  }
  const fs = around.scenario.filesystems.find((f) => around.supers.get(f.at) === sb);
  return createFile(k, sb, { pages, name, domain: 1, ...(fs?.aligned === false ? { align: 1, offBy: 1 } : {}) });
}

function directoryInode(around: Surroundings, path: string): number {
  const { sb, name } = locate(around, path);
  return createFile(around.k, sb, { pages: 1, name, domain: 1 });
}

function locate(around: Surroundings, path: string): { sb: number; name: string } {
  const points = [...around.supers.keys()].filter((at) => path === at || path.startsWith(`${at}/`)).sort((a, b) => b.length - a.length);
  const at = points[0];
  if (at === undefined) throw unsupported(`a file at ${path}, where nothing is mounted`);
  return { sb: around.supers.get(at) as number, name: path.slice(at.length + 1) };
}

const unsupported = (what: string): UnseatError => new UnseatError('UNSUPPORTED', `a simulated machine cannot have ${what}`, { next: 'Run the scenario in the lab, or leave that part out.' });
