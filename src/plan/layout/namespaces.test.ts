/** Label namespaces: the rows of docs/kernel-truth part B, section 4, "Labels on the NVDIMM". */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeSize } from '../../range/phys-range.ts';
import { KiB, MiB } from '../../range/units.ts';
import { carveNamespaces, parseNamespace } from './namespaces.ts';

const REGION = { start: 0x100000000, end: 0x120000000 };
const carve = (texts: string[], regionAlign?: number) => carveNamespaces(REGION, texts.map(parseNamespace), 4096, regionAlign);
const usable = (texts: string[], regionAlign?: number) => carve(texts, regionAlign).map((v) => (v.usable ? rangeSize(v.usable) : v.error?.text));

test('sizes that are no multiple of 16 MiB are refused by ndctl', () => {
  const sizes: [string, string][] = [['4M', '0x400000'], ['10M', '0xa00000'], ['18M', '0x1200000'], ['20M:fsdax-mem:4096', '0x1400000']];
  for (const [text, hex] of sizes) {
    const [v] = carve([text]);
    assert.equal(v?.error?.text, `Error: create namespace: region0: align setting is 0x1000000 size ${hex} is misaligned`);
    assert.equal(v?.error?.code, '234');
  }
});

test('16, 16, 16, 32, 32 MiB lie side by side in one section', () => {
  const all = carve(['16M', '16M', '16M:fsdax-dev', '32M:devdax', '32M:fsdax-dev']);
  assert.deepEqual(all.map((v) => v.usable && rangeSize(v.usable)), [14680064, 14680064, 14680064, 31457280, 31457280]);
  assert.deepEqual(all.map((v) => v.range?.start), [0x100000000, 0x101000000, 0x102000000, 0x103000000, 0x105000000]);
  assert.deepEqual(all.map((v) => v.name), ['namespace0.0', 'namespace0.1', 'namespace0.2', 'namespace0.3', 'namespace0.4']);
});

test('16 MiB is too small for a BTT', () => {
  const [v] = carve(['16M:sector']);
  assert.deepEqual([v?.error?.text, v?.error?.code], ['btt0.0: failed to enable', '237']);
});

test('with region/align at 2 MiB 18 MiB works, and the next start is misaligned to 16M', () => {
  for (const align of [2 * MiB, 4 * KiB]) {
    const [first, second] = carve(['18M:fsdax-mem:2M', '18M:fsdax-mem:4096'], align);
    assert.equal(first?.usable && rangeSize(first.usable), 16777216);
    assert.equal(second?.error?.text, 'namespace0.1 misaligned to 16M, adjust region alignment and retry');
    assert.equal(second?.error?.code, '237');
  }
});

test('a refused namespace takes no space; a full region says so', () => {
  assert.deepEqual(usable(['18M', '16M']).slice(1), [14680064]);
  assert.match(String(usable(['512M', '16M'])[1]), /no room left/);
});

test('what is no namespace is refused', () => {
  for (const text of ['', '16M:what', 'x', '16M:devdax:y']) assert.throws(() => parseNamespace(text), { name: 'UnseatError' });
});
