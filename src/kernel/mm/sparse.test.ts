import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildProfile } from '../../profile/build.ts';
import type { Profile } from '../../profile/profile.ts';
import { RELEASES } from '../../profile/releases/index.ts';
import { GiB, MiB, TiB } from '../../range/units.ts';
import { EEXIST, ENOMEM, ENXIO } from '../errno.ts';
import { Kernel } from '../kernel.ts';
import { KernelOops } from '../oops.ts';
import { bootMachine, pmemResource } from '../setup/boot-machine.ts';
import { runStraight } from '../state/path.ts';
import { brokenInvariants, traceOf } from './invariants.ts';
import { addMemory } from './memory_hotplug/add.ts';
import { removeMemory } from './memory_hotplug/remove.ts';
import { MEMORY_DEVICE, memremapPages, memunmapPages } from './memremap.ts';
import { memmapPresent, pageFlags, pageZone, ZONE } from './page.ts';
import { allocAltmap } from './sparse-vmemmap.ts';
import { pfnValid } from './pfn.ts';
import { SECTION } from './section-table.ts';
import { sparseAddSection, sparseRemoveSection } from './sparse.ts';

const profileOf = (name: string): Profile => RELEASES.find((p) => p.name === name)!;
const MODERN = ['5.10', '6.1', '6.12', '6.18', '7.2'];
const boot = (name: string, over: object = {}): Kernel => bootMachine({ profile: profileOf(name), ram: [{ start: 0, end: GiB, nid: 0 }], ...over });
const PFN = (4 * GiB) / 4096;
/** Device memory of `size` bytes from `start`: a pagemap, or -errno. */
const map = (k: Kernel, start: number, size: number): number =>
  memremapPages(k, { startPfn: start / 4096, endPfn: (start + size) / 4096, dataPfn: start / 4096, type: MEMORY_DEVICE.fsdax });

test('7a: usage, map and memmap come and go with the section; early sections keep theirs', () => {
  for (const name of MODERN) {
    const k = boot(name);
    assert.equal(sparseAddSection(k, 0, PFN, 1024, 0), 0);
    assert.equal(k.sparse.flags(PFN / 32768) & (SECTION.usage | SECTION.hasMemMap), SECTION.usage | SECTION.hasMemMap);
    assert.equal(sparseAddSection(k, 0, PFN + 512, 512, 0), -EEXIST);
    sparseRemoveSection(k, PFN, 512, 0);
    assert.equal(k.sparse.flags(PFN / 32768) & SECTION.usage, SECTION.usage);
    sparseRemoveSection(k, PFN + 512, 512, 0);
    assert.equal(k.sparse.flags(PFN / 32768) & (SECTION.usage | SECTION.hasMemMap | SECTION.present), 0);
    const early = boot(name, { ram: [{ start: 0, end: GiB - 64 * MiB, nid: 0 }] });
    const pgmap = map(early, GiB - 64 * MiB, 64 * MiB);
    assert.ok(pgmap > 0);
    runStraight(memunmapPages(early, pgmap));
    assert.equal(early.sparse.flags(7) & (SECTION.early | SECTION.usage | SECTION.hasMemMap), SECTION.early | SECTION.usage | SECTION.hasMemMap);
    assert.ok(memmapPresent(early, (GiB - 64 * MiB) / 4096));
  }
});

test('7a: sections of other sizes: 16 MiB, 512 MiB with 64 KiB pages', () => {
  for (const [sectionSize, pageSize, subs] of [[16 * MiB, 4096, 8], [512 * MiB, 65536, 256], [128 * MiB, 16384, 64]] as const) {
    const k = bootMachine({ profile: profileOf('7.2'), ram: [{ start: 0, end: 2 * GiB, nid: 0 }], geometry: { sectionSize, pageSize, memoryBlockSize: Math.max(sectionSize, 128 * MiB) } });
    assert.equal(k.geo.subsectionsPerSection, subs);
    const before = traceOf(k);
    const per = (2 * MiB) / pageSize;
    const base = (4 * GiB) / pageSize;
    assert.equal(sparseAddSection(k, 0, base + 3 * per, 2 * per, 0), 0);
    assert.deepEqual([2, 3, 4, 5].map((sub) => pfnValid(k, base + sub * per)), [false, true, true, false]);
    assert.equal(sparseRemoveSection(k, base + 3 * per, 2 * per, 0), 0);
    assert.equal(runStraight(addMemory(k, 1, 8 * GiB, 512 * MiB, 0)), 0);
    assert.equal(runStraight(removeMemory(k, 8 * GiB, 512 * MiB)), 0);
    assert.equal(traceOf(k), before);
    assert.deepEqual(brokenInvariants(k), []);
  }
});

test('7a: the sub-section map is exactly what was added and not removed', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(127), fc.integer({ min: 1, max: 20 })), { maxLength: 60 }), (steps) => {
    const k = new Kernel({ profile: profileOf('7.2') });
    const model = new Set<number>();
    const live: { first: number; count: number }[] = [];
    for (const [add, at, wanted] of steps) {
      if (!add) {
        const gone = live.splice(at % Math.max(1, live.length), 1)[0];
        if (gone === undefined) continue;
        assert.equal(sparseRemoveSection(k, PFN + gone.first * 512, gone.count * 512, 0), 0);
        for (let sub = gone.first; sub < gone.first + gone.count; sub += 1) model.delete(sub);
        continue;
      }
      const count = Math.min(wanted, 64 - (at % 64));
      const subs = Array.from({ length: count }, (_, i) => at + i);
      const ret = sparseAddSection(k, 0, PFN + at * 512, count * 512, noRam(k));
      if (subs.some((sub) => model.has(sub))) assert.equal(ret, -EEXIST);
      else {
        assert.equal(ret, 0);
        for (const sub of subs) model.add(sub);
        live.push({ first: at, count });
      }
    }
    for (let sub = 0; sub < 128; sub += 1) {
      assert.equal(pfnValid(k, PFN + sub * 512), model.has(sub));
      assert.equal(memmapPresent(k, PFN + sub * 512 + 511), model.has(sub));
    }
  }), { numRuns: 100 });
});

/** This machine has no RAM to hold a memmap; an altmap without an end does. */
const altmaps = new WeakMap<Kernel, number>();
function noRam(k: Kernel): number {
  let altmap = altmaps.get(k);
  if (altmap === undefined) altmaps.set(k, (altmap = allocAltmap(k, { base: 0, end: 1e9, reserve: 0, free: 1e9 })));
  return altmap;
}

test('7b: RAM beside pmem in one section: works from 5.3 on; "mixed region" before', () => {
  const layout = { ram: [{ start: 0, end: GiB - 64 * MiB, nid: 0 }] };
  for (const name of MODERN) {
    const k = boot(name, layout);
    assert.ok(map(k, GiB - 64 * MiB, 64 * MiB) > 0);
    assert.equal(pageZone(k, (GiB - 64 * MiB) / 4096, 'test'), ZONE.device);
    assert.equal(pageZone(k, (GiB - 66 * MiB) / 4096, 'test'), ZONE.dma32);
  }
  const old = boot('5.2', layout);
  pmemResource(old, { start: GiB - 64 * MiB, end: GiB });
  assert.equal(map(old, GiB - 64 * MiB, 64 * MiB), -ENXIO);
  assert.ok(old.log.has('devm_memremap_pages attempted on mixed region'));
});

test('7b: pmem beside pmem in one section: works from 5.3 on, conflicts before', () => {
  for (const name of MODERN) {
    const k = boot(name);
    assert.ok(map(k, 4 * GiB, 32 * MiB) > 0 && map(k, 4 * GiB + 48 * MiB, 32 * MiB) > 0);
  }
  const old = boot('5.2');
  assert.ok(map(old, 4 * GiB, 32 * MiB) > 0);
  assert.equal(map(old, 4 * GiB + 48 * MiB, 32 * MiB), -ENOMEM);
  assert.ok(old.log.has('Conflicting mapping in same section'));
});

test('7b: what is not made of whole sub-sections is refused', () => {
  const k = boot('7.2');
  for (const [start, size] of [[4 * GiB + MiB, 4 * MiB], [4 * GiB, 5 * MiB]] as const) assert.ok(map(k, start, size) < 0);
  assert.deepEqual(brokenInvariants(k), []);
});

test('7c: 5.2 adds whole sections around a range, and takes whole sections away', () => {
  const k = boot('5.2');
  const pgmap = map(k, 4 * GiB + 16 * MiB, 32 * MiB);
  assert.ok(pgmap > 0);
  assert.equal(pfnValid(k, PFN), true);
  assert.equal(pfnValid(k, PFN + 32767), true);
  assert.equal(pageZone(k, PFN, 'test'), ZONE.device);
  runStraight(memunmapPages(k, pgmap));
  assert.equal(pfnValid(k, PFN + 4096), false);
});

test('7e: with memory blocks only whole blocks are added; without them any sub-section', () => {
  const k = boot('7.2');
  assert.ok(runStraight(addMemory(k, 0, 4 * GiB, 64 * MiB, 0)) < 0);
  assert.ok(k.log.has('unaligned hotplug range'));
  const before = traceOf(k);
  const pgmap = map(k, 4 * GiB + 2 * MiB, 2 * MiB);
  assert.ok(pgmap > 0);
  assert.equal(runStraight(addMemory(k, 0, 4 * GiB, 128 * MiB, 0)), -EEXIST);
  runStraight(memunmapPages(k, pgmap));
  assert.equal(traceOf(k), before);
});

test('7f: a half-failed add is reverted, or leaves its first sections behind and the next attempt fails with EEXIST', () => {
  for (const reverts of [true, false]) {
    const base = profileOf('7.2');
    const profile = { ...base, mechanisms: { ...base.mechanisms, 'section.add-pages-reverts': { value: reverts, source: 'test' } } };
    const k = bootMachine({ profile, ram: [{ start: 0, end: GiB, nid: 0 }] });
    const before = traceOf(k);
    k.failAllocation(6);
    assert.equal(map(k, 4 * GiB, 384 * MiB), -ENOMEM);
    k.failAllocation(0);
    assert.equal(traceOf(k) === before, reverts);
    assert.equal(map(k, 4 * GiB, 384 * MiB) > 0, reverts);
    if (!reverts) assert.equal(map(k, 4 * GiB, 384 * MiB), -EEXIST);
  }
});

test('7f: section_activate undoes its own sub-sections; without that they stay marked', () => {
  for (const reverts of [true, false]) {
    const profile = buildProfile({ name: 'x', release: null, summary: '', entries: { 'section.activate-reverts': { value: reverts, source: 'test' } } }, profileOf('7.2'));
    const k = bootMachine({ profile, ram: [{ start: 0, end: GiB, nid: 0 }] });
    k.failAllocation(3);
    assert.equal(map(k, 4 * GiB, 2 * MiB), -ENOMEM);
    k.failAllocation(0);
    assert.equal(map(k, 4 * GiB, 2 * MiB) > 0, reverts);
  }
});

test('7g: five devices in one section: each goes and comes back while its neighbours keep every word', () => {
  for (const name of MODERN) {
    const k = boot(name);
    const sizes = [16, 16, 16, 32, 32];
    const starts = sizes.map((_, i) => 4 * GiB + sizes.slice(0, i).reduce((n, s) => n + s, 0) * MiB);
    const pgmaps = sizes.map((size, i) => map(k, starts[i]!, size * MiB));
    for (let i = 0; i < 5; i += 1) {
      runStraight(memunmapPages(k, pgmaps[i]!));
      for (let j = 0; j < 5; j += 1) assert.equal(memmapPresent(k, starts[j]! / 4096), j !== i);
      assert.throws(() => pageFlags(k, starts[i]! / 4096 + 5, 'test'), KernelOops);
      pgmaps[i] = map(k, starts[i]!, sizes[i]! * MiB);
      assert.ok(pgmaps[i]! > 0);
    }
    assert.deepEqual(brokenInvariants(k), []);
  }
});

test('7a: 64 TiB of sections take under 8 MiB', () => {
  const k = new Kernel({ profile: profileOf('7.2'), quietLog: true });
  const before = k.heap.used;
  for (let nr = 0; nr < (64 * TiB) / (128 * MiB); nr += 1) k.sparse.setFlags(k.sparse.makeSection(nr), SECTION.present | SECTION.hasMemMap | SECTION.usage);
  assert.ok((k.heap.used - before) * 4 < 8 * MiB, `${(k.heap.used - before) * 4} bytes`);
});
