import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Profile } from '../../../profile/profile.ts';
import { RELEASES } from '../../../profile/releases/index.ts';
import { GiB, MiB } from '../../../range/units.ts';
import { EINVAL, ENXIO, EOPNOTSUPP } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { MEMORY_DEVICE, memremapPages } from '../../mm/memremap.ts';
import { bootMachine } from '../../setup/boot-machine.ts';
import { mapRawNamespace, ndPfnClaim, ndPfnInit, usableBytes, type Claimed, type InfoBlock } from './pfn_devs.ts';

const profileOf = (name: string): Profile => RELEASES.find((p) => p.name === name)!;
/** RAM to 1 GiB less 32 MiB, so that a section at its end is shared. */
const boot = (name: string, geometry = {}): Kernel => bootMachine({ profile: profileOf(name), ram: [{ start: 0, end: GiB - 32 * MiB, nid: 0 }], geometry });
const SHARED = { start: GiB - 32 * MiB, end: 2 * GiB };
const ALONE = { start: 4 * GiB, end: 5 * GiB };
const write = (k: Kernel, range: typeof SHARED, mode: 'ram' | 'pmem' = 'ram', align = 2 * MiB): InfoBlock => {
  const sb = ndPfnInit(k, { name: 'pfn0.0', range, mode, align });
  assert.ok(typeof sb !== 'number', String(sb));
  return sb;
};
const map = (k: Kernel, claimed: Claimed): number =>
  memremapPages(k, { startPfn: claimed.mapped.start / 4096, endPfn: claimed.mapped.end / 4096, dataPfn: claimed.blockData / 4096, type: MEMORY_DEVICE.fsdax });

test('7c: 5.2 pads a namespace that shares a section with RAM, and can then map it; without the padding it could not', () => {
  const k = boot('5.2');
  const sb = write(k, SHARED);
  assert.equal(sb.startPad, 32 * MiB);
  assert.ok(k.log.has('alignment collision, truncate 33554432 bytes'));
  const claimed = ndPfnClaim(k, 'pfn0.0', SHARED, sb);
  assert.ok(typeof claimed !== 'number' && map(k, claimed) > 0);
  assert.equal(claimed.mapped.start, GiB);
  const raw = boot('5.2');
  assert.equal(memremapPages(raw, { startPfn: SHARED.start / 4096, endPfn: SHARED.end / 4096, dataPfn: SHARED.start / 4096, type: MEMORY_DEVICE.fsdax }), -ENXIO);
});

test('7c: 5.2 truncates at the end, for a neighbour too', () => {
  const k = boot('5.2');
  const sb = ndPfnInit(k, { name: 'pfn0.0', range: { start: 4 * GiB, end: 5 * GiB + 16 * MiB }, mode: 'ram', align: 2 * MiB, neighbours: [{ start: 5 * GiB + 16 * MiB, end: 6 * GiB }] });
  assert.ok(typeof sb !== 'number');
  assert.equal(sb.endTrunc, 16 * MiB);
});

test('7c: 5.3 and later pad nothing: the same namespace is used whole', () => {
  for (const name of ['5.10', '6.1', '6.12', '7.2']) {
    const k = boot(name);
    const sb = write(k, SHARED);
    assert.deepEqual([sb.startPad, sb.endTrunc], [0, 0]);
    const claimed = ndPfnClaim(k, 'pfn0.0', SHARED, sb);
    assert.ok(typeof claimed !== 'number' && map(k, claimed) > 0);
    assert.equal(usableBytes(k, claimed), GiB + 30 * MiB);
  }
});

test('7d: accepted: a block without padding reads the same in every generation', () => {
  for (const writer of ['5.2', '5.10', '7.2']) {
    for (const reader of ['5.2', '5.10', '6.1', '6.12', '7.2']) {
      const sb = write(boot(writer), ALONE, 'pmem');
      const k = boot(reader);
      const claimed = ndPfnClaim(k, 'pfn0.0', ALONE, sb);
      assert.ok(typeof claimed !== 'number', `${writer} to ${reader}`);
      assert.equal(claimed.blockData, claimed.daxData);
      assert.ok(map(k, claimed) > 0);
      assert.equal(sb.minor, writer === '7.2' || writer === '5.10' ? 4 : 3);
    }
  }
});

test('7d: shifted: a padded block is read by later kernels, but block I/O and the DAX path see different bytes', () => {
  const sb = write(boot('5.2'), SHARED);
  for (const reader of ['5.2', '5.10', '6.12', '7.2']) {
    const k = boot(reader);
    const claimed = ndPfnClaim(k, 'pfn0.0', SHARED, sb);
    assert.ok(typeof claimed !== 'number');
    assert.ok(map(k, claimed) > 0);
    assert.equal(claimed.blockData - claimed.daxData, 32 * MiB, reader);
  }
});

test('7d: refused: other page sizes, by kernels that record them; older ones take the block as it is', () => {
  const sb = write(boot('7.2'), ALONE);
  const geometry = { pageSize: 65536, sectionSize: 512 * MiB, memoryBlockSize: 512 * MiB };
  const arm = boot('7.2', geometry);
  assert.equal(ndPfnClaim(arm, 'pfn0.0', ALONE, sb), -EOPNOTSUPP);
  assert.ok(arm.log.has('init failed, page size mismatch 4096'));
  assert.equal(typeof ndPfnClaim(boot('5.2', geometry), 'pfn0.0', ALONE, sb), 'object');
  assert.equal(ndPfnClaim(boot('7.2'), 'pfn0.0', ALONE, { ...sb, pageStructSize: 56 }), -EOPNOTSUPP);
  assert.equal(typeof ndPfnClaim(boot('7.2', geometry), 'pfn0.0', ALONE, write(boot('5.2'), ALONE)), 'object');
});

test('7d: refused: a block whose padded start or end is no multiple of 2 MiB, by 5.7 and later', () => {
  const odd = { start: 4 * GiB + MiB, end: 5 * GiB };
  assert.equal(ndPfnInit(boot('7.2'), { name: 'pfn0.0', range: odd, mode: 'ram', align: 4096 }), -EINVAL);
  const sb: InfoBlock = { ...write(boot('5.2'), ALONE, 'ram', 4096), dataoff: 2 * MiB };
  const k = boot('7.2');
  assert.equal(ndPfnClaim(k, 'pfn0.0', odd, sb), -EOPNOTSUPP);
  assert.ok(k.log.has('resource start misaligned'));
  assert.equal(ndPfnClaim(boot('7.2'), 'pfn0.0', { start: 4 * GiB, end: 5 * GiB + MiB }, sb), -EOPNOTSUPP);
  assert.equal(typeof ndPfnClaim(boot('5.2'), 'pfn0.0', odd, sb), 'object');
});

test('7b: a raw namespace that is not made of sub-sections is refused by name', () => {
  const k = boot('7.2');
  assert.equal(mapRawNamespace(k, 'namespace0.0', { start: 0x46110000, end: 0x49d11000 }), -EOPNOTSUPP);
  assert.ok(k.log.has('misaligned, unable to map'));
  assert.equal(mapRawNamespace(boot('5.2'), 'namespace0.0', { start: 0x46110000, end: 0x49d11000 }), 0);
});

test('7d: what a generation writes it reads, whole inside the namespace, whatever the range', () => {
  fc.assert(fc.property(fc.constantFrom('5.2', '5.10', '7.2'), fc.nat(200), fc.integer({ min: 8, max: 300 }), fc.constantFrom('ram' as const, 'pmem' as const), (name, at, size, mode) => {
    const range = { start: 2 * GiB + at * 2 * MiB, end: 2 * GiB + (at + size) * 2 * MiB };
    const k = boot(name);
    const sb = ndPfnInit(k, { name: 'pfn0.0', range, mode, align: 2 * MiB });
    if (typeof sb === 'number') return;
    const claimed = ndPfnClaim(k, 'pfn0.0', range, sb);
    assert.ok(typeof claimed !== 'number');
    assert.ok(claimed.mapped.start >= range.start && claimed.mapped.end <= range.end);
    assert.ok(claimed.blockData + usableBytes(k, claimed) <= claimed.mapped.end && usableBytes(k, claimed) > 0);
    assert.ok(map(k, claimed) > 0);
  }), { numRuns: 60 });
});
