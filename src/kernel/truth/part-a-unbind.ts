/** Part A, section 1: unbind on each version, the XFS spin, and what a stale mapping does later. */
import type { Effect } from '../../steps/forecast.ts';
import { SB } from '../fs/inode.ts';
import { touchTest } from '../setup/look.ts';
import { openFile, addProcess, touchAll } from '../setup/process.ts';
import { FsdaxScene, type SceneInput } from './fsdax-scene.ts';
import { columns, effects, orClean, type Seen, type TruthRow } from './row.ts';
import { sceneOf } from './part-a-matrix.ts';

const WRITABLE = { effects: ['stale-mapping', 'stale-write'] } as const satisfies Seen;

/** What the holder of a stale mapping gets when it writes every page, and whether a later mount would find the writes. */
function staleWrite(s: FsdaxScene, pages: number): Seen {
  const h = s.holders[0] as { task: number; vma: number };
  const write = touchTest(s.k, h.task, h.vma, 'write');
  const found: Effect[] = [];
  if (write.oops !== null) return { effects: ['oops-on-write'] };
  if (write.ok === pages) found.push('stale-write');
  if (write.sigbus === pages) found.push('sigbus');
  if (touchTest(s.k, h.task, h.vma, 'read').ok > 0) found.push('stale-mapping');
  return { effects: orClean(found) };
}

function writeRow(column: string, profile: Parameters<TruthRow['run']>[0], shutdown: boolean, input: Partial<SceneInput> = {}): Seen {
  const s = new FsdaxScene(profile, { ...sceneOf(column), ...input });
  const late = column.includes('LATE');
  const h = s.hold(column.includes('4 KiB') ? { offBy: 1 } : {}, late ? { mceKill: 'late' } : {});
  s.sync();
  touchAll(s.k, h.task, h.vma, 'write');
  if (late) s.forced();
  if (shutdown) s.shutdownIoctl();
  s.unbind();
  s.continueAll();
  return staleWrite(s, input.file?.pages ?? 1024);
}

/** One line of "what makes it happen": the unbind, and what the holder finds. */
const makes = (id: string, says: string, seen: TruthRow['seen'], prepare: (column: string) => { input: SceneInput; act: (s: FsdaxScene) => void }): TruthRow => ({
  id, says, seen,
  run: (profile, column) => {
    const { input, act } = prepare(column);
    const s = new FsdaxScene(profile, input);
    act(s);
    s.unbind();
    const found = s.afterUnbind();
    if (s.isShutDown && found.length === 0) found.push('fs-shutdown');
    return { effects: orClean(found) };
  },
});

const xfs = (rmapbt: boolean, more: Partial<SceneInput['fs']> = {}): SceneInput => ({ fs: { type: 'xfs', rmapbt, ...more } });

export const PART_A_UNBIND: readonly TruthRow[] = [
  {
    id: 'A 1 readable', says: 'READTEST: all pages readable while unbound and after the rebind, no signal',
    seen: columns('5.10 ext4, 6.1 ext4, 6.12 ext4, 6.18 ext4, 7.2 ext4, 6.12 ext4 read-only, 7.2 ext4 read-only', { effects: ['stale-mapping'], figures: { unbound: 1024, rebound: 1024 } }),
    run: (profile, column) => {
      const readOnly = column.includes('read-only');
      const s = new FsdaxScene(profile, { fs: { type: 'ext4', readOnly } });
      const h = s.hold({ readOnly });
      s.unbind();
      const unbound = touchTest(s.k, h.task, h.vma, 'read').ok;
      const found = s.afterUnbind();
      s.bind();
      return { effects: found, figures: { unbound, rebound: touchTest(s.k, h.task, h.vma, 'read').ok } };
    },
  },
  makes('A 1 a', 'rmapbt=1, no file in core', columns('6.18 xfs, 7.2 xfs', effects('fs-shutdown')), () => ({ input: xfs(true), act: (s) => { s.k.heap.store(s.sb + SB.inodes, 0); } })),
  makes('A 1 b', 'rmapbt=1, file written, nobody maps it, still in the inode cache', columns('7.2 xfs', effects('unbind-spins')), () => ({ input: xfs(true), act: () => {} })),
  makes('A 1 c', 'rmapbt=1, file only open', columns('7.2 xfs', effects('unbind-spins')), () => ({ input: xfs(true), act: (s) => { openFile(s.k, addProcess(s.k), s.file); } })),
  makes('A 1 d', 'rmapbt=1, mapped, reflink=0 and 1', columns('6.18 xfs reflink=0, 7.2 xfs reflink=0, 6.18 xfs reflink=1, 7.2 xfs reflink=1', effects('unbind-spins')), (column) => ({ input: xfs(true, { reflink: column.includes('reflink=1') }), act: (s) => { s.hold(); } })),
  makes('A 1 e', 'rmapbt=1, mounted read-only, read-only mapping', { ...columns('7.2 xfs', effects('unbind-spins')), ...columns('6.12 xfs', effects('sigbus')) }, () => ({ input: xfs(true, { readOnly: true }), act: (s) => { s.hold({ readOnly: true }); } })),
  makes('A 1 f', 'rmapbt=1, all blocks in the last allocation group', columns('7.2 xfs', effects('sigbus')), () => ({ input: { ...xfs(true), file: { group: 3 } }, act: (s) => { s.hold(); } })),
  makes('A 1 g', 'rmapbt=0, reflink=0 or 1, mapped', columns('6.18 xfs reflink=0, 7.2 xfs reflink=0, 6.18 xfs reflink=1, 7.2 xfs reflink=1', effects('stale-mapping')), (column) => ({ input: xfs(false, { reflink: column.includes('reflink=1') }), act: (s) => { s.hold(); } })),
  makes('A 1 h', 'rmapbt=1, mapped, shutdown ioctl (flag 2) just before', columns('7.2 xfs', effects('stale-mapping')), () => ({ input: xfs(true), act: (s) => { s.hold(); s.shutdownIoctl(); } })),
  {
    id: 'A 1 spin', says: 'during the spin the holder first gets SIGBUS (AO), then faults everything in again',
    seen: columns('6.18 xfs, 7.2 xfs', { effects: ['unbind-spins'], figures: { ao: true, readable: 1024 } }),
    run: (profile) => {
      const s = new FsdaxScene(profile, xfs(true));
      const h = s.hold();
      const ran = s.unbind();
      const unmapped = s.present(h.task) === 0;
      const readable = touchTest(s.k, h.task, h.vma, 'read').ok;
      return { effects: ran.spins !== null ? ['unbind-spins'] : [], figures: { ao: unmapped && s.aoTaken(h) > 0, readable } };
    },
  },
  {
    id: 'A 1 one page', says: 'the one-page notifications of hard_offline_page do not spin',
    seen: columns('6.18 xfs, 7.2 xfs', { effects: ['clean'], figures: { writes: 2 } }),
    run: (profile) => {
      const s = new FsdaxScene(profile, xfs(true));
      s.hold();
      const { writes } = s.forced();
      return { effects: ['clean'], figures: { writes } };
    },
  },
  {
    id: 'A 1 write', says: 'WRITE by a stale holder, no shutdown ioctl before the unbind',
    seen: { ...columns('5.10 ext4, 6.12 ext4, 7.2 ext4', effects('sigbus', 'stale-mapping')), ...columns('6.1 ext4', effects('sigbus')) },
    run: (profile, column) => writeRow(column, profile, false),
  },
  {
    id: 'A 1 write after shutdown', says: 'WRITE by a stale holder, shutdown ioctl (flag 2) before the unbind',
    seen: {
      ...columns('5.10 ext4, 6.1 ext4, 6.12 ext4, 7.2 ext4', WRITABLE),
      ...columns('6.12 xfs rmapbt=0', effects('sigbus')),
      ...columns('7.2 xfs rmapbt=0, 6.18 xfs rmapbt=1 LATE', effects('oops-on-write')),
    },
    run: (profile, column) => writeRow(column, profile, true),
  },
  {
    id: 'A 1 write 4k', says: 'the same with 4 KiB mappings: 256 of 256 writable',
    seen: columns('6.12 ext4 4 KiB', WRITABLE),
    run: (profile, column) => writeRow(column, profile, true, { file: { pages: 256 } }),
  },
  {
    id: 'A 1 stale writes hit the medium', says: 'after the shutdown ioctl the stale writes are on the medium after the rebind',
    seen: columns('5.10 ext4, 6.1 ext4, 6.12 ext4, 7.2 ext4', { effects: ['stale-write'], figures: { onMedium: 1024 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold();
      s.shutdownIoctl();
      s.unbind();
      touchTest(s.k, h.task, h.vma, 'write', 99);
      s.bind();
      return { effects: ['stale-write'], figures: { onMedium: s.mediumPagesWith(99) } };
    },
  },
];
