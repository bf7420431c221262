import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PhysicalMap } from '../../machine/address-map/physical-map.ts';
import type { Segment, SegmentKind } from '../../machine/address-map/segments.ts';
import { GiB, MiB, TiB } from '../../range/units.ts';
import { areasOf, cellSize, drawMap, LOOKS } from './map-picture.ts';
import { mapText } from './map.ts';
import { item, table, wrap } from './table.ts';

const page = { width: 80, style: (_: string, text: string) => text };
const segment = (kind: SegmentKind, start: number, end: number, device: string | null = null): Segment => ({ start, end, kind, names: [kind], device });
const mapOf = (segments: Segment[], more: Partial<PhysicalMap> = {}): PhysicalMap => ({ host: { kind: 'capture', label: 'x' }, source: 'iomem', range: null, sectionSize: 128 * MiB, blockSize: 128 * MiB, segments, blocks: [], collisions: [], notes: [], ...more });

test('no line is wider than the page, whatever the map and the width', () => {
  const kinds = Object.keys(LOOKS).filter((k) => k !== 'hole' && k !== 'several') as SegmentKind[];
  const piece = fc.tuple(fc.constantFrom(...kinds), fc.nat(400), fc.integer({ min: 1, max: 3000 }), fc.boolean());
  fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 60, max: 160 }), (pieces, width) => {
    let at = 0;
    const segments = pieces.map(([kind, gap, size, owned], i) => {
      const start = at + gap * MiB;
      at = start + size * MiB;
      return segment(kind, start, at, owned ? `d:${i}` : null);
    });
    const { lines } = drawMap(mapOf(segments), { ...page, width });
    for (const line of lines) assert.ok(line.length <= width, `${line.length}: ${line}`);
  }));
});

test('memory that does not fit its scale is seen: two owners in one cell are a #', () => {
  const { lines, used } = drawMap(mapOf([segment('ram', 0, 3 * TiB), segment('pmem', 3 * TiB, 3 * TiB + 16 * MiB, 'fsdax:a'), segment('ram', 3 * TiB + 16 * MiB, 4 * TiB)]), page);
  assert.ok(used.has('several'));
  assert.ok(lines.some((line) => line.includes('#')));
});

test('an area takes at most 16 rows, a small range is drawn finer', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 22 }), (mib) => {
    const cell = cellSize({ start: 0, end: mib * MiB }, 64);
    assert.ok(Math.ceil((mib * MiB) / (cell * 64)) <= 16 && Number.isInteger(Math.log2(cell)));
  }));
  assert.equal(cellSize({ start: 0, end: 2 * MiB }, 64), 8192);
});

test('areas are runs of sections with memory; registers and empty windows are not drawn', () => {
  const areas = areasOf(mapOf([segment('ram', 1 * MiB, 130 * MiB), segment('device', 1 * GiB, 2 * GiB), segment('cxl-window', 4 * GiB, 4 * TiB), segment('kmem', 8 * TiB, 8 * TiB + 128 * MiB, 'kmem:a')]));
  assert.deepEqual(areas, [{ start: 0, end: 256 * MiB }, { start: 8 * TiB, end: 8 * TiB + 128 * MiB }]);
});

test('colour repeats what the letters say and adds no other character', () => {
  const map = mapOf([segment('ram', 0, 128 * MiB), segment('pmem', 128 * MiB, 256 * MiB, 'fsdax:a')]);
  const coloured = mapText(map, { ...page, style: (_, text) => `\u001b[36m${text}\u001b[39m` });
  assert.equal(coloured.replace(/\u001b\[\d+m/g, ''), mapText(map, page));
});

test('a table keeps its columns, wraps the last one, and never cuts a word', () => {
  const lines = table(['NAME', 'SIZE', 'USE'], [['pmem0', '1 GiB', 'a b c d e f g h i j k l m n o p'], ['x', '10 GiB', 'averyveryverylongwordthatstaysinonepiece']], { width: 40, right: [1] });
  assert.deepEqual(lines, ['NAME     SIZE  USE', 'pmem0   1 GiB  a b c d e f g h i j k l m', '               n o p', 'x      10 GiB  averyveryverylongwordthatstaysinonepiece']);
});

test('on a narrow page the last column stands below the others; a row without text has no line of its own for it', () => {
  const lines = table(['EFFECT', 'HOW SURE', 'WHY'], [['stale-mapping', 'certain', 'one two three four five six seven'], ['sigbus', 'certain', '']], { width: 36, indent: 2 });
  assert.deepEqual(lines, ['  EFFECT         HOW SURE  WHY', '  stale-mapping  certain', '      one two three four five six', '      seven', '  sigbus         certain']);
  assert.ok(lines.every((line) => line.length <= 36));
});

test('wrapping loses no word', () => {
  fc.assert(fc.property(fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1 }), fc.integer({ min: 1, max: 30 }), (words, width) => {
    assert.equal(wrap(words.join(' '), width).join(' '), words.join(' '));
    assert.equal(item(words.join(' '), width + 24).split(/\s+/).filter((w) => w !== '' && w !== '-').join(' '), words.join(' '));
  }));
});

test('where addresses are hidden, what lies between memory is not called nothing', () => {
  const apart = [segment('ram', 0, GiB), segment('ram', 4 * GiB, 5 * GiB)];
  const between = (map: PhysicalMap): string => drawMap(map, page).lines.find((line) => line.includes('~')) ?? '';
  assert.match(between(mapOf(apart)), /: nothing$/);
  assert.match(between(mapOf(apart, { source: 'memory-blocks' })), /: not known$/);
});
