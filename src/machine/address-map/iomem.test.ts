import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Resource } from '../types/address-map.ts';
import { parseIomem, systemRam, walkResources } from './iomem.ts';

const node = (depth: number): fc.Arbitrary<{ size: number; name: string; children: unknown[] }> => fc.record({
  size: fc.integer({ min: 4, max: 64 }),
  name: fc.stringMatching(/^[A-Za-z][A-Za-z0-9 .:()]{0,20}[a-z0-9)]$/),
  children: depth === 0 ? fc.constant([]) : fc.array(node(depth - 1), { maxLength: 2 }),
});

/** Lays a random tree out: children side by side inside their parent. */
function place(tree: { size: number; name: string; children: unknown[] }, start: number): Resource {
  let at = start;
  const children = (tree.children as (typeof tree)[]).map((child) => {
    const placed = place(child, at);
    at = placed.end;
    return placed;
  });
  return { start, end: Math.max(at, start + tree.size), name: tree.name, children };
}

function print(resources: readonly Resource[], depth = 0): string {
  return resources.map((r) => `${'  '.repeat(depth)}${r.start.toString(16).padStart(8, '0')}-${(r.end - 1).toString(16).padStart(8, '0')} : ${r.name}\n${print(r.children, depth + 1)}`).join('');
}

test('a printed tree is read back as it was', () => {
  fc.assert(fc.property(fc.array(node(3), { minLength: 1, maxLength: 4 }), (trees) => {
    let at = 4096;
    const placed = trees.map((tree) => {
      const resource = place(tree, at);
      at = resource.end;
      return resource;
    });
    const read = parseIomem(print(placed));
    assert.deepEqual(read, { resources: placed, hidden: false, badLines: [] });
  }));
});

test('any text is read without a throw, and every resource has a size', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    for (const { resource } of walkResources(parseIomem(text).resources)) assert.ok(resource.end > resource.start);
  }));
});

test('zeros for an ordinary user are hidden addresses, not memory at zero', () => {
  const read = parseIomem('00000000-00000000 : Reserved\n00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n');
  assert.deepEqual(read, { resources: [], hidden: true, badLines: [] });
});

test('lines that are no resource are counted, and the others are kept', () => {
  const read = parseIomem('00001000-00001fff : System RAM\nnonsense\n00003000-00002000 : backwards\nfffffffffffff000-ffffffffffffffff : beyond\n');
  assert.deepEqual(read.badLines, [2, 3, 4]);
  assert.equal(read.resources.length, 1);
});

test('a level that is skipped hangs on the last one there is', () => {
  const [top] = parseIomem('00001000-00001fff : a\n      00001000-000010ff : deep\n').resources;
  assert.equal(top?.children[0]?.name, 'deep');
});

test('System RAM is found whoever added it', () => {
  const map = { resources: parseIomem('1000-1fff : System RAM\n2000-2fff : dax0.0\n  2000-2fff : System RAM (kmem)\n3000-3fff : virtio1\n  3000-3fff : System RAM (virtio_mem)\n').resources, hidden: false };
  assert.deepEqual(systemRam(map).map((r) => r.start), [0x1000, 0x2000, 0x3000]);
});
