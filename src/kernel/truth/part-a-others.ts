/** Part A, sections 3 (holders that run), 4 (map=dev) and 5 (other uses of the device, and data). */
import type { Effect } from '../../steps/forecast.ts';
import { deviceData } from '../drivers/base/bus.ts';
import { unbindStore } from '../drivers/base/dd.ts';
import { ndPmemDriver } from '../drivers/nvdimm/pmem.ts';
import { errnoName } from '../errno.ts';
import { fileSync, fileWrite, openExclusive, rawWrite, remountReadOnly, swapoff, swapon, swapRead } from '../fs/block.ts';
import { findFile } from '../fs/disk.ts';
import { fileIo } from '../fs/super.ts';
import { exitTask } from '../mm/exit.ts';
import { fork } from '../mm/fork.ts';
import { munmap } from '../mm/mmap.ts';
import { mmOf, vmaEnd, vmasOf, vmaStart } from '../mm/mm_struct.ts';
import { PIN_KINDS, pinPages } from '../mm/pin-holders.ts';
import { createFile, mountFs } from '../setup/fsdax.ts';
import { touchTest } from '../setup/look.ts';
import { addProcess, openFile } from '../setup/process.ts';
import { must, run, Stepped } from '../setup/run.ts';
import { TASK, PENDING_SIGBUS } from '../task.ts';
import { FsdaxScene } from './fsdax-scene.ts';
import { columns, effects, orClean, type TruthRow } from './row.ts';
import { sceneOf } from './part-a-matrix.ts';

const FIVE = '5.10 ext4, 6.12 ext4, 7.2 ext4, 6.12 xfs, 7.2 xfs';
const FIVE_UNBOUND = '5.10 ext4, 6.12 ext4, 7.2 ext4, 6.12 xfs';

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

const OTHERS: readonly TruthRow[] = [
  {
    id: 'A 5 mount only', says: 'only a mount: unbind, umount while unbound, rebind, mount', seen: columns(FIVE, { effects: ['clean'], figures: { umount: 0, rebind: 0, mount: true } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      run(s.k, munmap(s.k, addProcess(s.k), 0, 0));
      s.k.heap.store(s.sb + 4, 0);
      const ran = s.unbind();
      const figures = { umount: s.umount().rc, rebind: s.bind().rc, mount: mountFs(s.k, s.dev, sceneOf(column).fs) > 0 };
      return { effects: ran.rc === 0 && ran.spins === null && ran.hangs === null ? ['clean'] : [], figures };
    },
  },
  {
    id: 'A 5 fd', says: 'fd open, write + fsync, no mapping: unbind', seen: { ...columns(FIVE_UNBOUND, effects('clean')), ...columns('7.2 xfs', effects('unbind-spins')) },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      openFile(s.k, addProcess(s.k), s.file);
      fileWrite(s.k, s.file, 0, 1);
      run(s.k, fileSync(s.k, s.file));
      s.unbind();
      return { effects: orClean(s.afterUnbind()) };
    },
  },
  {
    id: 'A 5 io', says: 'held fd while unbound: pwrite / pread / fsync',
    seen: { ...columns('5.10 ext4', { effects: ['io-errors'], figures: { pwrite: 'ENXIO', pread: 'ENXIO', fsync: 'EIO' } }), ...columns('6.12 ext4, 7.2 ext4, 6.12 xfs', { effects: ['io-errors'], figures: { pwrite: 'EIO', pread: 'EIO', fsync: 'EIO' } }) },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      openFile(s.k, addProcess(s.k), s.file);
      s.unbind();
      const said = { pwrite: errnoName(fileWrite(s.k, s.file, 0, 1)), pread: errnoName(fileIo(s.k, s.file, 'read')), fsync: errnoName(run(s.k, fileSync(s.k, s.file)).rc) };
      return { effects: Object.values(said).every((e) => e !== 'ok') ? ['io-errors'] : [], figures: said };
    },
  },
  ...(['fsync', 'new file, no fsync', 'overwrite, no fsync'] as const).map((how): TruthRow => ({
    id: `A 5 data ${how}`, says: `write(), ${how}: data after rebind and mount`, seen: columns(FIVE_UNBOUND, { effects: [], figures: { pages: 256 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, { ...sceneOf(column), file: { pages: 256 } });
      if (how === 'overwrite, no fsync') s.sync();
      for (let i = 0; i < 256; i += 1) fileWrite(s.k, s.file, i, i + 1);
      if (how === 'fsync') run(s.k, fileSync(s.k, s.file));
      s.unbind();
      s.umount();
      s.bind();
      const again = findFile(s.k, mountFs(s.k, s.dev, sceneOf(column).fs), 'f');
      return { effects: [], figures: { pages: again === 0 ? 0 : s.mediumPagesWith(undefined, again) } };
    },
  })),
  {
    id: 'A 5 raw', says: 'raw O_DIRECT writer on /dev/pmem0: unbind goes through, then', seen: { ...columns('5.10 ext4', { effects: ['io-errors'], figures: { says: 'EIO' } }), ...columns('6.12 ext4, 7.2 ext4, 6.12 xfs', { effects: ['io-errors'], figures: { says: 'ENOSPC' } }) },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.umount();
      const before = rawWrite(s.k, deviceData(s.k, s.dev));
      const ran = s.unbind();
      return { effects: before === 0 && ran.rc === 0 ? ['io-errors'] : [], figures: { says: errnoName(rawWrite(s.k, deviceData(s.k, s.dev))) } };
    },
  },
  ...(['existing file', 'new file never synced'] as const).map((which): TruthRow => ({
    id: `A 5 dirty ${which}`, says: `dirty mmap data, no msync, forced procedure, ${which}`,
    seen: which === 'existing file'
      ? columns(FIVE_UNBOUND, { effects: [], figures: { pages: 1024 } })
      : { ...columns('5.10 ext4, 6.12 ext4, 7.2 ext4', { effects: [], figures: { pages: 1024 } }), ...columns('6.12 xfs with the shutdown ioctl', { effects: [], figures: { pages: 0 } }) },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      if (which === 'existing file') s.sync();
      s.hold();
      s.forced();
      if (column.includes('shutdown')) s.shutdownIoctl();
      s.unbind();
      s.bind();
      s.continueAll();
      s.exitAll();
      s.umount();
      const again = findFile(s.k, mountFs(s.k, s.dev, sceneOf(column).fs), 'f');
      return { effects: [], figures: { pages: again === 0 ? 0 : s.mediumPagesWith(undefined, again) } };
    },
  })),
  ...(['before the forced unmap', 'after it', 'after the unbind'] as const).map((when): TruthRow => ({
    id: `A 5 sync ${when}`, says: `sync ${when}, holder frozen: does not hang`, seen: columns('5.10 ext4, 6.12 ext4, 7.2 ext4, 6.12 xfs', effects('clean')),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      s.stopAll();
      let ran = when === 'before the forced unmap' ? s.sync() : null;
      s.forced();
      ran = when === 'after it' ? s.sync() : ran;
      if (when === 'after the unbind') {
        s.unbind();
        ran = s.sync();
      }
      return { effects: ran?.hangs === null && ran.oops === null ? ['clean'] : [] };
    },
  })),
  {
    id: 'A 5 swap', says: 'swap on /dev/pmem0: unbind succeeds, swapoff says ENOENT, a reader of swapped pages gets EIO', seen: columns('6.12 ext4, 7.2 ext4', { effects: ['swap-lost'], figures: { unbind: 0, swapoff: 'ENOENT', read: 'EIO' } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.umount();
      const pmem = deviceData(s.k, s.dev);
      swapon(s.k, pmem);
      const ran = s.unbind();
      const figures = { unbind: ran.rc, swapoff: errnoName(swapoff(s.k, pmem)), read: errnoName(swapRead(s.k, pmem)) };
      return { effects: figures.swapoff === 'ok' ? [] : ['swap-lost'], figures };
    },
  },
  {
    id: 'A 5 ndctl', says: 'ndctl refuses with EBUSY while mounted, also after umount -l while a holder still maps', seen: columns('6.12 ext4, 7.2 ext4', { effects: ['veto'], figures: { mounted: 'EBUSY', lazy: 'EBUSY', after: 'ok' } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      const pmem = deviceData(s.k, s.dev);
      const mounted = errnoName(openExclusive(s.k, pmem));
      s.umount(true);
      const lazy = errnoName(openExclusive(s.k, pmem));
      s.exitAll();
      return { effects: mounted === 'EBUSY' ? ['veto'] : [], figures: { mounted, lazy, after: errnoName(openExclusive(s.k, pmem)) } };
    },
  },
  {
    id: 'A 5 pin', says: 'a page in a pipe (vmsplice), mapping unmapped: unbind returns at once', seen: columns('6.12 ext4, 7.2 ext4', { effects: ['clean'], figures: { present: 0 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold();
      must(s.k, pinPages(s.k, h.task, PIN_KINDS.indexOf('vmsplice'), vmaStart(s.k, h.vma), 16), 'vmsplice');
      openFile(s.k, h.task, s.file);
      const [from, to] = [vmaStart(s.k, h.vma), vmaEnd(s.k, h.vma)];
      run(s.k, munmap(s.k, h.task, from, to));
      const present = s.present(h.task);
      const ran = s.unbind();
      return { effects: ran.hangs === null && ran.spins === null ? ['clean'] : ['unbind-hangs'], figures: { present } };
    },
  },
];

export const PART_A_OTHERS: readonly TruthRow[] = [...RUNNING, ...MAP_DEV, ...OTHERS];
