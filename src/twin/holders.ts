/** The processes that hold devices of a captured machine, started again in the simulated kernel. */
import type { Machine } from '../machine/machine.ts';
import type { HeldMapping, Holder, ProcessHolder } from '../machine/types/holder.ts';
import type { Mount } from '../machine/types/stack.ts';
import { FD_RING_BUSY } from '../kernel/host/fd-view.ts';
import { FD, fdInstall } from '../kernel/fs/file.ts';
import { INODE, SB } from '../kernel/fs/inode.ts';
import { findFile } from '../kernel/fs/disk.ts';
import type { World } from '../kernel/host/world.ts';
import { pinPages, PIN_KINDS, type PinKind } from '../kernel/mm/pin-holders.ts';
import { vmaStart } from '../kernel/mm/mm_struct.ts';
import { devDaxInode } from '../kernel/setup/devdax.ts';
import { createFile } from '../kernel/setup/fsdax.ts';
import { addProcess, chdir, faultIn, mapFile } from '../kernel/setup/process.ts';
import { run } from '../kernel/setup/run.ts';
import { TASK } from '../kernel/task.ts';

const PAGE = 4096;
const HUGE_PAGES = 512;

/** @returns what could not be started again, one sentence each */
export function startHolders(world: World, machine: Machine, supers: ReadonlyMap<string, number>, firstNamespace: number | null): string[] {
  const left: string[] = [];
  const all = Object.values(machine.holders).flat().filter((h: Holder): h is ProcessHolder => h.kind === 'process');
  const pids = [...new Set(all.map((h) => h.pid))].sort((a, b) => a - b);
  for (const pid of pids) {
    const own = all.filter((h) => h.pid === pid);
    const task = startHolder(world, machine, supers, own, left);
    const namespace = own[0]?.mountNamespace ?? null;
    if (namespace !== null && namespace !== firstNamespace) (world.namespaceOf as Map<number, number>).set(task, namespace);
  }
  return left;
}

function startHolder(world: World, machine: Machine, supers: ReadonlyMap<string, number>, holders: readonly ProcessHolder[], left: string[]): number {
  const { k } = world;
  const first = holders[0] as ProcessHolder;
  const task = addProcess(k, { comm: first.comm, domain: 1 });
  k.heap.store(task + TASK.pid, first.pid);
  (world.commandOf as Map<number, string>).set(task, first.commandLine);
  const maps = unique(holders.flatMap((h) => h.mappings), (m) => String(m.start));
  let firstVma = 0;
  for (const mapping of maps) {
    const inode = inodeOf(world, machine, supers, mapping.dev, mapping.file, Math.ceil((mapping.offset + mapping.end - mapping.start) / PAGE), mapping.deleted);
    if (inode === 0) {
      left.push(`pid ${first.pid}: its mapping of ${mapping.file}`);
      continue;
    }
    firstVma = mapAgain(world, task, inode, mapping) || firstVma;
  }
  for (const file of unique(holders.flatMap((h) => h.files), (f) => String(f.fd))) {
    const device = daxNamed(world, file.file);
    const inode = device !== 0 ? devDaxInode(k, device) : inodeOf(world, machine, supers, null, file.file, 1, file.deleted);
    if (inode === 0) left.push(`pid ${first.pid}: its open file ${file.file}`);
    else fdInstall(k, task, inode);
  }
  const cwd = holders.find((h) => h.cwd !== null)?.cwd ?? null;
  if (cwd !== null) {
    const inode = inodeOf(world, machine, supers, null, cwd, 1, false);
    if (inode !== 0) chdir(k, task, inode);
  }
  const pinned = unique(holders.flatMap((h) => h.pins), (p) => p.evidence).filter((p) => (PIN_KINDS as readonly string[]).includes(p.kind));
  for (const pin of pinned) {
    if (firstVma === 0) continue;
    const ran = run(k, pinPages(k, task, PIN_KINDS.indexOf(pin.kind as PinKind), vmaStart(k, firstVma), Math.max(1, Math.ceil((pin.bytes ?? PAGE) / PAGE))), task);
    if (ran.rc > 0 && pin.certainty === 'possible') k.heap.store(ran.rc + FD.flags, k.heap.load(ran.rc + FD.flags) | FD_RING_BUSY);
    if (ran.rc <= 0) left.push(`pid ${first.pid}: its pin (${pin.evidence})`);
  }
  return task;
}

const unique = <T>(list: readonly T[], key: (item: T) => string): T[] => list.filter((item, i) => list.findIndex((other) => key(other) === key(item)) === i);

/** At the same address, and so at the same offset from the natural alignment: the same page sizes fit. */
function mapAgain(world: World, task: number, inode: number, m: HeldMapping): number {
  const { k } = world;
  const pgoff = m.offset / PAGE;
  const offBy = (((m.start / PAGE - pgoff) % HUGE_PAGES) + HUGE_PAGES) % HUGE_PAGES;
  const write = m.perms[1] === 'w';
  const vma = mapFile(k, task, inode, { offset: pgoff, pages: (m.end - m.start) / PAGE, vpn: m.start / PAGE, offBy, private: m.perms[3] === 'p', readOnly: !write });
  faultIn(k, vma, write && m.perms[3] === 's');
  return vma;
}

const daxNamed = (world: World, file: string): number => world.daxes.find((d) => file === `/dev/${d.name}` || file === `/dev/${d.name} (deleted)`)?.device ?? 0;

/** The inode behind a path or a device number; made on the file system where it is not there yet. 0 where it is on none. */
function inodeOf(world: World, machine: Machine, supers: ReadonlyMap<string, number>, dev: string | null, path: string, pages: number, deleted: boolean): number {
  const { k } = world;
  const device = daxNamed(world, path);
  if (device !== 0) return devDaxInode(k, device);
  const clean = path.replace(/ \(deleted\)$/, '');
  const mount = mountOf(machine, supers, dev, clean);
  if (mount === undefined) return 0;
  const sb = supers.get(mount.dev) as number;
  const name = clean === mount.mountPoint ? '' : clean.slice(mount.mountPoint.length + 1);
  const known = findFile(k, sb, name);
  if (known !== 0 && k.heap.load(known + INODE.pages) >= pages && !deleted) return known;
  const inode = createFile(k, sb, { name, pages, domain: k.heap.load(sb + SB.domain) });
  if (deleted) k.heap.store(inode + INODE.nlink, 0);
  return inode;
}

function mountOf(machine: Machine, supers: ReadonlyMap<string, number>, dev: string | null, path: string): Mount | undefined {
  const all = machine.mounts.filter((m) => supers.has(m.dev) && (dev === null || m.dev === dev));
  const inside = all.filter((m) => path === m.mountPoint || path.startsWith(`${m.mountPoint}/`)).sort((a, b) => b.mountPoint.length - a.mountPoint.length);
  return inside[0] ?? (dev === null ? undefined : all[0]);
}
