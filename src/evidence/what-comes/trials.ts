/**
 * What comes of taking one device of a simulated machine, found by doing it: a fresh machine for each thing that can be
 * done afterwards, since one may hide or spoil another. The names are those of forecasts.
 */
import type { Effect } from '../../scenario/effect.ts';
import { countFindings } from '../../lab/log-findings.ts';
import { domainsOf } from '../../kernel/domains.ts';
import { deviceBus, deviceData, deviceDriver, driverCore } from '../../kernel/drivers/base/bus.ts';
import { createDevDax } from '../../kernel/drivers/dax/dev_dax.ts';
import { DAX_KMEM, daxKmemInit } from '../../kernel/drivers/dax/kmem.ts';
import { bindStore, unbindStore } from '../../kernel/drivers/base/dd.ts';
import { DEVDAX, devDaxEnd, devDaxStart } from '../../kernel/drivers/dax/bus.ts';
import { vmAddr, vmSize } from '../../kernel/drivers/virtio/virtio_mem.ts';
import { PMEM, SWAP_LOST } from '../../kernel/drivers/nvdimm/pmem.ts';
import { SB, SB_SHUTDOWN, sbHas } from '../../kernel/fs/inode.ts';
import { fdClose, fdsOf } from '../../kernel/fs/file.ts';
import { daxAlive } from '../../kernel/drivers/dax/super.ts';
import type { World } from '../../kernel/host/world.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { exitTask } from '../../kernel/mm/exit.ts';
import { hardOfflinePage } from '../../kernel/mm/memory-failure.ts';
import { vmaLeaves } from '../../kernel/mm/memory.ts';
import { mmOf, VMA, vmasOf } from '../../kernel/mm/mm_struct.ts';
import { levelPages, PTE_ANON, PTE_PRESENT, PTE_SPECIAL } from '../../kernel/mm/pgtable.ts';
import { iomemText } from '../../kernel/resource.ts';
import { pinnedPages } from '../../kernel/mm/pin-holders.ts';
import { userAlloc, userPagesIn, userRead as ramRead } from '../../kernel/mm/ram-user.ts';
import { userRead } from '../../kernel/mm/access.ts';
import { blocksIn, blockState, MEM, memoryBlocks } from '../../kernel/drivers/base/memory.ts';
import { WALK_PAGEMAP, WALK_SMAPS, walkTask } from '../../kernel/mm/walkers.ts';
import { destroyNamespaceOf, handOverDevDax } from '../../kernel/setup/devdax.ts';
import { handOver, pmemRange } from '../../kernel/setup/fsdax.ts';
import { presentPages, touchTest } from '../../kernel/setup/look.ts';
import { run } from '../../kernel/setup/run.ts';
import { eachTask, isAlive, stopTask, continueTask, tasksOf } from '../../kernel/task.ts';
import { threads } from '../../kernel/threads.ts';
import type { Make, Removal, Taken } from './removals.ts';

export interface Outcome {
  readonly effects: ReadonlySet<Effect>;
  /** Whether the removal came back; where it did not, little else could be tried. */
  readonly returned: boolean;
}

export function whatComes(make: Make): Outcome {
  const found = new Set<Effect>();
  const first = removed(make);
  const { state, where } = first.taken;
  if (state === 'done' && (first.taken.result ?? 0) < 0) return { effects: new Set(['veto']), returned: false };
  if (state === 'waiting') found.add(where.startsWith('R ') ? 'unbind-spins' : 'unbind-hangs');
  if (state === 'dead') found.add('kernel-bug-later');
  if ((first.log['fs-shutdown'] ?? 0) > 0 || first.mounts.some((sb) => sbHas(first.k, sb, SB_SHUTDOWN))) found.add('fs-shutdown');
  if (stillRam(first)) found.add('region-leaked');
  if (first.mounts.some((sb) => !daxAlive(first.k, first.k.heap.load(sb + SB.daxDev)))) found.add('io-errors');
  if (first.bus === 'nd' && first.k.heap.load(first.disk + PMEM.swap) === SWAP_LOST) found.add('swap-lost');
  if (state !== 'done') return { effects: found, returned: false };
  if (pinnedPages(first.k, first.range[0], first.range[1]) > 0) found.add('pin-outlives-memmap');
  const later = first.through === 'self' ? [nextOwner, endAfterRebind, destroyLater, bindAgain] : [kmemAgain];
  for (const trial of [touchHolders, lookAtHolders, endHolders, unmountUnbound, useRam, ...later]) trial(make, found);
  return { effects: found, returned: true };
}

/** A range that kmem had and that is still System RAM in iomem afterwards. */
const stillRam = (t: Tried): boolean => iomemText(t.k).split('\n').some((line) => {
  const m = /^\s*([0-9a-f]+)-[0-9a-f]+ : System RAM(?: \(kmem\))?$/.exec(line);
  const pfn = Number.parseInt(m?.[1] ?? '', 16) / 4096;
  return m !== null && pfn >= t.range[0] && pfn < t.range[1];
});

interface Tried {
  readonly world: World;
  readonly k: Kernel;
  readonly device: number;
  readonly bus: string;
  /** What stands for a namespace and its disk. */
  readonly disk: number;
  readonly through: Removal['through'];
  readonly driver: number;
  readonly taken: Taken;
  /** Page frames of the device. */
  readonly range: readonly [number, number];
  readonly mounts: readonly number[];
  readonly log: ReturnType<typeof countFindings>;
}

/** Page frames of a dax device, a virtio-mem device or a namespace. */
function rangeOf(k: Kernel, device: number): readonly [number, number] {
  const [bus, data] = [deviceBus(k, device).name, deviceData(k, device)];
  if (bus === 'virtio') return [vmAddr(k, data) / k.geo.pageSize, (vmAddr(k, data) + vmSize(k, data)) / k.geo.pageSize];
  return bus === 'dax' ? [devDaxStart(k, data), devDaxEnd(k, data)] : pmemRange(k, device);
}

function removed(make: Make, before: (world: World, device: number, range: readonly [number, number]) => void = () => undefined): Tried {
  const { world, device, removal } = make();
  const { k } = world;
  const [driver, bus, disk, range] = [deviceDriver(k, device), deviceBus(k, device).name, deviceData(k, device), rangeOf(k, device)];
  const mounts = bus !== 'nd' ? [] : world.mounts.all().map((m) => m.sb).filter((sb) => k.heap.load(sb + SB.disk) === deviceData(k, device));
  before(world, device, range);
  const mark = k.log.mark;
  const taken = removal.take(world, device);
  return { world, k, device, bus, disk, through: removal.through, driver, taken, range, mounts, log: countFindings(k.log.since(mark).map((line) => line.text)) };
}

/** VMAs of a task over files and device nodes. */
const fileVmas = (k: Kernel, task: number): number[] => (mmOf(k, task) === 0 ? [] : [...vmasOf(k, mmOf(k, task))].filter((vma) => k.heap.load(vma + VMA.inode) !== 0));
const tasks = (t: Tried): number[] => [...eachTask(t.k)].filter((task) => isAlive(t.k, task));

/** What a holder has written where it may. */
const MARK = 7;

function writeMarks({ k }: World, _device: number, range: readonly [number, number]): void {
  for (const task of eachTask(k)) for (const vma of fileVmas(k, task)) if (presentPages(k, task, range[0], range[1], true) > 0) touchTest(k, task, vma, 'write', MARK);
}

/** Whether a page that the process has marked reads as nothing now, and no signal says so. */
function readsNothing(k: Kernel, task: number, vma: number, range: readonly [number, number]): boolean {
  for (const { vpn, leaf } of [...vmaLeaves(k, vma)]) {
    if ((leaf.flags & PTE_PRESENT) === 0 || leaf.pfn < range[0] || leaf.pfn >= range[1]) continue;
    const value = run(k, userRead(k, task, vpn), task).rc;
    return value === 0 || value === -1;
  }
  return false;
}

function touchHolders(make: Make, found: Set<Effect>): void {
  const t = removed(make, writeMarks);
  for (const task of tasks(t)) {
    if (presentPages(t.k, task, t.range[0], t.range[1]) > 0) found.add('stale-mapping');
    for (const vma of fileVmas(t.k, task)) {
      if (readsNothing(t.k, task, vma, t.range)) found.add('reads-zero');
      if (touchTest(t.k, task, vma, 'read').sigbus > 0) found.add('sigbus');
    }
  }
  const w = removed(make);
  for (const task of tasks(w)) {
    for (const vma of fileVmas(w.k, task)) {
      const shared = presentPages(w.k, task, w.range[0], w.range[1], true);
      const wrote = touchTest(w.k, task, vma, 'write');
      if (wrote.oops !== null) found.add('oops-on-write');
      if (wrote.sigbus > 0) found.add('sigbus');
      if (wrote.ok > 0 && shared > 0) found.add('stale-write');
    }
  }
}

function lookAtHolders(make: Make, found: Set<Effect>): void {
  for (const [walk, effect] of [[WALK_PAGEMAP, 'oops-on-pagemap'], [WALK_SMAPS, 'oops-on-smaps']] as const) {
    const count = tasks(removed(make)).length;
    // One reader dies with a lock held: each process is looked at on a machine of its own.
    for (let i = 0; i < count; i += 1) {
      const t = removed(make);
      if (run(t.k, walkTask(t.k, tasks(t)[i] as number, walk)).oops !== null) found.add(effect);
    }
  }
}

/** Memory as System RAM: somebody has data there, and somebody asks for more afterwards. */
function useRam(make: Make, found: Set<Effect>): void {
  const held: { user?: number } = {};
  const input = (k: Kernel, range: readonly [number, number], name: string, value: number) => ({ name, kind: 'anon' as const, nid: nodeOf(k, range), folios: 4, order: 0, thisNode: true, value });
  const t = removed(make, ({ k }, _device, range) => {
    if (onlineBlocks(k, range).length > 0) held.user = userAlloc(k, input(k, range, 'user', MARK));
  });
  if (held.user === undefined || held.user === 0 || userPagesIn(t.k, held.user, t.range[0], t.range[1]) === 0) return;
  if (ramRead(t.k, held.user, 0) !== MARK) found.add('reads-zero');
  const fresh = onlineBlocks(t.k, t.range).length === 0 ? 0 : userAlloc(t.k, input(t.k, t.range, 'fresh', MARK + 2));
  if (fresh !== 0 && userPagesIn(t.k, fresh, t.range[0], t.range[1]) > 0 && ramRead(t.k, fresh, 0) !== MARK + 2) found.add('allocator-continues');
}

const onlineBlocks = (k: Kernel, range: readonly [number, number]): number[] =>
  [...blocksIn(k, range[0] * k.geo.pageSize, (range[1] - range[0]) * k.geo.pageSize)].filter((id) => memoryBlocks(k).find(id) !== 0 && blockState(k, id) === MEM.online);

/** Node of the System RAM in a range. */
function nodeOf(k: Kernel, range: readonly [number, number]): number {
  for (let nid = 0; nid < k.nodes; nid += 1) if (k.zones.nodeOnline(nid) && range[1] > k.zones.nodeStart(nid) && range[0] < k.zones.nodeEnd(nid)) return nid;
  return 0;
}

/** Functions that give pinned pages back when a descriptor goes: their oops is the pin's, not the mapping's. */
const PUTS: ReadonlySet<string> = new Set(['bio_release_pages', 'io_ring_exit_work', 'xdp_umem_release', 'page_cache_pipe_buf_release', 'ib_umem_release', 'vfio_iommu_type1_detach_group']);

function exitOf(t: Tried, task: number, found: Set<Effect>): void {
  const { oops } = run(t.k, exitTask(t.k, task), task);
  if (oops !== null) found.add(PUTS.has(oops) ? 'pin-outlives-memmap' : 'oops-at-exit');
}

function end(t: Tried, found: Set<Effect>): void {
  const mark = t.k.log.mark;
  for (const task of tasks(t)) {
    exitOf(t, task, found);
    threads(t.k).run();
  }
  if ((countFindings(t.k.log.since(mark).map((line) => line.text))['bad-page-map'] ?? 0) > 0) found.add('bad-page-map');
}

function endHolders(make: Make, found: Set<Effect>): void {
  const count = tasks(removed(make)).length;
  for (let i = 0; i < count; i += 1) {
    const t = removed(make);
    const mark = t.k.log.mark;
    exitOf(t, tasks(t)[i] as number, found);
    if ((countFindings(t.k.log.since(mark).map((line) => line.text))['bad-page-map'] ?? 0) > 0) found.add('bad-page-map');
  }
}

/** Every mapped page of the device goes through hard_offline_page, with the holders stopped, so that they can end. */
function forceUnmap(world: World): void {
  const { k } = world;
  const all = [...eachTask(k)];
  k.heap.store(tasksOf(k).earlyKill, 1);
  for (const task of all) stopTask(k, task);
  for (const task of all) {
    for (const vma of fileVmas(k, task)) {
      for (const { leaf } of [...vmaLeaves(k, vma)]) {
        if ((leaf.flags & PTE_PRESENT) === 0 || (leaf.flags & (PTE_ANON | PTE_SPECIAL)) !== 0) continue;
        for (let i = 0; i < leaf.count; i += 1) run(k, hardOfflinePage(k, leaf.pfn + i * levelPages(leaf.level)));
      }
    }
  }
  for (const task of all) continueTask(k, task);
}

function unmountUnbound(make: Make, found: Set<Effect>): void {
  for (const before of [() => undefined, forceUnmap]) {
    const t = removed(make, before);
    if (t.taken.state !== 'done') continue;
    for (const task of tasks(t)) {
      run(t.k, exitTask(t.k, task), task);
      threads(t.k).run();
    }
    unmount(t, found, 'oops-at-umount');
  }
}

function unmount(t: Tried, found: Set<Effect>, oops: Effect): void {
  for (const mount of t.world.mounts.all().filter((m) => t.mounts.includes(m.sb))) {
    const ran = run(t.k, t.world.mounts.unmount(mount.namespace, mount.point));
    if (ran.oops !== null) found.add(oops);
    if (ran.hangs !== null || ran.spins !== null) found.add('umount-hangs');
  }
}

const rebind = (t: Tried): number => run(t.k, bindStore(t.k, t.driver, t.device)).rc;

function nextOwner(make: Make, found: Set<Effect>): void {
  const t = removed(make);
  // The memory of a virtio-mem device is the host's: there is no owner after it.
  if (t.bus === 'virtio' || rebind(t) < 0) return;
  if (t.bus === 'dax') handOverDevDax(t.k, t.device, 2);
  else handOver(t.k, t.device, 2);
  for (const task of tasks(t)) for (const vma of fileVmas(t.k, task)) touchTest(t.k, task, vma, 'read');
  const domains = domainsOf(t.k);
  if ([0, 1, 2].some((via) => t.k.heap.load(domains.crossReads + via) + t.k.heap.load(domains.crossWrites + via) > 0)) found.add('next-owner-exposed');
}

function endAfterRebind(make: Make, found: Set<Effect>): void {
  const t = removed(make);
  if (t.mounts.length === 0 || rebind(t) < 0) return;
  end(t, found);
  unmount(t, found, 'kernel-bug-later');
}

/** A descriptor kept over unbind and bind, then the device is destroyed. */
function destroyLater(make: Make, found: Set<Effect>): void {
  const t = removed(make);
  if (t.bus !== 'dax' || t.k.heap.load(deviceData(t.k, t.device) + DEVDAX.inode) === 0 || rebind(t) < 0) return;
  for (const task of tasks(t)) {
    for (const fd of [...fdsOf(t.k, task)]) run(t.k, fdClose(t.k, task, fd), task);
    run(t.k, exitTask(t.k, task), task);
  }
  run(t.k, unbindStore(t.k, t.driver, t.device));
  if (destroyNamespaceOf(t.k, t.device).oops !== null) found.add('kernel-bug-later');
}

function bindAgain(make: Make, found: Set<Effect>): void {
  if (rebind(removed(make)) < 0) found.add('no-rebind');
}

/** Memory that kmem had on a CXL region: a dax device of a new region over the same addresses goes to kmem. */
function kmemAgain(make: Make, found: Set<Effect>): void {
  const before: { kmem?: boolean; node?: number } = {};
  const t = removed(make, ({ k }, device, range) => Object.assign(before, { kmem: deviceDriver(k, device) !== 0 && driverCore(k).driver(deviceDriver(k, device)).name === DAX_KMEM.name, node: nodeOf(k, range) }));
  if (before.kmem !== true) return;
  const { k } = t;
  const ranges = [{ start: t.range[0] * k.geo.pageSize, end: t.range[1] * k.geo.pageSize }];
  const dax = run(k, createDevDax(k, { name: 'dax9.0', ranges, targetNode: before.node ?? 0, memmapOnMemory: true, kmemType: true })).rc;
  if (run(k, bindStore(k, daxKmemInit(k), dax)).rc < 0) found.add('no-rebind');
}
