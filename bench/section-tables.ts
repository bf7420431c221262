/**
 * The section table of the simulated kernel over 64 TiB, against what one would write first: a Map of BigInt masks and a
 * Set of sub-section numbers. Then the same memory through the full add and remove paths. Rates are medians; the peers
 * do the same operations in the same run.
 */
import { RELEASES } from '../src/profile/releases/index.ts';
import { GiB, MiB, TiB } from '../src/range/units.ts';
import { Kernel } from '../src/kernel/kernel.ts';
import { addPages } from '../src/kernel/mm/memory_hotplug/add.ts';
import { addMemory, MHP } from '../src/kernel/mm/memory_hotplug/add.ts';
import { removeMemory } from '../src/kernel/mm/memory_hotplug/remove.ts';
import { removePages } from '../src/kernel/mm/memory_hotplug/remove-pages.ts';
import { SECTION } from '../src/kernel/mm/section-table.ts';
import { allocAltmap } from '../src/kernel/mm/sparse-vmemmap.ts';
import { bootMachine } from '../src/kernel/setup/boot-machine.ts';
import { runStraight } from '../src/kernel/state/path.ts';
import { median, wrong } from './lib/stats.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const SIZE = 64 * TiB;
const SECTIONS = SIZE / (128 * MiB);
const SUBSECTIONS = SIZE / (2 * MiB);
const RANDOM = 2_000_000;
const profile = RELEASES.find((p) => p.name === '7.2')!;
const FLAGS = SECTION.present | SECTION.hasMemMap | SECTION.usage;

/** Median rate of `work`, which does `operations`, in millions a second. */
function rate(operations: number, work: () => number): number {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    if (work() < 0) wrong('a negative sum');
    rates.push(operations / (performance.now() - started) / 1000);
  }
  return median(rates);
}

const line = (what: string, ours: number, theirs: number, target: number | null): void =>
  console.log(`  ${what.padEnd(28)} ${ours.toFixed(1).padStart(7)} M/s   peer ${theirs.toFixed(1).padStart(6)} M/s   ${(ours / theirs).toFixed(1)} : 1${target === null ? '' : `   target ${target} M/s`}`);

const k = new Kernel({ profile, quietLog: true });
const { sparse } = k;
const usedBefore = k.heap.used;
const order = new Uint32Array(RANDOM);
for (let i = 0, x = 12345; i < RANDOM; i += 1) order[i] = (x = (Math.imul(x, 1103515245) + 12345) >>> 0) % SUBSECTIONS;

const sections = rate(SECTIONS, () => {
  let sum = 0;
  for (let nr = 0; nr < SECTIONS; nr += 1) {
    const section = sparse.makeSection(nr);
    sparse.setFlags(section, FLAGS);
    sum += section;
  }
  return sum;
});
const subs = rate(2 * SUBSECTIONS, () => {
  let sum = 0;
  for (let nr = 0; nr < SECTIONS; nr += 1) {
    const section = sparse.section(nr);
    for (let sub = 0; sub < 64; sub += 1) sparse.mapSet(section, sub);
    for (let sub = 0; sub < 64; sub += 1) if (sparse.mapTest(section, sub)) sum += 1;
  }
  return sum === SUBSECTIONS ? sum : -1;
});
const random = rate(2 * RANDOM, () => {
  let sum = 0;
  for (let i = 0; i < RANDOM; i += 1) {
    const pfn = order[i]! * 512;
    const section = sparse.section(sparse.sectionNr(pfn));
    const sub = sparse.subIndex(pfn);
    sparse.mapClear(section, sub);
    if (!sparse.mapTest(section, sub)) sum += 1;
    sparse.mapSet(section, sub);
  }
  return sum === RANDOM ? sum : -1;
});
const bytes = (k.heap.used - usedBefore) * 4;

const flags = new Map<number, number>();
const peerSections = rate(SECTIONS, () => {
  for (let nr = 0; nr < SECTIONS; nr += 1) flags.set(nr, (flags.get(nr) ?? 0) | FLAGS);
  return flags.size;
});
const masks = new Map<number, bigint>();
/** The peer is slow: a sixteenth of the sections says as much. */
const FEW = SECTIONS / 16;
const peerSubs = rate(2 * FEW * 64, () => {
  let sum = 0;
  for (let nr = 0; nr < FEW; nr += 1) {
    for (let sub = 0; sub < 64; sub += 1) masks.set(nr, (masks.get(nr) ?? 0n) | (1n << BigInt(sub)));
    for (let sub = 0; sub < 64; sub += 1) if (((masks.get(nr) ?? 0n) >> BigInt(sub)) & 1n) sum += 1;
  }
  return sum;
});
const set = new Set<number>();
const peerRandom = rate(2 * RANDOM, () => {
  let sum = 0;
  for (let i = 0; i < RANDOM; i += 1) {
    set.delete(order[i]!);
    if (!set.has(order[i]!)) sum += 1;
    set.add(order[i]!);
  }
  return sum;
});

console.log(`section tables over 64 TiB (${SECTIONS} sections), medians of ${ROUNDS} rounds`);
line('sections, in order', sections, peerSections, 40);
line('sub-sections, in order', subs, peerSubs, 30);
line('sub-sections, at random', random, peerRandom, 10);
console.log(`  memory                       ${(bytes / MiB).toFixed(2).padStart(7)} MiB   target 8 MiB`);

// The full paths: the memmap of device memory lies on the device, that of System RAM in its own blocks.
const device = bootMachine({ profile, ram: [{ start: 0, end: 2 * GiB, nid: 0 }], quietLog: true });
const altmap = allocAltmap(device, { base: 0, end: SIZE, reserve: 0, free: SIZE / 4096 });
const [from, count] = [(128 * GiB) / 4096, (60 * TiB) / 4096];
const add: number[] = [];
const remove: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  let started = performance.now();
  if (addPages(device, 0, from, count, altmap) !== 0) wrong('addPages failed');
  add.push(count / 32768 / (performance.now() - started) / 1000);
  started = performance.now();
  removePages(device, from, count, altmap);
  remove.push(count / 32768 / (performance.now() - started) / 1000);
}
console.log(`full paths, 60 TiB: __add_pages ${median(add).toFixed(2)} M sections/s, __remove_pages ${median(remove).toFixed(2)} M sections/s`);
const ram = bootMachine({ profile, ram: [{ start: 0, end: 2 * GiB, nid: 0 }], quietLog: true, memmapOnMemory: true, autoOnline: 'online_movable', geometry: { memoryBlockSize: 2 * GiB } });
let started = performance.now();
if (runStraight(addMemory(ram, 1, 128 * GiB, 8 * TiB, MHP.memmapOnMemory)) !== 0) wrong('add_memory failed');
const online = performance.now() - started;
started = performance.now();
if (runStraight(removeMemory(ram, 128 * GiB, 8 * TiB)) !== -16) wrong('remove_memory of online memory did not refuse');
console.log(`full paths, 8 TiB of System RAM in blocks of 2 GiB, memmap_on_memory: add and online ${online.toFixed(0)} ms (${((8 * TiB) / (128 * MiB) / online).toFixed(0)} k sections/s), ${((ram.heap.used * 4) / MiB).toFixed(0)} MiB of heap`);
