/** Part A, sections 3 (holders that run) and 4 (the memmap on the device). */
import type { Effect } from '../../steps/forecast.ts';
import { unbindStore } from '../drivers/base/dd.ts';
import { ndPmemDriver } from '../drivers/nvdimm/pmem.ts';
import { errnoName } from '../errno.ts';
import { remountReadOnly } from '../fs/block.ts';
import { exitTask } from '../mm/exit.ts';
import { fork } from '../mm/fork.ts';
import { mmOf, vmasOf } from '../mm/mm_struct.ts';
import { createFile } from '../setup/fsdax.ts';
import { touchTest } from '../setup/look.ts';
import { must, run, Stepped } from '../setup/run.ts';
import { TASK, PENDING_SIGBUS } from '../task.ts';
import { FsdaxScene } from './fsdax-scene.ts';
import { columns, effects, orClean, type TruthRow } from './row.ts';
import { sceneOf } from './part-a-matrix.ts';

const refault = (s: FsdaxScene): void => { for (const h of s.holders) touchTest(s.k, h.task, h.vma, 'read'); };

const RUNNING: readonly TruthRow[] = [
  {
    id: 'A 3 refault', says: 'holders run: after the unmap all pages are present again', seen: columns('7.2 ext4, 7.2 xfs, 6.12 ext4, 6.12 xfs', { effects: [], figures: { present: 1024 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold();
      s.forced();
      s.continueAll();
      refault(s);
      return { effects: [], figures: { present: s.present(h.task) } };
    },
  },
  {
    id: 'A 3 stale', says: 'unmap + unbind with running readers: 2 MiB and 4 KiB pages stale', seen: columns('6.12 ext4, 7.2 ext4', { effects: ['stale-mapping'], figures: { stale: 1280 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      s.hold({ offBy: 1 }, {}, 'write', createFile(s.k, s.sb, { pages: 256, name: 'g' }));
      s.forced();
      s.continueAll();
      refault(s);
      s.unbind();
      return { effects: s.afterUnbind(), figures: { stale: s.holders.reduce((sum, h) => sum + s.present(h.task), 0) } };
    },
  },
  {
    id: 'A 3 notification', says: 'XFS 6.12: a reader that refaults between its unmap and the shutdown that ends the notification stays stale, one that does not gets SIGBUS',
    seen: columns('6.12 xfs', { effects: ['sigbus', 'stale-mapping'], figures: { big: 0, small: 256 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const big = s.hold();
      const small = s.hold({ offBy: 1 }, {}, 'write', createFile(s.k, s.sb, { pages: 256, name: 'g' }));
      const unbind = new Stepped(s.k, unbindStore(s.k, ndPmemDriver(s.k), s.dev));
      unbind.until('xfs_dax_notify_ddev_failure: shut down');
      touchTest(s.k, small.task, small.vma, 'read');
      s.unbound = unbind.finish();
      return { effects: s.afterUnbind(), figures: { big: s.present(big.task), small: s.present(small.task) } };
    },
  },
  {
    id: 'A 3 umount -l', says: 'umount -l: returns 0, mappings stay, refaults go on', seen: columns('7.2 ext4', { effects: [], figures: { rc: 0, present: 1024 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold();
      const { rc } = s.umount(true);
      s.forced();
      s.continueAll();
      refault(s);
      return { effects: [], figures: { rc, present: s.present(h.task) } };
    },
  },
  {
    id: 'A 3 remount', says: 'mount -o remount,ro: EBUSY while a writable mapping exists; refaults go on', seen: columns('7.2 ext4, 6.12 ext4', { effects: [], figures: { rc: 'EBUSY', present: 1024 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold();
      const rc = errnoName(remountReadOnly(s.k, s.sb));
      s.forced();
      s.continueAll();
      refault(s);
      return { effects: [], figures: { rc, present: s.present(h.task) } };
    },
  },
  {
    id: 'A 3 shutdown', says: 'FS shutdown ioctl: ext4 refaults go on; XFS: existing mappings stay and stay readable', seen: columns('7.2 ext4, 6.12 xfs, 7.2 xfs', { effects: [], figures: { readable: 1024 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold();
      s.shutdownIoctl();
      s.forced();
      s.continueAll();
      return { effects: [], figures: { readable: touchTest(s.k, h.task, h.vma, 'read').ok } };
    },
  },
  {
    id: 'A 3 freezer', says: 'frozen holder: 0 present, SIGBUS pending and delivered at the thaw; without unbind it refaults', seen: columns('7.2 ext4, 6.12 ext4', { effects: [], figures: { present: 0, pending: true, ao: 1, refaulted: 1024 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold();
      s.forced();
      const present = s.present(h.task);
      const pending = (s.k.heap.load(h.task + TASK.pending) & PENDING_SIGBUS) !== 0;
      s.continueAll();
      refault(s);
      return { effects: [], figures: { present, pending, ao: s.aoTaken(h), refaulted: s.present(h.task) } };
    },
  },
  {
    id: 'A 3 frozen unbind', says: 'frozen holder, unbind, thaw: 0 pages readable, SIGBUS', seen: columns('7.2 ext4, 6.12 ext4', effects('sigbus')),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      s.forced();
      s.unbind();
      s.continueAll();
      return { effects: s.afterUnbind() };
    },
  },
  {
    id: 'A 3 kill', says: 'SIGKILL: a forked child keeps its own pages; killed before the unbind, unbind and umount are clean', seen: columns('7.2 ext4, 6.12 ext4', { effects: ['clean'], figures: { child: 1024, parent: 0 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const parent = s.hold();
      const child = must(s.k, fork(s.k, parent.task), 'fork');
      const vma = [...vmasOf(s.k, mmOf(s.k, child))][0] as number;
      touchTest(s.k, child, vma, 'read');
      run(s.k, exitTask(s.k, parent.task), parent.task);
      const figures = { child: s.present(child), parent: s.present(parent.task) };
      run(s.k, exitTask(s.k, child), child);
      s.unbind();
      const gone = s.umount();
      return { effects: orClean([...s.afterUnbind(), ...(gone.oops === null && gone.rc === 0 ? [] : ['oops-at-umount' as Effect])]), figures };
    },
  },
];

const MAP_DEV: readonly TruthRow[] = [
  {
    id: 'A 4 unbind', says: 'map=dev: unbind with a mapping, then rebind, exit, umount', seen: { ...columns('6.12 ext4', effects('stale-mapping')), ...columns('7.2 ext4', effects('stale-mapping', 'umount-hangs')) },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, { ...sceneOf(column), map: 'dev' });
      s.hold();
      s.unbind();
      const found: Effect[] = s.afterUnbind();
      s.bind();
      s.exitAll();
      if (s.umount().hangs !== null) found.push('umount-hangs');
      return { effects: found };
    },
  },
  {
    id: 'A 4 forced', says: 'map=dev: forced procedure, 2 MiB and 4 KiB', seen: { ...columns('6.12 ext4, 7.2 ext4', { effects: ['sigbus'], figures: { writes: 2, stale: 0, pages: 1024 } }), ...columns('6.12 ext4 4 KiB, 7.2 ext4 4 KiB', { effects: ['sigbus'], figures: { writes: 256, stale: 0, pages: 256 } }) },
    run: (profile, column) => {
      const small = column.includes('4 KiB');
      const s = new FsdaxScene(profile, { ...sceneOf(column), map: 'dev', file: { pages: small ? 256 : 1024, align: 512 } });
      const h = s.hold({ offBy: small ? 1 : 0 });
      const { writes } = s.forced();
      s.unbind();
      s.continueAll();
      return { effects: s.afterUnbind(), figures: { writes, stale: s.present(h.task), pages: s.mediumPagesOfFile() } };
    },
  },
];

export const PART_A_RUNNING: readonly TruthRow[] = [...RUNNING, ...MAP_DEV];
