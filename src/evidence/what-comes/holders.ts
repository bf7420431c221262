/** Trials of those who hold the device: they touch it, are looked at, end; their file system is unmounted. */
import type { World } from '../../kernel/host/world.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { userRead } from '../../kernel/mm/access.ts';
import { exitTask } from '../../kernel/mm/exit.ts';
import { hardOfflinePage } from '../../kernel/mm/memory-failure.ts';
import { vmaLeaves } from '../../kernel/mm/memory.ts';
import { levelPages, PTE_ANON, PTE_PRESENT, PTE_SPECIAL } from '../../kernel/mm/pgtable.ts';
import { WALK_PAGEMAP, WALK_SMAPS, walkTask } from '../../kernel/mm/walkers.ts';
import { presentPages, touchTest } from '../../kernel/setup/look.ts';
import { run } from '../../kernel/setup/run.ts';
import { continueTask, eachTask, stopTask, tasksOf } from '../../kernel/task.ts';
import { threads } from '../../kernel/threads.ts';
import { countFindings } from '../../lab/log-findings.ts';
import type { Effect } from '../../scenario/effect.ts';
import type { Make } from './removals.ts';
import { fileVmas, removed, tasks, type Tried } from './tried.ts';

/** What a holder has written where it may. */
export const MARK = 7;

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

export function touchHolders(make: Make, found: Set<Effect>): void {
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

export function lookAtHolders(make: Make, found: Set<Effect>): void {
  for (const [walk, effect] of [[WALK_PAGEMAP, 'oops-on-pagemap'], [WALK_SMAPS, 'oops-on-smaps']] as const) {
    const count = tasks(removed(make)).length;
    // One reader dies with a lock held: each process is looked at on a machine of its own.
    for (let i = 0; i < count; i += 1) {
      const t = removed(make);
      if (run(t.k, walkTask(t.k, tasks(t)[i] as number, walk)).oops !== null) found.add(effect);
    }
  }
}

/** Functions that give pinned pages back when a descriptor goes: their oops is the pin's, not the mapping's. */
const PUTS: ReadonlySet<string> = new Set(['bio_release_pages', 'io_ring_exit_work', 'xdp_umem_release', 'page_cache_pipe_buf_release', 'ib_umem_release', 'vfio_iommu_type1_detach_group']);

export function exitOf(t: Tried, task: number, found: Set<Effect>): void {
  const { oops } = run(t.k, exitTask(t.k, task), task);
  if (oops !== null) found.add(PUTS.has(oops) ? 'pin-outlives-memmap' : 'oops-at-exit');
}

export function end(t: Tried, found: Set<Effect>): void {
  const mark = t.k.log.mark;
  for (const task of tasks(t)) {
    exitOf(t, task, found);
    threads(t.k).run();
  }
  if ((countFindings(t.k.log.since(mark).map((line) => line.text))['bad-page-map'] ?? 0) > 0) found.add('bad-page-map');
}

export function endHolders(make: Make, found: Set<Effect>): void {
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

export function unmountUnbound(make: Make, found: Set<Effect>): void {
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

export function unmount(t: Tried, found: Set<Effect>, oops: Effect): void {
  const mark = t.k.log.mark;
  for (const mount of t.world.mounts.all().filter((m) => t.mounts.includes(m.sb))) {
    const ran = run(t.k, t.world.mounts.unmount(mount.namespace, mount.point));
    if (ran.oops !== null) found.add(oops);
    if (ran.hangs !== null || ran.spins !== null) found.add('umount-hangs');
  }
  if ((countFindings(t.k.log.since(mark).map((line) => line.text))['fs-shutdown'] ?? 0) > 0) found.add('fs-shutdown');
}
