/** Threads with descriptors or directories of their own: seen, named, and let go by themselves. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Host } from '../../src/host/host.ts';
import { isMissing } from '../../src/host/fact.ts';
import { openLive } from '../../src/host/live/open.ts';
import { holdersNow, whatItHolds } from '../../src/remove/acts/holders.ts';
import { remove } from '../../src/remove/engine/run.ts';
import { LoopMount, Program, cannotRunLive, compile, temporary } from './loop.ts';
import { loopPlan } from './loop-plan.ts';

const skip = cannotRunLive();
let fs: LoopMount;
let host: Host;
let apart: string;

before(() => {
  if (skip !== false) return;
  fs = new LoopMount(32);
  host = openLive();
  apart = compile('apart', temporary());
});
after(() => {
  if (skip !== false) return;
  host.close();
  fs.dispose();
});

async function started(t: TestContext): Promise<Program> {
  const program = new Program(apart, [fs.path('f')]);
  t.after(() => program.kill());
  assert.equal(await program.line(), 'ready');
  return program;
}

test('what threads have for themselves is found: tables and directories, and who shares them', { skip }, async (t) => {
  const program = await started(t);
  const found = host.processes.threadsApart?.(program.pid);
  assert.ok(found !== undefined && !isMissing(found));
  assert.deepEqual(found.map(({ threads, files, places }) => [threads.length, files, places]), [[1, true, false], [1, false, true], [1, true, true]]);
  const { holders } = holdersNow(host, fs.deviceNumbers());
  assert.deepEqual(holders.map((h) => h.pid), [program.pid]);
  const [holder] = holders;
  assert.equal(whatItHolds(holder!), '1 mapping(s), 2 open file(s), its working directory');
  assert.deepEqual(holder?.files.map((f) => f.thread), [found[0]?.threads[0], found[2]?.threads[0]]);
  // The table of each thread is at the same number as /dev/zero in that of the process, which is left alone.
  assert.equal(await program.ask('fd'), 'ok ok none ok');
});

test('each thread lets go of its own; the descriptors of the others stay as they are', { skip }, async (t) => {
  const program = await started(t);
  const { plan, way } = loopPlan(host, fs.mountPoint, fs.device, fs.deviceNumbers(), 'detach');
  const record = await remove(host, plan, way, [...fs.deviceNumbers()], { own: [process.pid], acceptUnseen: true });
  assert.equal(record.status, 'done', JSON.stringify(record.steps.filter((s) => s.outcome !== 'done')));
  assert.equal(await program.ask('fd'), 'ok ESPIPE none ESPIPE');
  assert.equal(await program.ask('cwd'), '/ / / /');
  assert.equal(await program.ask('map'), 'sigbus');
  fs.attach();
});

test('a process with nothing but threads of one table has none apart', { skip }, (t) => {
  const worker = new Program(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  t.after(() => worker.kill());
  assert.deepEqual(host.processes.threadsApart?.(worker.pid), []);
});
