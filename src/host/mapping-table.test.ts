import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countOf, mappingAt, mappingsOf, rangeAt, tableOf } from './mapping-table.ts';
import type { Mapping } from './processes.ts';

const file = fc.constantFrom({ dev: '259:0', ino: 12, name: '/mnt/a' }, { dev: '259:0', ino: 12, name: '/mnt/a (deleted)' }, { dev: '0:6', ino: 7, name: '/dev/dax0.0', rdev: '251:0' }, { dev: '0:6', ino: 7, name: '/dev/dax0.0' });
const mapping: fc.Arbitrary<Mapping> = fc.record({ start: fc.maxSafeNat(), end: fc.maxSafeNat(), offset: fc.maxSafeNat(), perms: fc.constantFrom('rw-s', 'r--p', '---p') }).chain((range) => file.map((of) => ({ ...range, ...of })));

test('a table has the mappings that it was made of, in their order', () => {
  fc.assert(fc.property(fc.array(mapping, { maxLength: 30 }), (mappings) => {
    const table = tableOf(mappings);
    assert.deepEqual(mappingsOf(table), mappings);
    assert.equal(countOf(table), mappings.length);
    for (const [i, { start, end, perms, offset }] of mappings.entries()) assert.deepEqual([rangeAt(table, i), mappingAt(table, i)], [{ start, end, perms, offset }, mappings[i]]);
    // And after its way between threads.
    assert.deepEqual(mappingsOf(structuredClone(table)), mappings);
  }));
});
