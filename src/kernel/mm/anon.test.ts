/** Anonymous pages of processes occupy frames: they move, are lost, run out and go back as frames do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GiB, MiB } from '../../range/units.ts';
import { stateStore } from '../drivers/base/block-state.ts';
import type { Kernel } from '../kernel.ts';
import { bootMachine } from '../setup/boot-machine.ts';
import { addProcess, mapAnonymous, touchAll } from '../setup/process.ts';
import { touchTest } from '../setup/look.ts';
import { must, run } from '../setup/run.ts';
import { isAlive } from '../task.ts';
import { profile } from '../truth/clauses.ts';
import { ANON, anonPages, anonPfn } from './anon.ts';
import { exitTask } from './exit.ts';
import { fork } from './fork.ts';
import { brokenInvariants } from './invariants.ts';
import { memoryFailureRam } from './memory_failure_ram.ts';
import { MMOP } from './memory_hotplug/hotplug.ts';
import { vmaLeaves } from './memory.ts';
import { mmOf, vmasOf } from './mm_struct.ts';

/** Without the first block, which no kernel lets go: it lies in two zones. */
const machine = (size = GiB): Kernel => bootMachine({ profile: profile('7.2'), ram: [{ start: 128 * MiB, end: 128 * MiB + size, nid: 0 }] });
const free = (k: Kernel): number => [0, 1, 2, 3].reduce((sum, zone) => sum + k.zones.get(0, zone, 'free'), 0);
const framesOf = (k: Kernel, task: number): number[] => [...vmasOf(k, mmOf(k, task))].flatMap((vma) => vmaLeaves(k, vma).map(({ leaf }) => anonPfn(k, leaf.pfn)));

test('each touched page takes a frame; fork shares them, a write copies, and with the last process all are free again', () => {
  const k = machine();
  const before = free(k);
  const task = addProcess(k);
  const vma = mapAnonymous(k, task, 100);
  touchAll(k, task, vma, 'write');
  assert.equal(before - free(k), 100);
  const child = must(k, fork(k, task), 'fork');
  assert.equal(before - free(k), 100);
  touchTest(k, task, vma, 'write', 9);
  assert.equal(before - free(k), 200);
  for (const each of [task, child]) must(k, exitTask(k, each), 'exit');
  assert.deepEqual([before - free(k), anonPages(k).used], [0, 0]);
  assert.deepEqual(brokenInvariants(k), []);
});

test('a block with anonymous pages of a process is emptied by moving them: the process reads what it wrote', () => {
  const k = machine();
  const task = addProcess(k);
  const vma = mapAnonymous(k, task, 200);
  touchAll(k, task, vma, 'write');
  const frames = framesOf(k, task);
  const block = Math.floor((frames[0] as number) / k.geo.pagesPerBlock);
  assert.equal(run(k, stateStore(k, block, MMOP.offline, 0)).rc, 0);
  assert.equal(framesOf(k, task).some((pfn) => Math.floor(pfn / k.geo.pagesPerBlock) === block), false);
  assert.deepEqual(touchTest(k, task, vma, 'read'), { ok: 200, sigbus: 0, oops: null, dead: false });
  const [leaf] = vmaLeaves(k, vma);
  assert.equal(k.heap.load((leaf?.leaf.pfn as number) + ANON.value), 1);
  assert.deepEqual(brokenInvariants(k), []);
});

test('memory_failure of such a frame: SIGBUS on the next touch of that page, and of no other', () => {
  const k = machine();
  const task = addProcess(k);
  const vma = mapAnonymous(k, task, 10);
  touchAll(k, task, vma, 'write');
  assert.equal(memoryFailureRam(k, framesOf(k, task)[3] as number), 0);
  assert.deepEqual(touchTest(k, task, vma, 'read'), { ok: 9, sigbus: 1, oops: null, dead: false });
  must(k, exitTask(k, task), 'exit');
  assert.equal(anonPages(k).used, 0);
});

test('where no frame is left whoever faults is ended, and its frames are free again', () => {
  const k = machine(128 * MiB);
  const before = free(k);
  const task = addProcess(k);
  const vma = mapAnonymous(k, task, before + 1);
  assert.equal(touchTest(k, task, vma, 'write').dead, true);
  assert.equal(isAlive(k, task), false);
  assert.equal(free(k), before);
});
