/** Clause 1e: what walks, exit, unmap, truncate, evict and umount do once the memmap is gone. Use of a freed page names who and where. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evictInode } from '../fs/super.ts';
import { truncateFile } from '../fs/truncate.ts';
import { run, type Ran } from '../setup/run.ts';
import { FsdaxScene, type Holder } from '../truth/fsdax-scene.ts';
import { profile } from '../truth/clauses.ts';
import { taskState, TASK_OOPSED } from '../task.ts';
import { madviseDontneed, unmapVma } from './mmap.ts';
import { vmaEnd, vmaStart } from './mm_struct.ts';
import { walkTask, WALK_NUMA_MAPS, WALK_PAGEMAP, WALK_SMAPS } from './walkers.ts';

type Act = (s: FsdaxScene, h: Holder) => Ran;
const ACTS: Readonly<Record<string, Act>> = {
  'pagemap 2M': (s, h) => run(s.k, walkTask(s.k, h.task, WALK_PAGEMAP)),
  'pagemap 4K': (s, h) => run(s.k, walkTask(s.k, h.task, WALK_PAGEMAP)),
  'smaps 2M': (s, h) => run(s.k, walkTask(s.k, h.task, WALK_SMAPS)),
  'numa_maps 2M': (s, h) => run(s.k, walkTask(s.k, h.task, WALK_NUMA_MAPS)),
  exit: (s, h) => s.exit(h),
  munmap: (s, h) => run(s.k, unmapVma(s.k, h.vma)),
  madvise: (s, h) => run(s.k, madviseDontneed(s.k, h.task, vmaStart(s.k, h.vma), vmaEnd(s.k, h.vma))),
  truncate: (s) => run(s.k, truncateFile(s.k, s.file, 512)),
  evict: (s) => run(s.k, evictInode(s.k, s.file)),
  umount: (s) => { s.k.heap.store(s.sb + 20, 0); s.k.heap.store(s.file + 3, 0); return s.umount(); },
};

/** Function that stumbles, or null: by act, in the order 5.10, 6.1, 6.12, 7.2. */
const WHERE: Readonly<Record<string, readonly (string | null)[]>> = {
  'pagemap 2M': ['pagemap_pmd_range', 'pagemap_pmd_range', 'pagemap_pmd_range', 'pagemap_pmd_range'],
  'pagemap 4K': [null, null, null, 'pagemap_pmd_range'],
  'smaps 2M': ['smaps_pte_range', 'smaps_pte_range', null, 'smaps_pte_range'],
  'numa_maps 2M': [null, null, null, 'gather_pte_stats'],
  exit: [null, null, null, 'unmap_vmas'],
  munmap: [null, null, null, 'unmap_vmas'],
  madvise: [null, null, null, 'madvise_dontneed_single_vma'],
  truncate: ['dax_layout_busy_page_range', 'dax_layout_busy_page_range', 'dax_layout_busy_page_range', 'zap_pte_range'],
  evict: ['dax_disassociate_entry', 'dax_disassociate_entry', 'dax_disassociate_entry', 'zap_pte_range'],
  umount: ['dax_disassociate_entry', 'dax_disassociate_entry', 'dax_disassociate_entry', 'zap_pte_range'],
};

for (const [act, where] of Object.entries(WHERE)) {
  ['5.10', '6.1', '6.12', '7.2'].forEach((name, i) => {
    test(`1e: ${act} after the memmap is gone (${name})`, () => {
      const s = new FsdaxScene(profile(name), { fs: { type: 'ext4' } });
      const h = s.hold({ offBy: act.includes('4K') ? 1 : 0 });
      s.unbind();
      assert.equal((ACTS[act] as Act)(s, h).oops, where[i]);
    });
  });
}

test('1e: a reader that oopses holds the page-table lock: the next one spins, and so does the exit of the holder', () => {
  const s = new FsdaxScene(profile('7.2'), { fs: { type: 'ext4' } });
  const h = s.hold();
  s.unbind();
  run(s.k, walkTask(s.k, h.task, WALK_SMAPS));
  assert.notEqual(run(s.k, walkTask(s.k, h.task, WALK_SMAPS)).spins, null);
  assert.notEqual(s.exit(h).spins, null);
});

test('1e: a holder that oopses at its exit stays, and so do its mount and its page tables', () => {
  const s = new FsdaxScene(profile('7.2'), { fs: { type: 'ext4' } });
  const h = s.hold();
  s.unbind();
  s.exit(h);
  assert.equal(taskState(s.k, h.task), TASK_OOPSED);
  assert.equal(s.umount().rc, -16);
});
