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

test('what fallocate() reserved and nobody wrote reads as zeroes that are no page of the device, with 4 KiB and 2 MiB entries alike', () => {
  for (const align of ['2M', '4K']) {
    const seen = taken('7.2', `{name: r, maps: [{file: /mnt/a, size: 2M, align: ${align}, share: private, touch: read}]}`, '{pagemap: r}, {hardOffline: r}, {unbind: data}, {read: r}');
    assert.deepEqual([seen[0]?.present, seen[1]?.figures], [0, { writes: 0, refused: 0 }]);
    assert.deepEqual([seen[3]?.pages?.[0]?.zero, seen[3]?.pages?.[0]?.sigbus], [512, 0]);
  }
});

test('a writer takes the place of the zero page in every process, and leaves the rest of the file unwritten', () => {
  const seen = taken('6.12', `{name: r, maps: [{file: /mnt/a, size: 4M, touch: read}]}, {name: w, started: false, maps: [{file: /mnt/a, size: 2M}]}`, '{pagemap: r}, {start: w}, {read: r}, {pagemap: r}, {pagemap: w}');
  assert.deepEqual([seen[0]?.present, seen[3]?.present, seen[4]?.present], [0, 512, 512]);
  assert.deepEqual([seen[2]?.pages?.[0]?.others, seen[2]?.pages?.[0]?.zero], [{ w: 512 }, 512]);
});

test('a file that is mapped longer than it is grows; what was in it stays', () => {
  const seen = taken('6.12', '{name: a, maps: [{file: /mnt/f, size: 64K}]}, {name: b, maps: [{file: /mnt/f, size: 4M, share: private, touch: read}]}', '{read: a}, {read: b}, {pagemap: b}');
  assert.deepEqual([seen[0]?.pages?.[0]?.own, seen[1]?.pages?.[0]?.own, seen[1]?.pages?.[0]?.zero, seen[2]?.present], [16, 16, 1008, 16]);
});

test('pages written after the last sync are unwritten again after a shutdown without a flush', () => {
  const shut = (flag: number): unknown => taken('6.12', `${HOLDER.replace('size: 4M', 'size: 64K, touch: none')}, {name: c, started: false, maps: [{file: /mnt/a, size: 64K, prot: r, touch: read}]}`,
    `{sync: /mnt}, {write: h}, {shutdown: {at: /mnt, flag: ${flag}}}, {exit: h}, {unmount: /mnt}, {mount: /mnt}, {start: c}, {read: c}`).at(-1)?.pages?.[0];
  assert.equal((shut(2) as { zero: number }).zero, 16);
  assert.equal((shut(0) as { own: number }).own, 16);
});

test('the unmount record of XFS meets a disk that has gone: the file system shuts down, unless it was down before', () => {
  const logged = (kernel: string): boolean => {
    const scenario = readScenario(`
scenario: x
title: t
machine: {nvdimms: [{name: nv, size: 512M}], namespaces: [{name: data, on: nv, mode: fsdax}]}
filesystems: [{on: data, at: /mnt, type: xfs}]
steps: [{unbind: data}, {unmount: /mnt}]
`, 'x.yaml');
    const built = buildScenario(scenario, profileByName(kernel) as Profile);
    for (const step of scenario.steps) takeStep(built, step);
    return built.world.k.log.has('Log I/O Error Detected');
  };
  assert.deepEqual(['5.10', '6.12'].map(logged), [true, false]);
});

test('mlock of a private mapping makes its copies at once; a forked child has them too', () => {
  const seen = taken('6.12', '{name: p, maps: [{file: /mnt/a, size: 64K, share: private, touch: read, locked: true}], forks: 1}', '{pagemap: p}, {shutdown: {at: /mnt}}, {unbind: data}, {read: p}');
  assert.equal(seen[0]?.present, 0);
  assert.deepEqual(seen[3]?.pages?.map((p) => [p.process, p.zero, p.sigbus]), [['p', 16, 0], ['p.0', 16, 0]]);
});

test('syncfs of ext4 that nobody shut down says EIO once its disk has gone', () => {
  assert.deepEqual(taken('5.10', HOLDER, '{sync: /mnt}, {unbind: data}, {sync: /mnt}').map((s) => s.errno ?? s.ending), ['returned', 'returned', 'EIO']);
});
