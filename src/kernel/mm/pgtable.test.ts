/** Page tables keep what was set, however it is stored: held against a plain map from page to entry. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Heap } from '../state/heap.ts';
import { clearLeaf, leaves, pagesAlike, setLeafFlags } from './pgtable-leaves.ts';
import { allocRegion, clearEntry, freeRegion, levelPages, PTE_PRESENT, PTE_WRITE, PUD_PAGES, setEntry, setFlags, setRun, walk } from './pgtable.ts';

interface Entry {
  readonly level: 1 | 2;
  readonly pfn: number;
  readonly flags: number;
}
type Model = Map<number, Entry>;
type Op = readonly [op: 'set' | 'run' | 'clear' | 'flags' | 'clear leaf' | 'leaf flags', at: number, count: number, base: number];

/** Entries of 2 MiB lie in the second half of each 8 MiB, so that a page is never wanted at both levels. */
const place = (at: number): { page: number; level: 1 | 2 } => {
  const page = (at % 3) * 2048 + (at % 7 === 0 ? PUD_PAGES : 0);
  return at % 2 === 0 ? { page: page + (at % 600), level: 1 } : { page: page + 1024 + 512 * (at % 2), level: 2 };
};

function set(heap: Heap, region: number, model: Model, page: number, level: 1 | 2, pfn: number): void {
  const entry = { level, pfn, flags: PTE_PRESENT | PTE_WRITE };
  setEntry(heap, region, page, level, pfn, entry.flags);
  model.set(page, entry);
}

function step(heap: Heap, region: number, model: Model, [op, at, count, base]: Op): void {
  const { page, level } = place(at);
  const all = leaves(heap, region, 0, 2 * PUD_PAGES);
  const leaf = all[at % Math.max(1, all.length)];
  const first = model.get(page);
  if (op === 'set') set(heap, region, model, page, level, base * 4096 + page);
  else if (op === 'run' && level === 1 && Array.from({ length: count }, (_, i) => model.has(page + i)).every((there) => !there)) {
    setRun(heap, region, page, 1, base * 4096 + page, PTE_PRESENT, count);
    for (let i = 0; i < count; i += 1) model.set(page + i, { level: 1, pfn: base * 4096 + page + i, flags: PTE_PRESENT });
  } else if (op === 'clear') {
    clearEntry(heap, region, page);
    model.delete(page);
  } else if (op === 'flags' && first !== undefined) {
    setFlags(heap, region, page, PTE_PRESENT);
    model.set(page, { ...first, flags: PTE_PRESENT });
  } else if (op === 'clear leaf' && leaf !== undefined) {
    const part = { ...leaf, count: Math.min(leaf.count, count) };
    clearLeaf(heap, region, part);
    for (let i = 0; i < part.count; i += 1) model.delete(leaf.page + i * levelPages(leaf.level));
  } else if (op === 'leaf flags' && leaf !== undefined) {
    setLeafFlags(heap, region, leaf, PTE_PRESENT);
    for (let i = 0; i < leaf.count; i += 1) model.set(leaf.page + i * levelPages(leaf.level), { ...(model.get(leaf.page + i * levelPages(leaf.level)) as Entry), flags: PTE_PRESENT });
  }
}

function check(heap: Heap, region: number, model: Model): void {
  const found = leaves(heap, region, 0, 2 * PUD_PAGES).flatMap((leaf) => Array.from({ length: leaf.count }, (_, i): [number, Entry] => {
    const offset = i * levelPages(leaf.level);
    return [leaf.page + offset, { level: leaf.level as 1 | 2, pfn: leaf.pfn + offset, flags: leaf.flags }];
  }));
  assert.deepEqual(found, [...model].sort(([a], [b]) => a - b));
  for (const [page, entry] of model) {
    assert.deepEqual(walk(heap, region, page), entry);
    const alike = pagesAlike(heap, region, page);
    for (let at = page; at < page + alike; at += levelPages(entry.level)) assert.deepEqual(model.get(at), { ...entry, pfn: entry.pfn + at - page });
    if (!model.has(page - 1) && page % PUD_PAGES > 0 && walk(heap, region, page - 1).level === 0) assert.equal(pagesAlike(heap, region, page - 1), 1);
  }
}

test('entries, runs of entries and their changes read as they were made', () => {
  const op = fc.tuple(fc.constantFrom<Op[0]>('set', 'run', 'run', 'clear', 'flags', 'clear leaf', 'leaf flags'), fc.nat(1500), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3 }));
  fc.assert(fc.property(fc.array(op, { maxLength: 30 }), (ops) => {
    const heap = new Heap();
    const round = (): number => {
      const region = allocRegion(heap, 2 * PUD_PAGES);
      const model: Model = new Map();
      for (const each of ops) {
        step(heap, region, model, each);
        check(heap, region, model);
      }
      freeRegion(heap, region);
      return heap.used;
    };
    assert.equal(round(), round(), 'the second time all tables come from what the first gave back');
  }), { numRuns: 300 });
});
