import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Device } from '../types/device.ts';
import { draft } from './draft.ts';
import { editDistance, findDevice } from './find.ts';

const device = (kind: Device['kind'], name: string, aliases: string[], idName?: string): Device => draft(kind, name, { aliases, use: 'x', path: '/x' }, idName);
const machine = {
  slots: [{ name: '4', address: null, power: false, attention: null, adapter: false, latch: null, driver: null, functions: [], path: '/sys/bus/pci/slots/4' }],
  devices: [
    device('fsdax', 'pmem0', ['namespace0.0', '/dev/pmem0', '/mnt', '/m\xc3\xbcll'], 'namespace0.0'),
    device('devdax', 'dax0.0', ['/dev/dax0.0', 'namespace0.1']), device('devdax', 'dax0.3', ['dax0.0']),
    device('nvdimm-region', 'region0', ['nvdimm:region0', 'nmem0']), device('nvdimm-region', 'region1', ['nvdimm:region1', 'nmem0']), device('cxl-region', 'region0', ['cxl:region0']),
    device('cxl-memdev', 'mem0', ['0000:0d:00.0']), device('memory-block', 'memory42', []),
  ],
};
const code = (name: string): UnseatError => {
  try {
    findDevice(machine, name);
  } catch (error) {
    if (error instanceof UnseatError) return error;
  }
  return assert.fail(`${name} was found`);
};

test('every name of a device finds it', () => {
  const names = { 'pmem0': 'fsdax:namespace0.0', '/mnt': 'fsdax:namespace0.0', '/mnt/': 'fsdax:namespace0.0', '/müll': 'fsdax:namespace0.0', 'memory42': 'memory-block:memory42', '0d:00.0': 'cxl-memdev:mem0', 'cxl:region0': 'cxl-region:region0', 'devdax:dax0.3': 'devdax:dax0.3' };
  for (const [name, id] of Object.entries(names)) assert.equal(findDevice(machine, name).id, id, name);
});

test('a name that two devices have, by name or alias, is ambiguous and says how to choose', () => {
  assert.deepEqual([code('region0').code, code('region0').facts.next], ['AMBIGUOUS', 'Say which one: nvdimm:region0 or cxl:region0.']);
  assert.deepEqual(code('nmem0').facts.data, { candidates: ['nvdimm-region:region0', 'nvdimm-region:region1'] });
});

test('a name comes before an alias of another device', () => assert.equal(findDevice(machine, 'dax0.0').id, 'devdax:dax0.0'));

test('an unknown name offers the nearest; an empty slot is said to be empty', () => {
  assert.equal(code('pmen0').code, 'NOT_FOUND');
  assert.deepEqual(code('pmen0').facts.data?.['nearest'], ['pmem0', 'mem0', 'nmem0']);
  assert.match(code('4').message, /slot holds no memory device/);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => {
    try {
      findDevice(machine, name);
    } catch (error) {
      assert.ok(error instanceof UnseatError);
    }
  }));
});

test('the distance is a metric', () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(fc.property(word, word, word, (a, b, c) => {
    assert.equal(editDistance(a, a), 0);
    assert.equal(editDistance(a, b), editDistance(b, a));
    assert.ok(editDistance(a, c) <= editDistance(a, b) + editDistance(b, c));
    if (a !== b) assert.ok(editDistance(a, b) > 0);
  }));
});
