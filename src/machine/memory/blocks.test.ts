import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing } from '../../host/fact.ts';
import type { Host, HostKind } from '../../host/host.ts';
import { openLive } from '../../host/live/open.ts';
import { parseIomem, readAddressMap } from '../address-map/iomem.ts';
import { Reader } from '../reader.ts';
import { MEMORY, readBlocks, readBlockSize } from './blocks.ts';

const hostOf = (kind: HostKind, files: Readonly<Record<string, string>>, read: string[] = []): Host => ({
  kind,
  identity: { release: '6.12.1' },
  files: {
    text: (path: string) => { read.push(path.replace(`${MEMORY}/`, '')); return files[path.replace(`${MEMORY}/`, '')] ?? missing('absent', path); },
    list: (path: string) => (path === MEMORY ? ['memory1', 'memory2', 'memory3', 'memory4'] : missing('absent', path)),
  },
}) as unknown as Host;

const FILES = {
  'memory1/valid_zones': 'Movable', 'memory1/state': 'online', 'memory2/valid_zones': 'Normal Movable', 'memory2/state': 'going-offline',
  'memory3/valid_zones': 'none', 'memory3/state': 'online', 'memory4/valid_zones': 'Normal Movable', 'memory4/state': 'resting', 'memory1/removable': '1',
};

test('one zone alone says online on a live machine; the state of every other block, and all of a capture, is read', () => {
  for (const kind of ['live', 'capture'] as const) {
    const read: string[] = [];
    const reader = new Reader(hostOf(kind, FILES, read));
    assert.deepEqual(readBlocks(reader, 1 << 27, parseIomem('')).map(({ state }) => state), ['online', 'going-offline', 'online', 'unknown']);
    assert.equal(read.includes('memory1/state'), kind === 'capture');
    assert.ok(['memory2/state', 'memory3/state', 'memory4/state'].every((path) => read.includes(path)));
    assert.ok(reader.notes().some(({ subject }) => subject === `${MEMORY}/memory4/state`));
  }
});

test('on this machine: the state of each block is what its file says', (t) => {
  const host = openLive();
  t.after(() => host.close());
  const reader = new Reader(host);
  const blocks = readBlocks(reader, readBlockSize(reader), readAddressMap(reader));
  if (blocks.length === 0) return t.skip('this kernel has no memory blocks');
  assert.deepEqual(blocks.map(({ state }) => state), blocks.map(({ index }) => reader.text(`${MEMORY}/memory${index}/state`) ?? 'unknown'));
});
