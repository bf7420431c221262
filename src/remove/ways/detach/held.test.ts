/** What is looked at of a stopped process: enough for the decision, no more than it needs, and nothing of its own taken for the device's. */
import test from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isMissing, missing } from '../../../host/fact.ts';
import type { Host } from '../../../host/host.ts';
import type { Mapping, OpenFile } from '../../../host/processes.ts';
import { holdsAny, holdsNothing, readHeld } from './held.ts';

const DEVICES = new Set(['259:0', '252:1']);

interface Shape {
  readonly mappings: readonly Mapping[];
  readonly files: readonly OpenFile[];
  readonly places: Readonly<Record<'cwd' | 'root' | 'exe', string>>;
  /** Of the one thread with a table and directories of its own; null: there is none. */
  readonly apart: Pick<Shape, 'files' | 'places'> | null;
}

const mapping = (part: Partial<Mapping>): Mapping => ({ start: 0x1000, end: 0x2000, perms: 'rw-s', offset: 0, dev: '259:0', ino: 1, name: '/mnt/f', ...part });
const nowhere = { cwd: '8:1', root: '8:1', exe: '8:1' };
const shape = (part: Partial<Shape>): Shape => ({ mappings: [], files: [], places: nowhere, apart: null, ...part });

/** A host with one process 7, whose second thread is 8; each look is noted by its name. */
function hostOf({ mappings, files, places, apart }: Shape): { host: Host; looks: string[] } {
  const looks: string[] = [];
  const noted = <T>(name: string, answer: T): T => (looks.push(name), answer);
  const texts: Readonly<Record<string, string>> = {
    stat: `7 (x) t ${['1', ...Array.from({ length: 48 }, (_, i) => (i === 15 ? (apart === null ? '1' : '2') : '0'))].join(' ')}`,
    status: 'NSpid:\t7\t3\nCapEff:\t0000000001000000\n', limits: 'Max open files            1024                 4096                 files     \n',
  };
  const processes = {
    read: (_: number, name: string) => noted(name, new TextEncoder().encode(texts[name] ?? '')),
    mappings: (_: number, devices?: ReadonlySet<string>) => noted(devices === undefined ? 'all mappings' : 'mappings', mappings),
    openFiles: (tid: number) => noted('files', tid === 8 ? apart?.files ?? [] : files),
    place: (tid: number, which: 'cwd' | 'root' | 'exe') => noted(which, { target: '/', dev: (tid === 8 ? apart?.places ?? places : places)[which] }),
    fdInfo: () => noted('fdinfo', new TextEncoder().encode('flags:\t02000002\n')),
    namespace: () => noted('namespace', 1),
    threadsApart: () => noted('threads', apart === null ? [] : [{ threads: [8], files: true, places: true }]),
  };
  const host = { processes, identity: { pageSize: 4096 }, files: { stat: (path: string) => noted('file', missing('absent', path)) } } as unknown as Host;
  return { host, looks };
}

test('while a holder stands still, no more is looked at than what it holds asks for', () => {
  const looksOf = (part: Partial<Shape>): string[] => {
    const { host, looks } = hostOf(shape(part));
    assert.ok(!isMissing(readHeld(host, 7, DEVICES)));
    return looks;
  };
  const always = ['stat', 'mappings', 'files', 'cwd', 'root', 'exe', 'limits'];
  const more = (part: Partial<Shape>): string[] => looksOf(part).filter((look) => !always.includes(look));
  assert.deepEqual(looksOf({ mappings: [mapping({})] }).sort(), [...always].sort());
  assert.deepEqual(more({ mappings: [mapping({ perms: 'rw-p' })] }), ['all mappings', 'status', 'file']);
  assert.deepEqual(more({ places: { ...nowhere, exe: '259:0' } }), ['status', 'namespace', 'namespace']);
  assert.deepEqual(more({ files: [{ fd: 3, target: '/mnt/f', dev: '259:0', ino: 1 }] }), ['fdinfo']);
  assert.deepEqual(more({ apart: { files: [], places: nowhere } }), ['threads']);
});

test('AIO rings and mapped sockets, of which the live machine tells too, are the process\'s own', () => {
  const rings = [mapping({ dev: '0:17', name: '/[aio]' }), mapping({ dev: '0:8', name: 'socket:[5]' })];
  const only = readHeld(hostOf(shape({ mappings: rings })).host, 7, DEVICES);
  assert.ok(!isMissing(only) && holdsNothing(only));
  const both = readHeld(hostOf(shape({ mappings: [...rings, mapping({ start: 0x8000, end: 0x9000 })] })).host, 7, DEVICES);
  assert.deepEqual(isMissing(both) ? both : both.mappings.map(({ start }) => start), [0x8000]);
});

test('the short look and the long one agree about whether anything is held', () => {
  const device = fc.oneof({ weight: 1, arbitrary: fc.constantFrom('259:0', '252:1') }, { weight: 9, arbitrary: fc.constantFrom('8:1', '0:17') });
  const places = fc.record({ cwd: device, root: device, exe: device });
  const files = fc.array(fc.record({ fd: fc.nat(30), target: fc.constant('/f'), dev: device, rdev: device, ino: fc.constant(1) }), { maxLength: 2 });
  const mappings = fc.array(fc.record({ perms: fc.constantFrom('rw-s', 'r--p'), dev: device, rdev: device }, { requiredKeys: ['perms', 'dev'] }).map(mapping), { maxLength: 2 });
  const held = new Set<boolean>();
  fc.assert(fc.property(fc.record({ mappings, files, places, apart: fc.option(fc.record({ files, places })) }), (some) => {
    const long = readHeld(hostOf(some).host, 7, DEVICES);
    const short = holdsAny(hostOf(some).host, 7, DEVICES);
    assert.ok(!isMissing(long) && !isMissing(short));
    held.add(short);
    assert.equal(short, !holdsNothing(long));
  }), { numRuns: 300 });
  assert.equal(held.size, 2, 'both answers came up');
});
