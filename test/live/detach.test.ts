/** Detach on the live machine: real processes hold a loop-mounted file system, let go of it, and live on. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Host } from '../../src/host/host.ts';
import { isMissing } from '../../src/host/fact.ts';
import { openLive } from '../../src/host/live/open.ts';
import { traceFacet } from '../../src/host/live/tracer/client.ts';
import { detachStopped } from '../../src/remove/ways/detach/carry-out.ts';
import { LoopMount, Program, cannotRunLive, compile, temporary } from './loop.ts';

const skip = cannotRunLive();
let fs: LoopMount;
let holder: string;
const trace = traceFacet();
const host: Host = openLive();

before(() => {
  if (skip !== false) return;
  fs = new LoopMount(64);
  holder = compile('holder', temporary());
});
after(() => {
  trace.close();
  host.close();
  if (skip === false) fs.dispose();
});

async function detach(program: Program): Promise<void> {
  const stopped = await trace.stop(program.ref, 2000);
  assert.ok(!isMissing(stopped), JSON.stringify(stopped));
  assert.equal(stopped.obstacle, undefined);
  const outcome = await detachStopped(host, trace, program.ref, fs.deviceNumbers());
  assert.ok(outcome.done, JSON.stringify(outcome));
  assert.equal((await trace.release(program.ref)).ok, true);
}

test('a single-threaded holder lets go of mappings, descriptor and working directory, and lives', { skip }, async () => {
  const program = new Program(holder, [fs.path('f'), '0']);
  assert.match(await program.line(), /^mapped/);
  assert.throws(() => fs.unmount(), /busy/);
  await detach(program);
  fs.unmount();
  assert.equal(await program.ask('touch'), 'sigbus');
  assert.equal(await program.ask('private'), 'intact');
  assert.equal(await program.ask('fd'), 'ESPIPE ESPIPE');
  assert.equal(await program.ask('cwd'), '/');
  assert.match(await program.ask('check'), /^errors 0 /);
  program.kill();
  fs.mount();
});

test('threads that compute, block, handle signals and come and go do not notice', { skip }, async () => {
  const program = new Program(holder, [fs.path('f'), '2']);
  await program.line();
  for (let round = 0; round < 20; round += 1) {
    if (round > 0) assert.match(await program.ask('map'), /^mapped/);
    await detach(program);
    fs.unmount();
    assert.equal(await program.ask('private'), 'intact');
    assert.equal(await program.ask('touch'), 'sigbus');
    assert.match(await program.ask('check'), /^errors 0 /);
    fs.mount();
  }
  program.kill();
});
