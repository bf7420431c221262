/** Clause 1d: memory_failure() on DAX. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FsdaxScene } from '../truth/fsdax-scene.ts';
import { profile } from '../truth/clauses.ts';
import { touchTest } from '../setup/look.ts';
import { run } from '../setup/run.ts';
import { BUS_ADRERR, BUS_MCEERR_AO, BUS_MCEERR_AR, continueTask, isAlive, TASK, tasksOf } from '../task.ts';
import { loadLong } from '../state/long.ts';
import { numPoisonedPages } from './memory-failure.ts';
import { hardOfflinePage, machineCheck } from './memory-failure.ts';
import { vmaStart } from './mm_struct.ts';
import { walk } from './pgtable.ts';
import { regionPage, VMA } from './mm_struct.ts';
import { PG, testFlag } from './page.ts';

const ext4 = { fs: { type: 'ext4' } } as const;
const firstPfn = (s: FsdaxScene, vma: number): number => walk(s.k.heap, s.k.heap.load(vma + VMA.region), regionPage(s.k, vma, vmaStart(s.k, vma))).pfn;
const code = (s: FsdaxScene, task: number): number => s.k.heap.load(task + TASK.sigbusCode);

test('1d: an administrator (hard_offline_page) unmaps the largest mapping and sends BUS_MCEERR_AO with the address', () => {
  const s = new FsdaxScene(profile('6.12'), ext4);
  s.k.heap.store(tasksOf(s.k).earlyKill, 1);
  const h = s.hold();
  const pfn = firstPfn(s, h.vma);
  assert.equal(run(s.k, hardOfflinePage(s.k, pfn + 7)).rc, 0);
  assert.equal(s.present(h.task), 512);
  assert.equal(code(s, h.task), BUS_MCEERR_AO);
  assert.equal(loadLong(s.k.heap, h.task + TASK.sigbusAddr), (vmaStart(s.k, h.vma) + 7) * 4096);
  assert.equal(testFlag(s.k, pfn + 7, PG.hwpoison, 'test'), true);
});

test('1d: without early kill nobody is collected, nothing is unmapped, and the call still succeeds', () => {
  const s = new FsdaxScene(profile('7.2'), ext4);
  const h = s.hold();
  assert.equal(run(s.k, hardOfflinePage(s.k, firstPfn(s, h.vma))).rc, 0);
  assert.equal(s.present(h.task), 1024);
});

test('1d: PR_MCE_KILL decides for a task against the sysctl, both ways', () => {
  for (const [sysctl, policy, left] of [[0, 'early', 512], [1, 'late', 1024]] as const) {
    const s = new FsdaxScene(profile('7.2'), ext4);
    s.k.heap.store(tasksOf(s.k).earlyKill, sysctl);
    const h = s.hold({}, { mceKill: policy });
    run(s.k, hardOfflinePage(s.k, firstPfn(s, h.vma)));
    assert.equal(s.present(h.task), left, policy);
  }
});

test('1d: a machine check kills who consumes: BUS_MCEERR_AR to current, also on 5.10, which collects nobody else', () => {
  for (const name of ['5.10', '6.12', '7.2']) {
    const s = new FsdaxScene(profile(name), ext4);
    const [h, other] = [s.hold(), s.hold()];
    run(s.k, machineCheck(s.k, firstPfn(s, h.vma), h.task));
    assert.equal(code(s, h.task), BUS_MCEERR_AR, name);
    assert.equal(code(s, other.task), 0, name);
    assert.equal(s.present(h.task) + s.present(other.task), 1024, `${name}: one unmap takes the range from both`);
  }
});

test('1d: a touch of memory that is gone is BUS_ADRERR, not a machine check', () => {
  const s = new FsdaxScene(profile('6.12'), { fs: { type: 'xfs', rmapbt: true } });
  const h = s.hold();
  s.unbind();
  touchTest(s.k, h.task, h.vma, 'read');
  assert.equal(code(s, h.task), BUS_ADRERR);
});

test('1d: survivors and deaths: a stopped holder keeps its signal; at SIGCONT one with a handler lives, one without dies', () => {
  const s = new FsdaxScene(profile('6.12'), ext4);
  const [lives, dies] = [s.hold(), s.hold({}, { handlesSigbus: false })];
  s.forced();
  assert.equal(isAlive(s.k, dies.task), true);
  s.continueAll();
  assert.deepEqual([isAlive(s.k, lives.task), isAlive(s.k, dies.task)], [true, false]);
});

test('1d: entered by a removal (XFS, pre-remove) nothing is poisoned and late holders are told too', () => {
  const s = new FsdaxScene(profile('6.12'), { fs: { type: 'xfs', rmapbt: true } });
  const h = s.hold({}, { mceKill: 'late' });
  s.unbind();
  assert.equal(s.present(h.task), 0);
  continueTask(s.k, h.task);
  touchTest(s.k, h.task, h.vma, 'read');
  assert.equal(s.aoTaken(h), 1);
  assert.equal(s.k.heap.load(numPoisonedPages(s.k)), 0);
});

test('1d: HardwareCorrupted counts calls from 6.1 on and falls at the unbind by distinct pages on 6.1 only', () => {
  for (const [name, after, unbound] of [['5.10', 0, 0], ['6.1', 3, 1], ['6.12', 3, 3]] as const) {
    const s = new FsdaxScene(profile(name), ext4);
    const h = s.hold({ offBy: 1 });
    s.k.heap.store(tasksOf(s.k).earlyKill, 1);
    const pfn = firstPfn(s, h.vma);
    for (const at of [pfn, pfn, pfn + 1]) run(s.k, hardOfflinePage(s.k, at));
    assert.equal(s.k.heap.load(numPoisonedPages(s.k)), after, name);
    s.unbind();
    assert.equal(s.k.heap.load(numPoisonedPages(s.k)), unbound, name);
  }
});

test('1d: metadata of the device itself is not recoverable', () => {
  const s = new FsdaxScene(profile('7.2'), ext4);
  assert.equal(run(s.k, hardOfflinePage(s.k, s.range[0])).rc, -6);
});
