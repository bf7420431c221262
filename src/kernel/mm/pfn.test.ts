/** pfn_valid() and pfn_to_online_page() in each generation, and walkers that trust less. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Profile } from '../../profile/profile.ts';
import { RELEASES } from '../../profile/releases/index.ts';
import { GiB, MiB } from '../../range/units.ts';
import { Kernel } from '../kernel.ts';
import { KernelOops } from '../oops.ts';
import { bootMachine } from '../setup/boot-machine.ts';
import { MEMORY_DEVICE, memremapPages } from './memremap.ts';
import { pageFlags } from './page.ts';
import { pfnSectionValid, pfnToOnlinePage, pfnValid, pfnValidFlat, pfnValidRacy, validSection } from './pfn.ts';
import { sparseAddSection, sparseRemoveSection } from './sparse.ts';

const profileOf = (name: string): Profile => RELEASES.find((p) => p.name === name)!;
const MODERN = ['5.10', '6.1', '6.12', '6.18', '7.2'];
const boot = (name: string, over: object = {}): Kernel => bootMachine({ profile: profileOf(name), ram: [{ start: 0, end: GiB, nid: 0 }], ...over });
const PFN = (4 * GiB) / 4096;
/** Device memory of `size` bytes from `start`: a pagemap, or -errno. */
const map = (k: Kernel, start: number, size: number): number =>
  memremapPages(k, { startPfn: start / 4096, endPfn: (start + size) / 4096, dataPfn: start / 4096, type: MEMORY_DEVICE.fsdax });

test('2e: pfn_valid: a flat bound, section, section and sub-section, early sections', () => {
  const layout = { ram: [{ start: 0, end: GiB - 64 * MiB, nid: 0 }] };
  const hole = (GiB - 32 * MiB) / 4096;
  assert.deepEqual([PFN, hole].map((pfn) => pfnValidFlat(pfn, (GiB - 64 * MiB) / 4096)), [false, false]);
  for (const name of ['5.2', ...MODERN]) {
    const k = boot(name, layout);
    assert.equal(pfnValid(k, hole), true, 'early sections are valid as a whole');
    assert.equal(pfnSectionValid(k, hole), false);
    map(k, 4 * GiB, 2 * MiB);
    assert.equal(validSection(k, PFN + 1024), true, 'walkers that trust valid_section alone');
    assert.equal(pfnValid(k, PFN + 1024), name === '5.2');
    assert.equal(pfnToOnlinePage(k, PFN), -1);
    assert.equal(pfnToOnlinePage(k, 4096), 4096);
  }
});

test('2e: a walker that trusts valid_section() alone meets no struct page in a section that is there in part', () => {
  const k = boot('7.2');
  map(k, 4 * GiB, 2 * MiB);
  assert.throws(() => { if (validSection(k, PFN + 1024)) pageFlags(k, PFN + 1024, 'walker'); }, KernelOops);
  assert.equal(pfnValid(k, PFN + 1024), false);
});

test('2e: pfn_to_online_page in a section that also holds device pages: 5.10 takes them, later kernels look at each', () => {
  for (const name of MODERN) {
    const k = boot(name, { ram: [{ start: 0, end: GiB - 64 * MiB, nid: 0 }] });
    const pmem = (GiB - 64 * MiB) / 4096;
    map(k, GiB - 64 * MiB, 64 * MiB);
    assert.equal(pfnToOnlinePage(k, pmem), name === '5.10' ? pmem : -1);
    assert.equal(pfnToOnlinePage(k, pmem - 1), pmem - 1);
  }
});

test('2e: a reader that looks between the two halves of a removal uses freed usage, unless it waits for RCU', () => {
  for (const [name, oops] of [['6.1', true], ['6.12', false]] as const) {
    const k = boot(name, { concurrent: true });
    assert.equal(sparseAddSection(k, 0, PFN, 512, 0), 0);
    const reader = pfnValidRacy(k, PFN);
    reader.next();
    reader.next();
    sparseRemoveSection(k, PFN, 512, 0);
    if (oops) assert.throws(() => reader.next(), (e: unknown) => e instanceof KernelOops && e.kind === 'use-after-free');
    else assert.equal(reader.next().value, 0);
  }
});
