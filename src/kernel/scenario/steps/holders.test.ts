import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Profile } from '../../../profile/profile.ts';
import { profileByName } from '../../../profile/select.ts';
import { readScenario } from '../../../scenario/read.ts';
import { buildScenario } from '../build.ts';
import type { Seen } from './outcome.ts';
import { takeStep } from './take.ts';

/** Takes every step of a scenario on ext4; what each saw. */
function taken(kernel: string, processes: string, steps: string): Seen[] {
  const scenario = readScenario(`
scenario: x
title: t
machine: {nvdimms: [{name: nv, size: 64M}], namespaces: [{name: data, on: nv, mode: fsdax}]}
filesystems: [{on: data, at: /mnt, type: ext4}]
processes: [${processes}]
steps: [${steps}]
`, 'x.yaml');
  const built = buildScenario(scenario, profileByName(kernel) as Profile);
  return scenario.steps.map((step) => takeStep(built, step));
}
const HOLDER = '{name: h, maps: [{file: /mnt/a, size: 4M}]}';

test('a frozen holder keeps its SIGBUS pending, takes it at the thaw, and maps its pages again', () => {
  const seen = taken('6.12', HOLDER, '{freeze: h}, {hardOffline: h}, {pagemap: h}, {pending: h}, {thaw: h}, {signals: h}, {pending: h}, {read: h}, {pagemap: h}');
  assert.deepEqual(seen[1]?.figures, { writes: 2, refused: 0 });
  assert.deepEqual([seen[2]?.present, seen[8]?.present], [0, 1024]);
  assert.deepEqual([seen[3], seen[5], seen[6]].map((s) => s?.figures), [{ sigbus: 1 }, { ao: 1 }, { sigbus: 0 }]);
});

test('a writer keeps a file system from going read-only; a reader does not', () => {
  assert.equal(taken('6.12', HOLDER, '{remountReadOnly: /mnt}')[0]?.errno, 'EBUSY');
  const seen = taken('6.12', `${HOLDER}, {name: r, started: false, maps: [{file: /mnt/a, size: 4M, prot: r, touch: read}]}`, '{start: r}, {exit: h}, {remountReadOnly: /mnt}, {read: r}');
  assert.deepEqual(seen.map((s) => s.ending), ['returned', 'returned', 'returned', 'returned']);
});

test('a namespace whose file system is out of sight but held is not destroyed', () => {
  const seen = taken('7.2', HOLDER, '{unmountLazy: /mnt}, {destroy: data}, {kill: h}, {destroy: data}');
  assert.deepEqual(seen.map((s) => s.errno ?? s.ending), ['returned', 'EBUSY', 'returned', 'returned']);
});

test('an injected madvise takes the pages away without a signal and without poison', () => {
  const seen = taken('5.10', HOLDER, '{injectMadvise: h}, {pagemap: h}, {signals: h}, {get: {file: /proc/meminfo, lines: HardwareCorrupted}}');
  assert.equal(seen[1]?.present, 0);
  assert.deepEqual(seen[2]?.figures, { ao: 0 });
  assert.equal(seen[3]?.value, 'HardwareCorrupted:     0 kB');
});

test('unpoison says EIO and takes nothing back', () => {
  const seen = taken('6.1', HOLDER, '{hardOffline: h}, {read: h}, {unpoison: h}, {get: {file: /proc/meminfo, lines: HardwareCorrupted}}');
  assert.deepEqual([seen[2]?.ending, seen[2]?.errno, seen[3]?.value], ['refused', 'EIO', 'HardwareCorrupted:     8 kB']);
});

test('files carry the mark of their writer on the medium; who opens to read makes no file', () => {
  const seen = taken('6.12', '{name: w, files: [{path: /mnt/f, write: 64K, fsync: true}]}, {name: r, started: false, maps: [{file: /mnt/none, size: 4K, prot: r, touch: read}]}', '{medium: data}, {start: r}, {unbind: data}, {medium: data}');
  assert.deepEqual(seen[0]?.figures, { w: 16 });
  assert.deepEqual([seen[1]?.errno, seen[3]?.errno], ['ENOENT', 'ENOENT']);
});

test('drop_caches lets inodes with DAX entries be, and says nothing of kernels that take them', () => {
  const steps = '{hardOffline: h}, {unbind: data}, {kill: h}, {dropCaches: true}, {unmount: /mnt}';
  assert.deepEqual(taken('7.2', HOLDER, steps).slice(3).map((s) => s.ending), ['returned', 'oops']);
  assert.equal(taken('5.10', HOLDER, steps)[3]?.ending, 'not-available');
});

test('swapped pages are lost with their device', () => {
  const scenario = readScenario(`
scenario: x
title: t
machine: {nvdimms: [{name: nv, size: 64M}], namespaces: [{name: data, on: nv, mode: fsdax}]}
swaps: [{on: data}]
processes: [{name: s, maps: [{anonymous: true, size: 64K, swapped: true}]}, {name: p, maps: [{anonymous: true, size: 64K}]}]
steps: [{unbind: data}, {read: s}, {read: p}]
`, 'x.yaml');
  const built = buildScenario(scenario, profileByName('6.12') as Profile);
  const seen = scenario.steps.map((step) => takeStep(built, step));
  assert.deepEqual(seen.slice(1).map((s) => [s.pages?.[0]?.own, s.pages?.[0]?.sigbus]), [[0, 16], [16, 0]]);
});

test('syncfs on a file system that was shut down says EIO: XFS from 5.17 on, ext4 from 6.13 on', () => {
  const ending = (type: string) => (kernel: string): string => {
    const scenario = readScenario(`
scenario: x
title: t
machine: {nvdimms: [{name: nv, size: 512M}], namespaces: [{name: data, on: nv, mode: fsdax}]}
filesystems: [{on: data, at: /mnt, type: ${type}}]
steps: [{sync: /mnt}, {shutdown: {at: /mnt}}, {sync: /mnt}]
`, 'x.yaml');
    const built = buildScenario(scenario, profileByName(kernel) as Profile);
    return scenario.steps.map((step) => takeStep(built, step).errno ?? 'ok').join();
  };
  const kernels = ['5.10', '6.1', '6.12', '7.2'];
  assert.deepEqual(kernels.map(ending('xfs')), ['ok,ok,ok', 'ok,ok,EIO', 'ok,ok,EIO', 'ok,ok,EIO']);
  assert.deepEqual(kernels.map(ending('ext4')), ['ok,ok,ok', 'ok,ok,ok', 'ok,ok,ok', 'ok,ok,EIO']);
});
