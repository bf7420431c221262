import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineVerbs, distinctFlags, placeholders, withNames, withoutNames } from './verbs-machine.ts';

test('a text names devices, and the kernel its own names for them', () => {
  const text = '/sys/bus/nd/devices/pfn{pmem.number}.0/{pmem}/{card.slot}';
  assert.deepEqual(placeholders(text), ['pmem', 'pmem', 'card']);
  assert.equal(withNames(text, ({ device, what }) => `${device}:${what}`), '/sys/bus/nd/devices/pfnpmem:number.0/pmem:bus/card:slot');
});

test('what was read has the names of the file; a longer name is not taken for a shorter one', () => {
  assert.equal(withoutNames('1', [['gone', '']]), '1');
  assert.equal(withoutNames('dax0.0 dax0.01', [['a', 'dax0.0'], ['b', 'dax0.01']]), '{a} {b}');
});

test('frames are told apart by their flags, without those that come and go', () => {
  const frames = [['UPTODATE', 'REFERENCED'], ['UPTODATE'], ['BUDDY'], [], ['UPTODATE', 'LRU', 'ACTIVE']];
  assert.deepEqual(distinctFlags(frames, { ignore: [] }), ['', 'BUDDY', 'UPTODATE', 'UPTODATE|LRU']);
  assert.deepEqual(distinctFlags(frames, { ignore: ['LRU'], only: ['UPTODATE', ''] }), ['', 'UPTODATE']);
});

test('files outside sysfs, proc and dev, other tools, and other names are refused', () => {
  assert.equal(machineVerbs.get.safeParse({ file: '/etc/passwd' }).success, false);
  assert.equal(machineVerbs.get.safeParse({ file: '/sys/{a.shoe}' }).success, false);
  assert.equal(machineVerbs.get.safeParse({ file: '/proc/iomem', lines: '(' }).success, false);
  assert.equal(machineVerbs.tool.safeParse(['sh', '-c']).success, false);
  assert.equal(machineVerbs.tool.safeParse(['cxl', 'disable-memdev', '{card.memdev}']).success, true);
});
