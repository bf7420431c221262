/** Every row of docs/kernel-truth part B, section 4 (layouts A to E) and the 126 MiB of section 3. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { profileByName } from '../../profile/select.ts';
import { rangeSize } from '../../range/phys-range.ts';
import { geometryOf, MiB } from '../../range/units.ts';
import { layout } from './layout.ts';
import { parseRange } from './parse-range.ts';
import type { LayoutMode, ModeVerdict, RangeVerdict } from './types.ts';

const geometry = geometryOf('x86_64', 4096);
assert.ok(geometry);
const machine = { geometry, blockSize: 128 * MiB };
/** RAM of the measured guests. */
const RAM = 'ram:0x100000-0x7ffdafff';

function on(profile: string, ...ranges: string[]) {
  const p = profileByName(profile);
  assert.ok(p);
  const [generation] = layout(ranges.map((r) => parseRange(r)), machine, [p]).generations;
  assert.ok(generation);
  return generation;
}

function mode(verdict: RangeVerdict | undefined, name: LayoutMode, by: ModeVerdict['by']): ModeVerdict {
  const found = verdict?.modes.find((m) => m.mode === name && m.by === by);
  assert.ok(found, `${name} by ${by}`);
  return found;
}
const bytes = (m: ModeVerdict): number => (m.usable ? rangeSize(m.usable) : -1);
const error = (m: ModeVerdict): string => m.errors.map((e) => e.text).join('; ');

const MEASURED = ['5.10', '6.1', '6.12', '7.2'];

test('A: 64 MiB at 0x46000000 beside RAM in blocks 8 and 9 works in every mode', () => {
  for (const profile of MEASURED) {
    const g = on(profile, RAM, '64M!0x46000000');
    const [r] = g.ranges;
    assert.equal(r?.fits, 'yes');
    assert.equal(bytes(mode(r, 'raw', 'boot')), 67108864);
    assert.equal(bytes(mode(r, 'fsdax-mem', 'ndctl')), 67108864);
    assert.equal(bytes(mode(r, 'fsdax-dev', 'ndctl')), 65011712);
    assert.equal(mode(r, 'fsdax-dev', 'ndctl').usable?.start, 0x46000000 + 2 * MiB, 'data at +2 MiB');
    assert.equal(bytes(mode(r, 'devdax', 'ndctl')), 65011712);
    assert.deepEqual(g.blocks.filter((b) => b.foreign.some((f) => f.what === 'pmem')).map((b) => [b.index, b.canGoOffline]), [[8, false], [9, false]]);
    assert.match(g.blocks.find((b) => b.index === 8)?.because ?? '', /EINVAL/);
  }
});

test('A on 5.2: both ends collide with RAM, nothing is left', () => {
  const [r] = on('5.2', RAM, '64M!0x46000000').ranges;
  assert.equal(r?.fits, 'no');
  assert.equal(error(mode(r, 'raw', 'boot')), 'devm_memremap_pages attempted on mixed region [mem 0x46000000-0x49ffffff flags 0x200]');
  const fsdax = mode(r, 'fsdax-mem', 'ndctl');
  assert.equal(fsdax.lostAtStart, 32 * MiB);
  assert.equal(fsdax.lostAtEnd, 32 * MiB);
  assert.match(fsdax.remark ?? '', /alignment collision, truncate 67108864 bytes/);
  assert.match(error(fsdax), /unable to satisfy requested alignment/);
});

test('B: neither start nor size 2 MiB aligned: refused, with the exact texts', () => {
  for (const profile of ['5.10', '6.12', '7.2']) {
    const g = on(profile, RAM, '0x46110000+0x3c01000');
    const [r] = g.ranges;
    assert.equal(r?.fits, 'no');
    assert.equal(error(mode(r, 'raw', 'boot')), 'nd_pmem namespace0.0: [mem 0x46110000-0x49d10fff flags 0x200] misaligned, unable to map');
    assert.equal(mode(r, 'raw', 'boot').errors[0]?.code, 'EOPNOTSUPP');
    for (const m of ['fsdax-mem', 'fsdax-dev', 'devdax'] as const) {
      assert.equal(error(mode(r, m, 'ndctl')), 'Error: create namespace: region0: align setting is 0x1000000 size 0x3c01000 is misaligned');
      assert.equal(mode(r, m, 'ndctl').errors[0]?.code, '234');
    }
    assert.equal(error(mode(r, 'fsdax-mem', 'sysfs')), 'nd_pmem pfn0.0: namespace0.0: start 0x0000000046110000 misaligned to 0x200000');
    assert.ok(g.blocks.some((b) => b.index === 8 && !b.canGoOffline));
  }
});

test('C: two pmem in one section, no RAM: both live at once in every mode', () => {
  const g = on('7.2', 'ram:0x100000-0x47ffffff', 'ram:0x50000000-0x7ffdafff', 'reserved:0x48000000-0x4fffffff', '32M!0x48000000', '32M!0x4b000000');
  assert.deepEqual(g.ranges.map((r) => [r.fits, bytes(mode(r, 'raw', 'boot')), bytes(mode(r, 'fsdax-mem', 'ndctl')), bytes(mode(r, 'devdax', 'ndctl'))]),
    [['yes', 33554432, 33554432, 31457280], ['yes', 33554432, 33554432, 31457280]]);
  assert.ok(g.ranges.every((r) => r.neighbours.every((n) => !n.collides)));
  assert.ok(!g.blocks.some((b) => b.index === 9), 'block 9 holds no RAM: it has no memory9');
});

test('E: pmem, RAM, pmem, RAM in one section: as C, and the block cannot go offline', () => {
  for (const profile of ['5.10', '7.2']) {
    const g = on(profile, RAM, '32M!0x48000000', '32M!0x4c000000');
    assert.deepEqual(g.ranges.map((r) => [r.fits, bytes(mode(r, 'raw', 'boot')), bytes(mode(r, 'fsdax-dev', 'ndctl'))]), [['yes', 33554432, 31457280], ['yes', 33554432, 31457280]]);
    assert.equal(g.blocks.find((b) => b.index === 9)?.canGoOffline, false);
  }
});

test('D: two pmem that meet in one sub-section are never both mapped', () => {
  for (const profile of ['5.10', '7.2']) {
    const g = on(profile, 'reserved:0x48000000-0x4fffffff', '33M!0x48000000', '0x4a101000+0x1fff000');
    const [first, second] = g.ranges;
    assert.equal(error(mode(first, 'raw', 'boot')), 'nd_pmem namespace0.0: [mem 0x48000000-0x4a0fffff flags 0x200] misaligned, unable to map', 'its end is misaligned');
    assert.match(error(mode(second, 'raw', 'boot')), /namespace1\.0: \[mem 0x4a101000-0x4c0fffff flags 0x200\] misaligned, unable to map/);
    assert.match(error(mode(first, 'devdax', 'ndctl')), /region0: align setting is 0x1000000 size 0x2100000 is misaligned/);
    assert.match(error(mode(second, 'devdax', 'ndctl')), /region1: align setting is 0x1000000 size 0x1fff000 is misaligned/);
    const byHand = mode(first, 'fsdax-mem', 'sysfs');
    assert.deepEqual([bytes(byHand), byHand.usable?.start, byHand.lostAtEnd], [31457280, 0x48200000, MiB]);
    assert.match(error(mode(second, 'fsdax-mem', 'sysfs')), /start 0x000000004a101000 misaligned to 0x200000/);
    assert.deepEqual([first?.fits, second?.fits], ['partly', 'no']);
    assert.ok(first?.neighbours.some((n) => n.collides && n.sameSubSection));
  }
});

test('section 3: 512 MiB as device-dax yields 384 MiB of System RAM, 126 MiB are lost, and only 7.2 says so', () => {
  for (const profile of ['5.10', '6.12', '7.2']) {
    const asRam = on(profile, '0x100000000-0x11fffffff').ranges[0]?.asRam;
    assert.deepEqual(asRam?.from, { start: 0x100200000, end: 0x120000000 });
    assert.deepEqual([asRam?.blocks, asRam?.bytes, asRam?.lost], [3, 384 * MiB, 126 * MiB]);
    assert.deepEqual(asRam?.range, { start: 0x108000000, end: 0x120000000 });
    assert.equal(asRam?.says, profile === '7.2' ? 'kmem dax0.0: DAX region truncated by 126 MiB due to alignment' : null);
  }
});

test('a block of 2 GiB takes nothing from 512 MiB', () => {
  const p = profileByName('7.2');
  assert.ok(p);
  const r = layout([parseRange('512M!4G')], { geometry, blockSize: 2048 * MiB }, [p]).generations[0]?.ranges[0];
  assert.deepEqual([r?.asRam.blocks, r?.asRam.lost], [0, 510 * MiB]);
});

test('5.2: the second of two pmem in one section conflicts; alone in its sections nothing is padded', () => {
  const two = on('5.2', '32M!0x48000000', '32M!0x4b000000').ranges;
  assert.equal(mode(two[0], 'raw', 'boot').works, true);
  assert.equal(error(mode(two[1], 'raw', 'boot')), 'nd_pmem namespace1.0: Conflicting mapping in same section');
  const [alone] = on('5.2', '0x100000000-0x11fffffff').ranges;
  assert.deepEqual([alone?.fits, mode(alone, 'devdax', 'ndctl').lostAtStart, mode(alone, 'devdax', 'ndctl').lostAtEnd], ['yes', 0, 0]);
});

test('a memory block with a hole (last block of the measured guests) cannot go offline', () => {
  const g = on('7.2', RAM);
  assert.deepEqual(g.blocks.map((b) => [b.index, b.foreign.map((f) => f.what)]), [[0, ['hole']], [15, ['hole']]]);
});

test('profiles that answer alike are one generation', () => {
  const report = layout([parseRange(RAM), parseRange('64M!0x46000000')], machine);
  assert.deepEqual(report.generations.map((g) => g.profiles.join(' ')), ['5.2', '5.10 6.1 6.12 6.18 7.2 7.3']);
});

test('ranges that claim the same bytes are named', () => {
  const { overlaps } = layout([parseRange('64M!0x46000000'), parseRange('64M!0x48000000')], machine);
  assert.deepEqual(overlaps.map((o) => o.common), [{ start: 0x48000000, end: 0x4a000000 }]);
});

test('whatever the ranges, usable bytes lie inside the range and nothing throws', () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 1, max: 300_000 }), fc.constantFrom('pmem', 'ram', 'reserved'))
    .map(([start, pages, kind]) => parseRange(`${kind}:${start * 4096}+${pages * 4096}`));
  fc.assert(fc.property(fc.array(range, { minLength: 1, maxLength: 5 }), (ranges) => {
    for (const g of layout(ranges, machine).generations) {
      for (const r of g.ranges) {
        for (const m of r.modes) {
          assert.equal(m.works, m.errors.length === 0);
          if (m.usable) assert.ok(r.range.start <= m.usable.start && m.usable.start < m.usable.end && m.usable.end <= r.range.end);
        }
        assert.equal(r.asRam.bytes % machine.blockSize, 0);
      }
    }
  }));
});
