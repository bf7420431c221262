import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing, type Absence } from '../host/fact.ts';
import type { Host } from '../host/host.ts';
import { noteUnclaimed } from './oddities.ts';
import { Reader } from './reader.ts';
import type { Device } from './types/device.ts';

const RAM = { start: 0, end: 0x100000000, name: 'System RAM', children: [] };
const PMEM = { start: 0x100000000, end: 0x120000000, name: 'Persistent Memory', children: [] };
const device = (kind: Device['kind'], start: number, end: number): Device => ({ kind, ranges: [{ start, end }] }) as unknown as Device;

function notes(devices: readonly Device[], absence: Absence = 'absent'): string[] {
  const reader = new Reader({ files: { list: (path: string) => missing(absence, path) } } as unknown as Host);
  noteUnclaimed(reader, { resources: [RAM, PMEM], hidden: false }, devices);
  return reader.notes().map((n) => n.text);
}

test('persistent memory that no device stands for is told, with the likely reason', () => {
  assert.match(notes([])[0] ?? '', /^0x100000000-0x11fffffff \(512 MiB\) is Persistent Memory .* driver of its bus/);
  assert.match(notes([], 'not-captured')[0] ?? '', /\/sys\/bus\/nd\/devices is not in the capture$/);
});

test('persistent memory of a device is not told of; a memory block beside it claims nothing', () => {
  assert.deepEqual(notes([device('fsdax', 0x100200000, 0x101000000)]), []);
  assert.equal(notes([device('memory-block', 0x100000000, 0x108000000)]).length, 1);
});
