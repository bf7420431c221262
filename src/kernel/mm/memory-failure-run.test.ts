/** Runs of pages that are alike are an abbreviation: what comes of them, and what is counted, is that of page by page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MiB } from '../../range/units.ts';
import { devPagemapFailure, unmapByMemmap } from '../drivers/nvdimm/removal-designs.ts';
import { entriesIn, entryFlags, entryPfn } from '../fs/dax-entry.ts';
import { INODE } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import { addPmem, createFile, mountFs, pmemRange, unbindPmem } from '../setup/fsdax.ts';
import { presentPages } from '../setup/look.ts';
import { populateAll } from '../setup/populate.ts';
import { addProcess, mapFile, touchAll } from '../setup/process.ts';
import { makeMachine } from '../setup/boot-machine.ts';
import { must } from '../setup/run.ts';
import { eachTask, TASK } from '../task.ts';
import { profile } from '../truth/clauses.ts';
import { costsOf, resetCosts } from './costs.ts';
import { mfDaxKillProcs, memoryFailure } from './memory-failure.ts';
import { vmaLeaves } from './memory.ts';
import { pagemapsOf, PGMAP } from './memremap.ts';
import { MF_MASS, MF_MEM_PRE_REMOVE } from './mf-flags.ts';
import { mmOf, vmasOf } from './mm_struct.ts';
import { PAGE, pageLoad, pageOrder } from './page.ts';
import { levelPages } from './pgtable.ts';

/** Processes that map all of the file alike, at 2 MiB or 4 KiB, and others that map parts of it each in their way. */
interface Layout {
  readonly pages: number;
  readonly small: boolean;
  readonly alike: number;
  readonly others: readonly { readonly offset: number; readonly pages: number; readonly offBy: number; readonly private: boolean; readonly write: boolean; readonly late: boolean }[];
}
interface Scene {
  readonly k: Kernel;
  readonly file: number;
  readonly range: readonly [number, number];
}

function scene(name: string, layout: Layout): Scene {
  const k = makeMachine({ profile: profile(name) });
  const dev = addPmem(k, { start: 0x100000000, size: 32 * MiB });
  const sb = mountFs(k, dev, { type: 'ext4' });
  const file = createFile(k, sb, { pages: layout.pages, align: 512 });
  const vmas = Array.from({ length: layout.alike }, () => mapFile(k, addProcess(k), file, { offBy: layout.small ? 1 : 0 }));
  populateAll(k, vmas, true);
  for (const other of layout.others) {
    const offset = other.offset % layout.pages;
    const task = addProcess(k, other.late ? { mceKill: 'late' } : {});
    const vma = mapFile(k, task, file, { offset, pages: Math.min(other.pages, layout.pages - offset), offBy: other.offBy, private: other.private });
    touchAll(k, task, vma, other.write ? 'write' : 'read');
  }
  resetCosts(k);
  return { k, file, range: pmemRange(k, dev) };
}

/** All that can be told of a machine afterwards: struct pages, DAX entries, page tables, tasks, counts. */
function told({ k, file, range }: Scene): unknown {
  const pages = Array.from({ length: range[1] - range[0] }, (_, i) => Array.from({ length: PAGE.words }, (__, word) => pageLoad(k, range[0] + i, word, 'test')).join());
  const entries = [...entriesIn(k, file, 0, k.heap.load(file + INODE.pages))].map(([index, entry]) => [index, entryPfn(k, entry), entryFlags(k, entry)]);
  const tasks = [...eachTask(k)].map((task) => ({
    words: [TASK.pending, TASK.sigbusCode, TASK.sigbusAddr, TASK.sigbusAddr + 1].map((word) => k.heap.load(task + word)),
    leaves: [...vmasOf(k, mmOf(k, task))].flatMap((vma) => vmaLeaves(k, vma).flatMap(({ vpn, leaf }) => Array.from({ length: leaf.count }, (_, i) => [vpn + i * levelPages(leaf.level), leaf.level, leaf.flags].join()))),
  }));
  return { pages, entries, tasks, costs: costsOf(k), poisoned: k.heap.load(k.heap.load(pagemapsOf(k).head) + PGMAP.bind) };
}

const RUNS: Readonly<Record<string, { readonly over: readonly string[]; readonly whole: (s: Scene) => void; readonly single: (s: Scene) => void }>> = {
  'mass memory_failure()': {
    over: ['dev-pagemap-failure-all', 'dev-pagemap-failure'],
    whole: (s) => must(s.k, devPagemapFailure(s.k, ...s.range), 'whole'),
    single: (s) => { for (let pfn = s.range[0]; pfn < s.range[1]; pfn += 1) must(s.k, tolerant(s.k, pfn), 'single'); },
  },
  'mf_dax_kill_procs()': {
    over: ['6.12', '7.2'],
    whole: (s) => must(s.k, mfDaxKillProcs(s.k, s.file, 0, s.k.heap.load(s.file + INODE.pages), MF_MEM_PRE_REMOVE, 0), 'whole'),
    single: (s) => { for (let i = 0; i < s.k.heap.load(s.file + INODE.pages); i += 1) must(s.k, mfDaxKillProcs(s.k, s.file, i, 1, MF_MEM_PRE_REMOVE, 0), 'single'); },
  },
  'page walk': {
    over: ['page-walk', '5.10'],
    whole: (s) => must(s.k, unmapByMemmap(s.k, ...s.range), 'whole'),
    single: (s) => {
      for (let pfn = s.range[0]; pfn < s.range[1];) {
        const folio = 2 ** pageOrder(s.k, pfn, 'test');
        must(s.k, unmapByMemmap(s.k, pfn, pfn + folio), 'single');
        pfn += folio;
      }
    },
  },
};
/** memory_failure() of a page of no file says EBUSY, which the mass call passes over. */
function* tolerant(k: Kernel, pfn: number): ReturnType<typeof memoryFailure> {
  yield* memoryFailure(k, pfn, MF_MASS, 0);
  return 0;
}

const other = fc.record({
  offset: fc.oneof(fc.nat(2047), fc.constantFrom(0, 512, 1024)), pages: fc.constantFrom(1, 7, 512, 600, 1024), offBy: fc.constantFrom(0, 0, 1), private: fc.boolean(), write: fc.boolean(), late: fc.boolean(),
});
const layouts = fc.record({ pages: fc.constantFrom(512, 1024, 2048), small: fc.boolean(), alike: fc.integer({ min: 1, max: 3 }), others: fc.array(other, { maxLength: 3 }) });

for (const [what, { over, whole, single }] of Object.entries(RUNS)) {
  for (const name of over) {
    test(`${what} in runs is what it is page by page (${name})`, () => {
      fc.assert(fc.property(layouts, (layout) => {
        const [a, b] = [scene(name, layout), scene(name, layout)];
        whole(a);
        single(b);
        assert.deepEqual(told(a), told(b));
      }), { numRuns: 12 });
    });
  }
}

test('512 pages that are mapped one by one are no mapping of 2 MiB: the mass call of all processes leaves none of them', () => {
  const s = scene('dev-pagemap-failure-all', { pages: 1024, small: true, alike: 2, others: [] });
  must(s.k, devPagemapFailure(s.k, ...s.range), 'mass call');
  assert.equal([...eachTask(s.k)].reduce((sum, task) => sum + presentPages(s.k, task, ...s.range), 0), 0);
  assert.equal(costsOf(s.k)?.signalsSent, 2 * 1024);
});

test('a removal takes what was populated at 4 KiB, by every design that leaves nothing', () => {
  for (const name of ['dev-pagemap-failure-all', 'page-walk', 'inode-walk', 'page-table-walk', 'corrupt-range']) {
    const k = makeMachine({ profile: profile(name) });
    const dev = addPmem(k, { start: 0x100000000, size: 32 * MiB });
    const file = createFile(k, mountFs(k, dev, { type: 'ext4' }), { pages: 1024, align: 512 });
    const task = addProcess(k);
    populateAll(k, [mapFile(k, task, file, { offBy: 1 })], true);
    const range = pmemRange(k, dev);
    assert.equal(presentPages(k, task, ...range), 1024, name);
    assert.equal(unbindPmem(k, dev).rc, 0, name);
    assert.equal(presentPages(k, task, ...range), 0, name);
  }
});
