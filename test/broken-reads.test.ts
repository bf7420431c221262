/** Reads that fail in the middle: permission denied, devices that go away, text that makes no sense. The inventory and its pages survive all of it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { mapText } from '../src/cli/print/map.ts';
import { scanText } from '../src/cli/print/scan.ts';
import { isMissing, missing, type Absence } from '../src/host/fact.ts';
import type { Files, Host } from '../src/host/host.ts';
import { physicalMap } from '../src/machine/address-map/physical-map.ts';
import { readMachine } from '../src/machine/read.ts';
import { withHolders } from '../src/machine/with-holders.ts';
import { lookAt } from './captures.ts';

const page = { width: 80, style: (_: string, text: string) => text };
const NAMES = ['cxl-region-kmem-7.2', 'many-namespaces-7.2', 'mixed-ram-pmem-6.12', 'virtio-mem-7.2'];
const hosts: Host[] = [];
before(async () => {
  for (const name of NAMES) hosts.push((await lookAt(name)).host);
});
after(() => hosts.forEach((host) => host.close()));

/** One read in `rate` goes wrong, in the way that its turn gives. */
function broken(files: Files, rate: number, seed: number): Files {
  let state = seed >>> 0;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const absences: Absence[] = ['denied', 'vanished', 'unreadable', 'absent', 'not-captured'];
  const texts = ['', '\0\0\0\0', '-1', '0x', '99999999999999999999999', 'offline', 'a b c\nd', '18446744073709551615', '0-99999'];
  const fails = <T>(path: string, ask: () => T): T => (next(rate) === 0 ? (missing(absences[next(absences.length)]!, path) as T) : ask());
  return {
    ...files,
    text: (path) => (next(rate) === 0 ? texts[next(texts.length)]! : fails(path, () => files.text(path))),
    read: (path) => fails(path, () => files.read(path)),
    readAt: (path, offset, into) => fails(path, () => files.readAt(path, offset, into)),
    list: (path) => fails(path, () => files.list(path)),
    link: (path) => fails(path, () => files.link(path)),
    resolve: (path) => fails(path, () => files.resolve(path)),
    stat: (path) => fails(path, () => files.stat(path)),
  };
}

test('reads that fail or lie at random never make it throw, and blocks keep a range of their size', () => {
  fc.assert(fc.property(fc.nat(NAMES.length - 1), fc.constantFrom(2, 5, 20, 100), fc.nat(), (which, rate, seed) => {
    const real = hosts[which]!;
    const host: Host = { ...bound(real), files: broken(real.files, rate, seed) };
    const machine = withHolders(host, readMachine(host, { pages: true }));
    for (const block of machine.memory.blocks) assert.equal(block.end - block.start, machine.memory.blockSize);
    for (const device of machine.devices) assert.ok(device.size >= 0 && Number.isFinite(device.size), device.id);
    assert.ok(scanText(machine, page).length > 0);
    assert.ok(mapText(physicalMap(machine), page).length > 0);
    JSON.stringify(machine);
  }), { numRuns: 25 });
});

test('what is denied is said, once for each kind of file', () => {
  const real = hosts[0]!;
  const host: Host = { ...bound(real), files: { ...real.files, text: (path) => (path.endsWith('/valid_zones') ? missing('denied', path, 'EACCES') : real.files.text(path)), read: (p) => real.files.read(p), list: (p) => real.files.list(p), link: (p) => real.files.link(p), resolve: (p) => real.files.resolve(p), stat: (p) => real.files.stat(p), readAt: (p, o, i) => real.files.readAt(p, o, i) } };
  const notes = readMachine(host, { rivals: false }).notes.filter((n) => n.code === 'denied');
  assert.equal(notes.length, 1);
  assert.match(notes[0]!.text, /memory0\/valid_zones may not be read by this user \(EACCES\); the same for 19 more like it/);
  assert.ok(notes[0]!.absence !== undefined && isMissing(notes[0]!.absence));
});

/** A host's facets, taken over one by one (a class instance does not spread). */
const bound = (host: Host): Host => ({ kind: host.kind, label: host.label, identity: host.identity, files: host.files, processes: host.processes, mounts: host.mounts, log: host.log, time: host.time, close: () => undefined });
