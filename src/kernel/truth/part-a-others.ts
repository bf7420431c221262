/** Part A, section 5: other uses of the device, and what becomes of data. */
import { deviceData } from '../drivers/base/bus.ts';
import { errnoName } from '../errno.ts';
import { fileSync, fileWrite, openExclusive, rawWrite, swapoff, swapon, swapRead } from '../fs/block.ts';
import { findFile } from '../fs/disk.ts';
import { fileIo } from '../fs/super.ts';
import { munmap } from '../mm/mmap.ts';
import { vmaEnd, vmaStart } from '../mm/mm_struct.ts';
import { PIN_KINDS, pinPages } from '../mm/pin-holders.ts';
import { mountFs } from '../setup/fsdax.ts';
import { addProcess, openFile } from '../setup/process.ts';
import { must, run } from '../setup/run.ts';
import { FsdaxScene } from './fsdax-scene.ts';
import { columns, effects, orClean, type TruthRow } from './row.ts';
import { sceneOf } from './part-a-matrix.ts';

const FIVE = '5.10 ext4, 6.12 ext4, 7.2 ext4, 6.12 xfs, 7.2 xfs';
const FIVE_UNBOUND = '5.10 ext4, 6.12 ext4, 7.2 ext4, 6.12 xfs';

export const PART_A_OTHERS: readonly TruthRow[] = [
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
      return { effects: [], figures: { pages: s.intactAfterRebind(sceneOf(column).fs) } };
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
