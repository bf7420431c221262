/** Part A, matrix: unbind of nd_pmem under a mounted file system with a mapped file. */
import type { Effect } from '../../steps/forecast.ts';
import { FsdaxScene, type SceneInput } from './fsdax-scene.ts';
import { columns, effects, fsOf, orClean, type TruthRow } from './row.ts';

/** The scene of a column: `7.2 xfs rmapbt=1`. XFS files are laid out so that 2 MiB mappings fit. */
export const sceneOf = (column: string): SceneInput => ({ fs: { type: fsOf(column), rmapbt: column.includes('rmapbt=1') || (fsOf(column) === 'xfs' && !column.includes('rmapbt=0')) } });

const only = (found: readonly Effect[], of: readonly Effect[]): Effect[] => orClean(found.filter((e) => of.includes(e)));

export const PART_A_MATRIX: readonly TruthRow[] = [
  {
    id: 'A matrix 1',
    says: 'unbind, file mapped, nothing done first',
    seen: {
      ...columns('5.10 ext4, 6.1 ext4, 6.12 ext4, 6.18 ext4, 7.2 ext4, 6.1 xfs rmapbt=0, 6.1 xfs rmapbt=1, 6.12 xfs rmapbt=0, 6.18 xfs rmapbt=0, 7.2 xfs rmapbt=0', effects('stale-mapping')),
      ...columns('6.12 xfs rmapbt=1', effects('sigbus')),
      ...columns('6.18 xfs rmapbt=1, 7.2 xfs rmapbt=1', effects('unbind-spins')),
    },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      s.unbind();
      return { effects: orClean(s.afterUnbind()) };
    },
  },
  {
    id: 'A matrix 2',
    says: 'does the unbind wait for mappings or page references: no',
    seen: columns('5.10 ext4, 6.1 ext4, 6.12 ext4, 6.18 ext4, 7.2 ext4, 6.1 xfs, 6.12 xfs, 6.18 xfs, 7.2 xfs', effects('clean')),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      s.unbind();
      return { effects: only(s.afterUnbind(), ['unbind-hangs']) };
    },
  },
  {
    id: 'A matrix 3',
    says: 'file system shut down by the kernel at unbind',
    seen: {
      ...columns('5.10 ext4, 6.1 ext4, 6.1 xfs rmapbt=0', effects('clean')),
      ...columns('6.12 ext4, 6.18 ext4, 7.2 ext4, 6.1 xfs rmapbt=1, 6.12 xfs rmapbt=1, 6.12 xfs rmapbt=0, 6.18 xfs rmapbt=0, 7.2 xfs rmapbt=0', effects('fs-shutdown')),
    },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      s.unbind();
      return { effects: s.isShutDown ? ['fs-shutdown'] : ['clean'] };
    },
  },
  {
    id: 'A matrix 4',
    says: 'holder with a stale mapping exits while unbound',
    seen: { ...columns('5.10 ext4, 6.1 ext4, 6.12 ext4', effects('clean')), ...columns('7.2 ext4, 7.2 xfs rmapbt=0', effects('oops-at-exit')) },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold();
      s.unbind();
      return { effects: s.exit(h).oops === null ? ['clean'] : ['oops-at-exit'] };
    },
  },
  {
    id: 'A matrix 5',
    says: 'holder with a stale 2 MiB mapping exits after the rebind, then umount',
    seen: { ...columns('5.10 ext4, 6.1 ext4, 6.12 ext4, 6.1 xfs rmapbt=0, 6.12 xfs rmapbt=0', effects('clean')), ...columns('6.18 ext4, 7.2 ext4', effects('umount-hangs')) },
    run: (profile, column) => exitAfterRebind(profile, column, 0, 1024),
  },
  {
    id: 'A matrix 5b',
    says: 'holder with stale 4 KiB mappings exits after the rebind',
    seen: columns('6.18 ext4, 7.2 ext4, 6.18 xfs rmapbt=0, 7.2 xfs rmapbt=0', effects('bad-page-map')),
    run: (profile, column) => exitAfterRebind(profile, column, 1, 256),
  },
  {
    id: 'A matrix 6',
    says: 'umount while unbound, inode in use at the unbind (after the forced procedure)',
    seen: columns('5.10 ext4, 6.1 ext4, 6.12 ext4, 7.2 ext4, 6.12 xfs, 7.2 xfs', effects('oops-at-umount')),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      s.forced();
      if (column === '7.2 xfs') s.shutdownIoctl();
      s.unbind();
      s.continueAll();
      s.exitAll();
      return { effects: s.umount().oops === null ? ['clean'] : ['oops-at-umount'] };
    },
  },
  {
    id: 'A matrix 7',
    says: 'umount while unbound, no file in use at the unbind',
    seen: columns('5.10 ext4, 6.1 ext4, 6.12 ext4, 7.2 ext4, 6.12 xfs, 7.2 xfs', effects('clean')),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.exit(s.hold());
      if (column === '7.2 xfs') s.shutdownIoctl();
      s.unbind();
      const gone = s.umount();
      return { effects: orClean([...s.afterUnbind(), ...(gone.oops === null ? [] : ['oops-at-umount' as const])]) };
    },
  },
  {
    id: 'A matrix 8',
    says: 'umount after rebind, after the forced procedure',
    seen: columns('5.10 ext4, 6.1 ext4, 6.12 ext4, 6.18 ext4, 7.2 ext4, 6.1 xfs, 6.12 xfs, 6.18 xfs, 7.2 xfs', effects('clean')),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      s.forced();
      if (/6.18 xfs|7.2 xfs/.test(column)) s.shutdownIoctl();
      s.unbind();
      s.bind();
      s.continueAll();
      s.exitAll();
      const gone = s.umount();
      return { effects: gone.oops !== null ? ['oops-at-umount'] : gone.hangs !== null ? ['umount-hangs'] : ['clean'] };
    },
  },
  {
    id: 'A matrix 9',
    says: 'the forced procedure unmaps everything (no LATE holder)',
    seen: {
      ...columns('5.10 ext4', { effects: [], figures: { present: 1024 } }),
      ...columns('6.1 ext4, 6.12 ext4, 6.18 ext4, 7.2 ext4, 6.1 xfs, 6.12 xfs, 6.18 xfs, 7.2 xfs', { effects: [], figures: { present: 0 } }),
    },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold();
      s.forced();
      return { effects: [], figures: { present: s.present(h.task) } };
    },
  },
  {
    id: 'A matrix 10',
    says: 'unbind after the forced procedure',
    seen: {
      ...columns('5.10 ext4', effects('stale-mapping')),
      ...columns('6.1 ext4, 6.12 ext4, 6.18 ext4, 7.2 ext4, 6.1 xfs, 6.12 xfs', effects('clean')),
      ...columns('6.18 xfs, 7.2 xfs', effects('unbind-spins')),
      ...columns('6.18 xfs after the shutdown ioctl, 7.2 xfs after the shutdown ioctl', effects('clean')),
    },
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      s.forced();
      if (column.includes('shutdown')) s.shutdownIoctl();
      s.unbind();
      s.continueAll();
      return { effects: only(s.afterUnbind(), ['stale-mapping', 'unbind-spins', 'unbind-hangs']) };
    },
  },
];

function exitAfterRebind(profile: Parameters<TruthRow['run']>[0], column: string, offBy: number, pages: number): { effects: Effect[] } {
  const s = new FsdaxScene(profile, { ...sceneOf(column), file: { pages, align: 512 } });
  const h = s.hold({ offBy });
  s.unbind();
  s.bind();
  s.exit(h);
  const bad = s.k.log.has('BUG: Bad page map');
  const gone = s.umount();
  const found: Effect[] = [];
  if (bad) found.push('bad-page-map');
  if (gone.hangs !== null) found.push('umount-hangs');
  if (gone.oops !== null) found.push('oops-at-umount');
  return { effects: orClean(found) };
}
