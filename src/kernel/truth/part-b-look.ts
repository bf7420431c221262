/** Part B, section 1b: looking at a stale fsdax holder through /proc, and the virtio_pmem rows of 6. */
import type { Profile } from '../../profile/profile.ts';
import type { Effect } from '../../steps/forecast.ts';
import { exitTask } from '../mm/exit.ts';
import { mapsOf, walkTask, WALK_NUMA_MAPS, WALK_PAGEMAP, WALK_SMAPS } from '../mm/walkers.ts';
import { touchTest } from '../setup/look.ts';
import { run } from '../setup/run.ts';
import { FsdaxScene } from './fsdax-scene.ts';
import { columns, orClean, type Seen, type TruthRow } from './row.ts';

/** Reads /proc files of a stale holder in order, each by a reader of its own. */
function looks(profile: Profile, offBy: number, pages: number, files: readonly ('maps' | 'smaps' | 'smaps again' | 'numa_maps' | 'pagemap')[]): Seen {
  const s = new FsdaxScene(profile, { fs: { type: 'ext4' }, file: { pages, align: 512 } });
  const h = s.hold({ offBy });
  s.unbind();
  const figures: Record<string, string> = {};
  for (const file of files) {
    if (file === 'maps') {
      figures['maps'] = mapsOf(s.k, h.task) === 1 ? 'ok' : 'wrong';
      continue;
    }
    const ran = run(s.k, walkTask(s.k, h.task, file === 'pagemap' ? WALK_PAGEMAP : file === 'numa_maps' ? WALK_NUMA_MAPS : WALK_SMAPS));
    figures[file] = ran.oops !== null ? 'oops' : ran.spins !== null ? 'spins' : 'ok';
  }
  const found: Effect[] = [];
  if (figures['smaps'] === 'oops') found.push('oops-on-smaps');
  if (figures['pagemap'] === 'oops') found.push('oops-on-pagemap');
  return { effects: orClean(found), figures };
}

export const PART_B_LOOK: readonly TruthRow[] = [
  {
    id: 'B 1b smaps', says: 'maps, smaps, then the next reader, of a stale 2 MiB holder',
    seen: { ...columns('5.10, 6.1, 7.2', { effects: ['oops-on-smaps'], figures: { maps: 'ok', smaps: 'oops', 'smaps again': 'spins' } }), ...columns('6.12', { effects: ['clean'], figures: { maps: 'ok', smaps: 'ok', 'smaps again': 'ok' } }) },
    run: (profile) => looks(profile, 0, 1024, ['maps', 'smaps', 'smaps again']),
  },
  { id: 'B 1b numa_maps', says: 'numa_maps of a stale 2 MiB holder', seen: columns('6.12', { effects: ['clean'], figures: { numa_maps: 'ok' } }), run: (profile) => looks(profile, 0, 1024, ['numa_maps']) },
  { id: 'B 1b pagemap', says: 'pagemap of a stale 2 MiB holder', seen: columns('6.1, 6.12, 7.2', { effects: ['oops-on-pagemap'], figures: { pagemap: 'oops' } }), run: (profile) => looks(profile, 0, 1024, ['pagemap']) },
  { id: 'B 1b pagemap 4 KiB', says: 'pagemap of a stale 4 KiB holder', seen: columns('5.10, 6.1, 6.12', { effects: ['clean'], figures: { pagemap: 'ok' } }), run: (profile) => looks(profile, 1, 256, ['pagemap']) },
  {
    id: 'B 6 virtio_pmem', says: 'virtio_pmem unbind, 4 KiB-mapped file: stale read works; write gives SIGBUS (to 6.12), oopses (7.2) and the exit path spins',
    seen: { ...columns('5.10, 6.1, 6.12', { effects: ['sigbus', 'stale-mapping'], figures: { exit: 'ok' } }), ...columns('7.2', { effects: ['oops-on-write', 'stale-mapping'], figures: { exit: 'spins' } }) },
    run: (profile) => {
      const s = new FsdaxScene(profile, { fs: { type: 'ext4' }, file: { pages: 1024, align: 512 } });
      const h = s.hold({ offBy: 1 });
      s.unbind();
      const read = touchTest(s.k, h.task, h.vma, 'read');
      const write = touchTest(s.k, h.task, h.vma, 'write');
      const found: Effect[] = read.ok === 1024 ? ['stale-mapping'] : [];
      if (write.oops !== null) found.push('oops-on-write');
      if (write.sigbus > 0) found.push('sigbus');
      const ended = run(s.k, exitTask(s.k, h.task), h.task);
      return { effects: found, figures: { exit: ended.spins !== null ? 'spins' : ended.oops ?? 'ok' } };
    },
  },
];
