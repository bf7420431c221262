/** Detach on the live machine: real processes hold a loop-mounted file system, let go of it, and live on. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Host } from '../../src/host/host.ts';
import { isMissing } from '../../src/host/fact.ts';
import { openLive } from '../../src/host/live/open.ts';
import { traceFacet } from '../../src/host/live/tracer/client.ts';
import { detachStopped } from '../../src/remove/ways/detach/carry-out.ts';
import { LoopMount, Program, cannotRunLive, compile, hasPython, temporary } from './loop.ts';

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

/** Ended with the test, whatever its outcome. */
function started(t: TestContext, program: Program): Program {
  t.after(() => program.kill());
  return program;
}

async function detach(program: Program): Promise<void> {
  const stopped = await trace.stop(program.ref, 2000);
  assert.ok(!isMissing(stopped), JSON.stringify(stopped));
  assert.equal(stopped.obstacle, undefined);
  const outcome = await detachStopped(host, trace, program.ref, fs.deviceNumbers());
  assert.ok(outcome.done, JSON.stringify(outcome));
  assert.equal((await trace.release(program.ref)).ok, true);
}

test('a single-threaded holder lets go of mappings, descriptor and working directory, and lives', { skip }, async (t) => {
  const program = started(t, new Program(holder, [fs.path('f'), '0']));
  assert.match(await program.line(), /^mapped/);
  assert.throws(() => fs.unmount(), /busy/);
  await detach(program);
  fs.unmount();
  assert.equal(await program.ask('touch'), 'sigbus');
  assert.equal(await program.ask('private'), 'intact');
  assert.equal(await program.ask('fd'), 'ESPIPE ESPIPE');
  assert.equal(await program.ask('cwd'), '/');
  assert.match(await program.ask('check'), /^errors 0 /);
  fs.mount();
});

test('threads that compute, block, handle signals and come and go do not notice', { skip }, async (t) => {
  const program = started(t, new Program(holder, [fs.path('f'), '2']));
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
});

test('Node, Python and a shell go on living', { skip }, async (t) => {
  const programs = [
    new Program(process.execPath, ['-e', `const fs = require('fs'); process.chdir('${fs.mountPoint}'); const fd = fs.openSync('other', 'w+'); fs.writeSync(fd, 'text');
      let n = 0; setInterval(() => n += 1, 5); console.log('ready');
      process.stdin.on('data', () => { let read = 'ok'; try { fs.readSync(fd, Buffer.alloc(1), 0, 1, 0); } catch (e) { read = e.code; } const was = n; setTimeout(() => console.log(read, process.cwd(), n > was), 50); });`]),
    ...(hasPython() ? [new Program('python3', ['-u', '-c', `
import mmap, os, sys, threading, time
os.chdir('${fs.mountPoint}')
f = open('py', 'w+b'); f.truncate(1 << 16)
own = mmap.mmap(f.fileno(), 1 << 16, access=mmap.ACCESS_COPY); own[0:4] = b'mine'
ticks = [0]
def tick():
    while True:
        time.sleep(0.002); ticks[0] += 1
threading.Thread(target=tick, daemon=True).start()
print('ready')
for line in sys.stdin:
    try: os.pread(f.fileno(), 1, 0); read = 'ok'
    except OSError as e: read = os.strerror(e.errno)
    was = ticks[0]; time.sleep(0.05)
    print(read, own[0:4], os.getcwd(), ticks[0] > was)
`])] : []),
    new Program('bash', ['-c', `cd '${fs.mountPoint}'; exec 7>shell; echo ready; while read line; do readlink /proc/$$/cwd; done`]),
  ];
  for (const program of programs) started(t, program);
  for (const program of programs) assert.equal(await program.line(), 'ready');
  for (const program of programs) await detach(program);
  fs.unmount();
  const answers = await Promise.all(programs.map((program) => program.ask('go on')));
  assert.equal(answers[0], 'ESPIPE / true');
  if (programs.length === 3) assert.equal(answers[1], "Illegal seek b'mine' / True");
  assert.equal(answers.at(-1), '/');
  fs.mount();
});
