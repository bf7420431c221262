/** Part A, section 2: the forced procedure, the order of umount and rebind, and detach by injected system calls. */
import type { Profile } from '../../profile/profile.ts';
import { fork } from '../mm/fork.ts';
import { userRead, userWrite } from '../mm/access.ts';
import { madviseDontneed, mlock, mmapFixed } from '../mm/mmap.ts';
import { mmOf, vmaEnd, vmaPages, vmasOf, vmaStart, VM_READ } from '../mm/mm_struct.ts';
import { evictInodes } from '../fs/super.ts';
import { touchTest } from '../setup/look.ts';
import type { MapInput, ProcessInput } from '../setup/process.ts';
import { must, run } from '../setup/run.ts';
import { isAlive } from '../task.ts';
import { FsdaxScene, type Holder } from './fsdax-scene.ts';
import { columns, effects, fsOf, kernelOf, type Seen, type TruthRow } from './row.ts';
import { sceneOf } from './part-a-matrix.ts';

const SIX = '6.1 ext4, 6.12 ext4, 7.2 ext4, 6.1 xfs, 6.12 xfs, 7.2 xfs';

/** What the holders of one case are, made on a scene. */
type Hold = (s: FsdaxScene) => void;

interface Figures {
  readonly present: number;
  readonly writes: number;
  readonly stale: number;
  readonly sigbus: number;
}

/** XFS of 6.18 and 7.2 is shut down between the forced unmap and the unbind, as in the measurement. */
const needsShutdown = (column: string): boolean => fsOf(column) === 'xfs' && ['6.18', '7.2'].includes(kernelOf(column));

/** Forced procedure, unbind, SIGCONT, READTEST of every holder. */
function forcedCase(profile: Profile, column: string, pages: number, hold: Hold): Seen {
  const s = new FsdaxScene(profile, { ...sceneOf(column), file: { pages, align: 512 } });
  hold(s);
  const present = s.holders.reduce((sum, h) => sum + s.present(h.task), 0);
  const { writes } = s.forced();
  if (needsShutdown(column)) s.shutdownIoctl();
  s.unbind();
  s.continueAll();
  const found: Figures = { present, writes, stale: 0, sigbus: 0 };
  let [stale, sigbus] = [0, 0];
  for (const h of s.holders.filter((x) => isAlive(s.k, x.task))) {
    stale += s.present(h.task);
    sigbus += touchTest(s.k, h.task, h.vma, 'read').sigbus;
  }
  return { effects: [], figures: { ...found, stale, sigbus } };
}

const figures = (present: number, writes: number, stale: number, sigbus: number): Seen => ({ effects: [], figures: { present, writes, stale, sigbus } });

const forced = (id: string, says: string, seen: TruthRow['seen'], pages: number, hold: Hold): TruthRow =>
  ({ id: `A 2 ${id}`, says, seen, run: (profile, column) => forcedCase(profile, column, pages, hold) });

const one = (map: MapInput, process: ProcessInput = {}, how?: 'read' | 'write'): Hold => (s) => { s.hold(map, process, how ?? (map.readOnly === true ? 'read' : 'write')); };

function forkHolder(s: FsdaxScene): void {
  const parent = s.hold();
  const child = must(s.k, fork(s.k, parent.task), 'fork');
  const vma = [...vmasOf(s.k, mmOf(s.k, child))][0] as number;
  for (let vpn = vmaStart(s.k, vma); vpn < vmaEnd(s.k, vma); vpn += 1) run(s.k, userRead(s.k, child, vpn));
  s.holders.push({ task: child, vma });
}

function cowHolder(s: FsdaxScene): void {
  const h = s.hold({ private: true }, {}, 'read');
  for (let i = 0; i < vmaPages(s.k, h.vma); i += 2) run(s.k, userWrite(s.k, h.task, vmaStart(s.k, h.vma) + i, 5));
}

function lockedHolder(s: FsdaxScene): void {
  const h = s.hold();
  must(s.k, mlock(s.k, h.task, vmaStart(s.k, h.vma)), 'mlock');
}

/** Forced procedure in the order of the kernels, then the given end. */
function ended(profile: Profile, column: string, end: (s: FsdaxScene, h: Holder) => Seen, unlinked = false): Seen {
  const s = new FsdaxScene(profile, { ...sceneOf(column), file: { unlinked } });
  const h = s.hold();
  s.forced();
  if (needsShutdown(column)) s.shutdownIoctl();
  s.unbind();
  s.continueAll();
  return end(s, h);
}

const umountSeen = (s: FsdaxScene, lazy = false): Seen => {
  const ran = s.umount(lazy);
  return effects(ran.oops !== null ? 'oops-at-umount' : ran.hangs !== null ? 'umount-hangs' : 'clean');
};

export const PART_A_FORCED: readonly TruthRow[] = [
  forced('2 MiB', '2 MiB mappings, 4 MiB file', columns(`${SIX}, 6.18 ext4, 6.18 xfs`, figures(1024, 2, 0, 1024)), 1024, one({})),
  forced('4 KiB', '4 KiB mappings (mapped at an address off by 4 KiB)', columns(`${SIX}, 6.18 ext4, 6.18 xfs`, figures(256, 256, 0, 256)), 256, one({ offBy: 1 })),
  forced('nohuge', '4 KiB mappings by MADV_NOHUGEPAGE', columns('6.1 ext4, 6.12 ext4, 7.2 ext4', figures(1024, 1024, 0, 1024)), 1024, one({ noHuge: true })),
  forced('three', 'three processes, same file, 2 MiB (one of them read-only)', columns(SIX, figures(3072, 2, 0, 3072)), 1024, (s) => { s.hold(); s.hold(); s.hold({ readOnly: true }); }),
  forced('three 4 KiB', 'three processes, same file, 4 KiB', columns(SIX, figures(768, 256, 0, 768)), 256, (s) => { for (let i = 0; i < 3; i += 1) s.hold({ offBy: 1 }); }),
  forced('mixed', 'one 2 MiB and one 4 KiB mapper of the same file', columns(SIX, figures(2048, 2, 0, 2048)), 1024, (s) => { s.hold(); s.hold({ offBy: 1 }); }),
  forced('fork', 'forked child sharing the mapping', columns(SIX, figures(2048, 2, 0, 2048)), 1024, forkHolder),
  forced('private', 'MAP_PRIVATE, only read, 2 MiB', columns(SIX, figures(1024, 2, 0, 1024)), 1024, one({ private: true }, {}, 'read')),
  forced('private 4 KiB', 'MAP_PRIVATE, only read, 4 KiB', columns('6.12 ext4, 7.2 ext4, 7.2 xfs', figures(256, 256, 0, 256)), 256, one({ private: true, offBy: 1 }, {}, 'read')),
  forced('cow', 'MAP_PRIVATE, every 2nd page COW-written: the copies stay and stay readable', columns(SIX, figures(128, 128, 0, 128)), 256, cowHolder),
  forced('read-only', 'read-only mapping', columns(SIX, figures(1024, 2, 0, 1024)), 1024, one({ readOnly: true })),
  forced('mlock', 'mlock()ed', columns(SIX, figures(1024, 2, 0, 1024)), 1024, lockedHolder),
  forced('sync', 'MAP_SYNC', columns(SIX, figures(1024, 2, 0, 1024)), 1024, one({ sync: true })),
  {
    id: 'A 2 unlinked', says: 'file unlinked, fd closed, only the mapping left', seen: columns(SIX, figures(1024, 2, 0, 1024)),
    run: (profile, column) => forcedUnlinked(profile, column),
  },
  forced('no handler', 'holder without SIGBUS handler dies at SIGCONT', columns(SIX, figures(1024, 2, 0, 0)), 1024, one({}, { handlesSigbus: false })),
  forced('LATE', 'holder with PR_MCE_KILL_LATE alone', { ...columns('6.1 ext4, 6.12 ext4, 6.18 ext4, 7.2 ext4, 6.1 xfs, 6.18 xfs, 7.2 xfs', figures(1024, 1024, 1024, 0)), ...columns('6.12 xfs', figures(1024, 1024, 0, 1024)) }, 1024, one({}, { mceKill: 'late' })),
  forced('LATE and normal', 'LATE holder and a normal holder of the same file', columns(SIX, figures(2048, 2, 0, 2048)), 1024, (s) => { s.hold(); s.hold({}, { mceKill: 'late' }); }),
  forced('5.10', '5.10: every write succeeds and unmaps nothing', columns('5.10 ext4', figures(1024, 1024, 1024, 0)), 1024, one({})),
  forced('5.10 4 KiB', '5.10, 4 KiB', columns('5.10 ext4', figures(256, 256, 256, 0)), 256, one({ offBy: 1 })),
  forced('5.10 three', '5.10, three processes', columns('5.10 ext4', figures(3072, 3072, 3072, 0)), 1024, (s) => { for (let i = 0; i < 3; i += 1) s.hold(); }),
  {
    id: 'A 2 recovered', says: '5.10 and LATE: the log says "Recovered" although nothing was unmapped', seen: columns('5.10 ext4, 7.2 ext4 LATE', { effects: [], figures: { recovered: true, present: 1024 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold({}, column.includes('LATE') ? { mceKill: 'late' } : {});
      s.forced();
      return { effects: [], figures: { recovered: s.k.log.has('recovery action for dax page: Recovered'), present: s.present(h.task) } };
    },
  },
  {
    id: 'A 2 write', says: 'a write through the mapping after SIGCONT: no page writable', seen: columns(SIX, { effects: [], figures: { writable: 0 } }),
    run: (profile, column) => ended(profile, column, (s, h) => ({ effects: [], figures: { writable: touchTest(s.k, h.task, h.vma, 'write').ok } })),
  },
  {
    id: 'A 2 intact', says: 'the file is complete after rebind and mount', seen: columns(SIX, { effects: [], figures: { pages: 1024 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      s.sync();
      s.forced();
      if (needsShutdown(column)) s.shutdownIoctl();
      s.unbind();
      return { effects: [], figures: { pages: s.intactAfterRebind(sceneOf(column).fs) } };
    },
  },
  {
    id: 'A 2 unaligned', says: 'XFS with the default (unaligned) layout: 4 KiB mappings, one write each', seen: columns('7.2 xfs', figures(1024, 1024, 0, 1024)),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, { ...sceneOf(column), file: { offBy: 1 } });
      const h = s.hold();
      const present = s.present(h.task);
      const { writes } = s.forced();
      s.shutdownIoctl();
      s.unbind();
      s.continueAll();
      return figures(present, writes, s.present(h.task), touchTest(s.k, h.task, h.vma, 'read').sigbus);
    },
  },
  {
    id: 'A 2 XFS 6.12 LATE', says: "XFS's own notification at the unbind unmaps the LATE holder (6.12), shuts down and leaves it stale (6.1)", seen: { ...columns('6.12 xfs', effects('sigbus', 'fs-shutdown')), ...columns('6.1 xfs', effects('stale-mapping', 'fs-shutdown')) },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold({}, { mceKill: 'late' });
      s.forced();
      s.unbind();
      s.continueAll();
      return { effects: [...s.afterUnbind(), ...(s.isShutDown ? ['fs-shutdown' as const] : [])] };
    },
  },
  {
    id: 'A 2 shutdown first', says: 'shutdown ioctl before the forced unmap: XFS writes fail with EIO and unmap nothing; ext4 does not care',
    seen: { ...columns('6.12 xfs, 7.2 xfs', { effects: [], figures: { errors: true, present: 1024 } }), ...columns('6.1 ext4, 6.12 ext4, 7.2 ext4', { effects: [], figures: { errors: false, present: 0 } }) },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold();
      s.shutdownIoctl();
      const { errors } = s.forced();
      return { effects: [], figures: { errors: errors > 0, present: s.present(h.task) } };
    },
  },
  {
    id: 'A 2 umount unbound', says: 'forced, unbind, SIGCONT, holder killed, umount while unbound', seen: columns('5.10 ext4, 6.1 ext4, 6.12 ext4, 7.2 ext4, 6.12 xfs, 7.2 xfs', effects('oops-at-umount')),
    run: (profile, column) => ended(profile, column, (s) => { s.exitAll(); return umountSeen(s); }),
  },
  {
    id: 'A 2 umount -l', says: 'umount -l after the death of the holder, while unbound', seen: columns('7.2 ext4', effects('oops-at-umount')),
    run: (profile, column) => ended(profile, column, (s) => { s.exitAll(); return umountSeen(s, true); }),
  },
  {
    id: 'A 2 unlinked exit', says: 'exit of a holder of an unlinked file while unbound; umount says busy', seen: columns('7.2 ext4', { effects: ['oops-at-exit'], figures: { umountBusy: true } }),
    run: (profile, column) => ended(profile, column, (s, h) => {
      const ran = s.exit(h);
      return { effects: ran.oops === null ? [] : ['oops-at-exit'], figures: { umountBusy: s.umount().rc === -16 || s.umount().hangs !== null } };
    }, true),
  },
  {
    id: 'A 2 rebind first', says: 'rebind first, then umount', seen: columns('6.1 ext4, 6.12 ext4, 6.18 ext4, 7.2 ext4, 6.1 xfs, 6.12 xfs, 7.2 xfs', effects('clean')),
    run: (profile, column) => ended(profile, column, (s) => { s.bind(); s.exitAll(); return umountSeen(s); }),
  },
  {
    id: 'A 2 drop_caches', says: 'echo 2 > drop_caches while unbound after the exit of the holder: no oops; umount after the rebind clean', seen: columns('7.2 ext4', effects('clean')),
    run: (profile, column) => ended(profile, column, (s) => { s.exitAll(); s.bind(); return umountSeen(s); }),
  },
  {
    id: 'A 2 not in use', says: 'holder gone before the unbind: umount while unbound is clean', seen: columns('5.10 ext4, 6.1 ext4, 6.12 ext4, 7.2 ext4, 6.12 xfs, 7.2 xfs', effects('clean')),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.exit(s.hold());
      if (needsShutdown(column)) s.shutdownIoctl();
      s.unbind();
      return umountSeen(s);
    },
  },
  ...(['madvise', 'mmap'] as const).map((call): TruthRow => ({
    id: `A 2 ptrace ${call}`, says: `injected ${call === 'madvise' ? 'madvise(MADV_DONTNEED)' : 'mmap(MAP_FIXED)'} in the stopped holder, then unbind: nothing readable, no AO, file intact`,
    seen: columns('5.10 ext4, 7.2 ext4, 5.10 ext4 4 KiB, 7.2 ext4 4 KiB, 5.10 ext4 MAP_PRIVATE, 7.2 ext4 MAP_PRIVATE', { effects: ['clean'], figures: { present: 0, readable: 0, ao: 0, poisoned: false, pages: 1024 } }),
    run: (profile, column) => injected(profile, column, call),
  })),
];

function forcedUnlinked(profile: Profile, column: string): Seen {
  const s = new FsdaxScene(profile, { ...sceneOf(column), file: { unlinked: true } });
  const h = s.hold();
  const present = s.present(h.task);
  const { writes } = s.forced();
  if (needsShutdown(column)) s.shutdownIoctl();
  s.unbind();
  s.continueAll();
  return figures(present, writes, s.present(h.task), touchTest(s.k, h.task, h.vma, 'read').sigbus);
}

/** Detach's system calls, made by the stopped process itself. */
function injected(profile: Profile, column: string, call: 'madvise' | 'mmap'): Seen {
  const s = new FsdaxScene(profile, sceneOf(column));
  const isPrivate = column.includes('PRIVATE');
  if (isPrivate) s.exit(s.hold());
  const h = s.hold({ private: isPrivate, offBy: column.includes('4 KiB') ? 1 : 0 }, {}, isPrivate ? 'read' : 'write');
  const [from, pages] = [vmaStart(s.k, h.vma), vmaPages(s.k, h.vma)];
  if (call === 'madvise') must(s.k, madviseDontneed(s.k, h.task, from, from + pages), 'madvise');
  const vma = call === 'madvise' ? h.vma : must(s.k, mmapFixed(s.k, h.task, from, pages, 0, 0, VM_READ * 0), 'mmap');
  const present = s.present(h.task);
  s.unbind();
  const readable = touchTest(s.k, h.task, vma, 'read').ok;
  s.bind();
  must(s.k, evictInodes(s.k, s.sb), 'evict');
  return { effects: ['clean'], figures: { present, readable, ao: s.aoTaken(h), poisoned: s.k.log.has('Memory failure'), pages: s.mediumPagesOfFile() } };
}
