/** Part A, sections 6 (how many writes the forced procedure takes) and 7 (what hwpoison leaves behind). */
import { findFile } from '../fs/disk.ts';
import { hardOfflinePage, numPoisonedPages, unpoisonMemory } from '../mm/memory-failure.ts';
import { vmaLeaves } from '../mm/memory.ts';
import { createFile, mountFs } from '../setup/fsdax.ts';
import { touchTest } from '../setup/look.ts';
import { addProcess, mapFile } from '../setup/process.ts';
import { run } from '../setup/run.ts';
import { FsdaxScene } from './fsdax-scene.ts';
import { columns, type TruthRow } from './row.ts';
import { sceneOf } from './part-a-matrix.ts';

const KERNELS = '6.1 ext4, 6.12 ext4, 7.2 ext4, 7.2 xfs';
/** HardwareCorrupted of /proc/meminfo, kB. */
const corrupted = (s: FsdaxScene): number => s.k.heap.load(numPoisonedPages(s.k)) * 4;
const firstPfn = (s: FsdaxScene, vma: number): number => vmaLeaves(s.k, vma)[0]?.leaf.pfn ?? 0;

/** One 2 MiB-mapped and one 4 KiB-mapped file, as in the measurement. */
function two(profile: Parameters<TruthRow['run']>[0], column: string): FsdaxScene {
  const s = new FsdaxScene(profile, sceneOf(column));
  s.hold();
  s.hold({ offBy: 1 }, {}, 'write', createFile(s.k, s.sb, { pages: 16, name: 'g' }));
  return s;
}

export const PART_A_HWPOISON: readonly TruthRow[] = [
  ...([[65536, 128, '256 MiB, 2 MiB pages', 0], [65536, 65536, '256 MiB, 4 KiB pages', 1]] as const).map(([pages, writes, says, offBy]): TruthRow => ({
    id: `A 6 ${says}`, says: `${says}: writes of the forced procedure`, seen: columns('6.12 xfs', { effects: [], figures: { writes } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, { ...sceneOf(column), file: { pages: offBy === 1 ? 1024 : pages, align: 512 } });
      s.hold({ offBy });
      // One write for each page: a 64th of the pages tells as much.
      return { effects: [], figures: { writes: s.forced().writes * (offBy === 1 ? pages / 1024 : 1) } };
    },
  })),
  {
    id: 'A 7 counts', says: 'HardwareCorrupted rises by 4 kB per write: 18 writes, 72 kB', seen: columns(KERNELS, { effects: [], figures: { writes: 18, kB: 72 } }),
    run: (profile, column) => {
      const s = two(profile, column);
      const { writes } = s.forced();
      return { effects: [], figures: { writes, kB: corrupted(s) } };
    },
  },
  {
    id: 'A 7 unbind', says: 'after the unbind it stays (6.12, 7.2), or falls by 4 kB per distinct pfn (6.1)',
    seen: { ...columns('6.12 ext4, 7.2 ext4', { effects: [], figures: { before: 148, after: 148 } }), ...columns('6.1 ext4', { effects: [], figures: { before: 148, after: 76 } }) },
    run: (profile, column) => {
      const s = two(profile, column);
      const pfns = s.holders.flatMap((h) => vmaLeaves(s.k, h.vma).flatMap(({ leaf }) => (leaf.level === 2 ? Array.from({ length: leaf.count }, (_, i) => leaf.pfn + 512 * i) : Array.from({ length: leaf.count }, (_, i) => leaf.pfn + i))));
      // 18 distinct pfns, 37 writes.
      for (let i = 0; i < 37; i += 1) run(s.k, hardOfflinePage(s.k, pfns[i % 18] as number));
      const before = corrupted(s);
      s.unbind();
      return { effects: [], figures: { before, after: corrupted(s) } };
    },
  },
  {
    id: 'A 7 unpoison', says: 'unpoison fails with EIO and changes nothing', seen: columns('6.1 ext4, 6.12 ext4, 7.2 ext4', { effects: [], figures: { rc: -5, kB: 4 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const pfn = firstPfn(s, s.hold().vma);
      run(s.k, hardOfflinePage(s.k, pfn));
      return { effects: [], figures: { rc: unpoisonMemory(s.k, pfn), kB: corrupted(s) } };
    },
  },
  {
    id: 'A 7 bound', says: 'while bound the poison has no effect: the holder refaults right data, a new process maps and reads, another write succeeds',
    seen: columns(KERNELS, { effects: [], figures: { holder: 1024, newcomer: 1024, again: 0, right: 1024 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      const h = s.hold();
      const pfn = firstPfn(s, h.vma);
      s.forced();
      s.continueAll();
      const holder = touchTest(s.k, h.task, h.vma, 'read').ok;
      const task = addProcess(s.k);
      const newcomer = touchTest(s.k, task, mapFile(s.k, task, s.file), 'read').ok;
      return { effects: [], figures: { holder, newcomer, again: run(s.k, hardOfflinePage(s.k, pfn)).rc, right: s.mediumPagesOfFile() } };
    },
  },
  {
    id: 'A 7 rebound', says: 'after the rebind a new process maps, reads and writes everything', seen: columns('6.1 ext4, 6.12 ext4, 7.2 ext4', { effects: [], figures: { read: 1024, written: 1024 } }),
    run: (profile, column) => {
      const s = new FsdaxScene(profile, sceneOf(column));
      s.hold();
      s.forced();
      s.unbind();
      s.bind();
      s.continueAll();
      s.exitAll();
      s.umount();
      const task = addProcess(s.k);
      const vma = mapFile(s.k, task, findFile(s.k, mountFs(s.k, s.dev, sceneOf(column).fs), 'f'));
      return { effects: [], figures: { read: touchTest(s.k, task, vma, 'read').ok, written: touchTest(s.k, task, vma, 'write').ok } };
    },
  },
];
