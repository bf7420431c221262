import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { missing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { tableOf } from '../../host/mapping-table.ts';
import type { Mapping } from '../../host/processes.ts';
import type { DeviceIndex } from './device-index.ts';
import { heldAmong, heldInTable, type Held } from './held-mapping.ts';

const host = { files: { stat: (path: string) => (path.endsWith('/mnt/really (deleted)') ? { dev: '259:0', ino: 3 } : missing('absent', path)) } } as unknown as Host;
const IDS: Readonly<Record<string, readonly string[]>> = { '259:0': ['a'], '259:1': ['a', 'b'], '251:0': ['dax'] };
const index = { ofMapping: ({ dev, rdev }: Mapping) => [...(IDS[dev] ?? []), ...(IDS[rdev ?? ''] ?? [])] } as unknown as DeviceIndex;

const file = fc.constantFrom(
  { dev: '259:0', ino: 1, name: '/mnt/a' }, { dev: '259:0', ino: 1, name: '/mnt/a (deleted)' }, { dev: '259:0', ino: 3, name: '/mnt/really (deleted)' }, { dev: '259:1', ino: 4, name: '/mnt/b' },
  { dev: '0:6', ino: 7, name: '/dev/dax0.0', rdev: '251:0' }, { dev: '8:1', ino: 9, name: '/lib/libc.so' }, { dev: '0:8', ino: 5, name: 'socket:[5]' }, { dev: '0:9', ino: 6, name: '/[aio] (deleted)' },
);
const mapping: fc.Arbitrary<Mapping> = fc.record({ start: fc.nat(), end: fc.nat(), offset: fc.nat(), perms: fc.constantFrom('rw-s', 'r--p') }).chain((range) => file.map((of) => ({ ...range, ...of })));

const plain = ({ byDevice, rings }: Held): unknown => [[...byDevice].map(([id, { list }]) => [id, list]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)), rings];

test('a table tells of the same holdings as the mappings that it was made of', () => {
  fc.assert(fc.property(fc.array(mapping, { maxLength: 20 }), (mappings) => {
    assert.deepEqual(plain(heldInTable(host, index, 10, tableOf(mappings))), plain(heldAmong(host, index, 10, mappings)));
  }));
});
