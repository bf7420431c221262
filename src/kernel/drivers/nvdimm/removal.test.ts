/** System 1: forced unmap on removal. Clauses 1a to 1c. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceDriver } from '../base/bus.ts';
import { unbindStore } from '../base/dd.ts';
import { Threads } from '../../threads.ts';
import { ndPmemDriver } from './pmem.ts';
import { memmapPresent } from '../../mm/page.ts';
import { touchTest } from '../../setup/look.ts';
import { FsdaxScene } from '../../truth/fsdax-scene.ts';
import { profile, RELEASES } from '../../truth/clauses.ts';

const ext4 = { fs: { type: 'ext4' } } as const;
const xfs = { fs: { type: 'xfs', rmapbt: true } } as const;

for (const release of RELEASES) {
  test(`1a: removal runs to its end with a file mapped, its result is not asked for (${release.name} ext4)`, () => {
    const s = new FsdaxScene(release, ext4);
    s.hold();
    const ran = s.unbind();
    assert.deepEqual(ran, { rc: 0, oops: null, hangs: null, spins: null });
    assert.equal(deviceDriver(s.k, s.dev), 0);
    assert.equal(memmapPresent(s.k, s.range[0]), false);
  });
}

test('1a: a driver whose remove says no is removed all the same, except under the proposal that lets it refuse', () => {
  for (const [name, bound] of [['7.2', false], ['removal-refused', true]] as const) {
    const s = new FsdaxScene(profile(name), ext4);
    s.hold();
    s.unbind();
    assert.equal(deviceDriver(s.k, s.dev) !== 0, bound, name);
  }
});

test('1b: the first patch alone changes no outcome, only the log', () => {
  for (const name of ['5.10', 'dev-pagemap-failure-1']) {
    const s = new FsdaxScene(profile(name), ext4);
    s.hold();
    s.unbind();
    assert.deepEqual(s.afterUnbind(), ['stale-mapping'], name);
  }
});

test('1b: the second patch as posted collects nobody: the mass call has no current task and early kill is not asked for', () => {
  const s = new FsdaxScene(profile('dev-pagemap-failure-2'), { ...ext4, file: { pages: 1024 } });
  const h = s.hold();
  s.unbind();
  assert.equal(s.present(h.task), 1024);
});

test('1b: with every process collected the mass call unmaps all and the unbind leaves no mapping', () => {
  const s = new FsdaxScene(profile('dev-pagemap-failure-all'), ext4);
  const [h, late] = [s.hold(), s.hold({}, { mceKill: 'late' })];
  s.unbind();
  assert.equal(s.present(h.task) + s.present(late.task), 0);
  assert.deepEqual([...new Set(s.afterUnbind())], ['sigbus']);
});

test('1b: the mass call logs one line each page, or none with the first patch', () => {
  const lines = (name: string): number => {
    const s = new FsdaxScene(profile(name), { ...ext4, file: { pages: 512 } });
    s.hold({ offBy: 1 });
    s.unbind();
    return s.k.log.since().filter((line) => line.text.includes('recovery action')).length;
  };
  assert.equal(lines('dev-pagemap-failure-2'), 0);
});

test('1b: nothing is done where no file system has the device ("remove while mounted" is detected by the dax core)', () => {
  const s = new FsdaxScene(profile('dev-pagemap-failure-all'), ext4);
  s.umount();
  s.unbind();
  assert.equal(s.k.log.has('Memory failure'), false);
});

const HISTORY: readonly (readonly [string, 'ext4' | 'xfs', string])[] = [
  ['5.10', 'xfs', 'stale-mapping'], ['6.1', 'xfs', 'stale-mapping'], ['6.12', 'xfs', 'sigbus'], ['6.18', 'xfs', 'unbind-spins'], ['7.2', 'xfs', 'unbind-spins'],
  ['xfs-count-clamped', 'xfs', 'sigbus'], ['6.12', 'ext4', 'stale-mapping'], ['7.2', 'ext4', 'stale-mapping'],
];
for (const [name, type, effect] of HISTORY) {
  test(`1c: merged history: ${type} on ${name}`, () => {
    const s = new FsdaxScene(profile(name), type === 'xfs' ? xfs : ext4);
    s.hold();
    s.unbind();
    assert.deepEqual(s.afterUnbind(), [effect]);
  });
}

test('1c: notify_failure of 6.0 shuts XFS down as corrupt; MF_MEM_PRE_REMOVE shuts it down as unmounted by force', () => {
  for (const [name, says] of [['6.1', 'Corruption of on-disk metadata'], ['6.12', 'User initiated shutdown']] as const) {
    const s = new FsdaxScene(profile(name), xfs);
    s.hold();
    s.unbind();
    assert.equal(s.k.log.has(says), true, name);
  }
});

test('1c: folio references of 6.15 on make no removal wait, and turn what was left into oopses', () => {
  for (const [name, oops] of [['6.12', null], ['7.2', 'unmap_vmas']] as const) {
    const s = new FsdaxScene(profile(name), ext4);
    const h = s.hold();
    assert.equal(s.unbind().hangs, null);
    assert.equal(s.exit(h).oops, oops, name);
  }
});

test('1c: a removal that is refused leaves everything as it was; one that waits ends with the unmount', () => {
  const refused = new FsdaxScene(profile('removal-refused'), ext4);
  const h = refused.hold();
  assert.equal(refused.unbind().rc, -16);
  assert.equal(touchTest(refused.k, h.task, h.vma, 'write').ok, 1024);
  const waits = new FsdaxScene(profile('removal-waits'), ext4);
  waits.hold();
  assert.notEqual(waits.unbind().hangs, null);
});

test('1c: a removal that waits ends when the file system is unmounted', () => {
  const s = new FsdaxScene(profile('removal-waits'), ext4);
  s.hold();
  const threads = new Threads(s.k);
  const unbind = threads.spawn('unbind', () => unbindStore(s.k, ndPmemDriver(s.k), s.dev));
  assert.equal(unbind.state, 'waiting');
  s.exitAll();
  s.umount();
  threads.run();
  assert.deepEqual([unbind.state, unbind.result, memmapPresent(s.k, s.range[0])], ['done', 0, false]);
});
