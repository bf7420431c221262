/** What cannot be detached is known before anything is touched, and stays as it is. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Host } from '../../src/host/host.ts';
import { isMissing } from '../../src/host/fact.ts';
import { openLive } from '../../src/host/live/open.ts';
import { foreseeDetach } from '../../src/remove/ways/detach/foresee.ts';
import { detachStopped } from '../../src/remove/ways/detach/carry-out.ts';
import { LoopMount, Program, cannotRunLive, compile } from './loop.ts';

const skip = cannotRunLive();
let fs: LoopMount;
let odd: string;
let host: Host;
before(() => {
  if (skip !== false) return;
  fs = new LoopMount(32);
  odd = compile('odd', fs.directory);
  host = openLive();
});
after(() => {
  if (skip !== false) return;
  host.close();
  fs.dispose();
});

function start(t: TestContext, file: string, ...args: string[]): Program {
  const program = new Program(file, args);
  t.after(() => program.kill());
  return program;
}

function refOf(pid: number): { pid: number; startTime: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return { pid, startTime: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) };
}

for (const [what, why] of [['seccomp', /seccomp mode 2/], ['traced', /traced by process/], ['chroot', /root directory \(chroot\) is on the device/]] as const) {
  test(`${what}: refused beforehand with the reason`, { skip }, async (t) => {
    const program = start(t, odd, what, fs.path(what));
    const pid = Number(await program.line());
    const foresight = foreseeDetach(host, refOf(pid), fs.deviceNumbers());
    assert.equal(foresight.possible, false);
    assert.match(foresight.possible ? '' : foresight.why, why);
  });
}

test('a stack of its own making is not written to: an obstacle at the stop, and the process goes on', { skip }, async (t) => {
  const program = start(t, odd, 'coroutine', fs.path('coroutine'));
  await program.line();
  const stopped = await host.trace!.stop(program.ref, 5000);
  assert.ok(!isMissing(stopped));
  assert.match(stopped.obstacle ?? '', /stack of its own making/);
  assert.equal(stopped.carrier, undefined);
  await host.trace!.release(program.ref);
  assert.equal(await program.ask('still there?'), 'alive');
});

test('a process whose first thread has ended is detached by another one', { skip }, async (t) => {
  const program = start(t, odd, 'headless', fs.path('headless'));
  await program.line();
  const { ref } = program;
  const stopped = await host.trace!.stop(ref, 5000);
  assert.ok(!isMissing(stopped), JSON.stringify(stopped));
  const outcome = await detachStopped(host, host.trace!, ref, fs.deviceNumbers());
  await host.trace!.release(ref);
  assert.ok(outcome.done, JSON.stringify([outcome, stopped]));
  assert.ok(outcome.calls > 0, 'its open file was seen');
  assert.equal(await program.ask('still there?'), 'alive');
});

test('a kernel thread, a process that is gone, ourselves', { skip }, () => {
  const gone = { pid: 2 ** 22 - 1, startTime: 1 };
  const answer = host.trace!.obstacle(gone);
  assert.ok(isMissing(answer) && answer.missing === 'vanished');
  assert.match(String(host.trace!.obstacle(refOf(process.pid))), /unseat itself/);
  assert.match(String(host.trace!.obstacle(refOf(2))), /kernel thread/);
});

/** CAP_SYS_RESOURCE, which this root may lack. */
const noResource = skip === false && (BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'}`) >> 24n & 1n) === 0n;

test('a static program whose own file is on the device runs on from its copy', { skip: skip === false && noResource ? 'this root lacks CAP_SYS_RESOURCE' : skip }, async (t) => {
  const holder = compile('holder', fs.directory, '-static');
  copyFileSync(holder, fs.path('program'));
  chmodSync(fs.path('program'), 0o755);
  const program = start(t, fs.path('program'), fs.path('f'), '1');
  await program.line();
  const stopped = await host.trace!.stop(program.ref, 5000);
  assert.ok(!isMissing(stopped));
  const outcome = await detachStopped(host, host.trace!, program.ref, fs.deviceNumbers());
  await host.trace!.release(program.ref);
  assert.ok(outcome.done, JSON.stringify([outcome, stopped]));
  fs.unmount();
  assert.equal(await program.ask('private'), 'intact');
  assert.match(await program.ask('check'), /^errors 0 /);
  fs.mount();
});

test('a program file on the device is refused where the process lacks CAP_SYS_RESOURCE', { skip: skip === false && !noResource ? 'this root has CAP_SYS_RESOURCE' : skip }, async (t) => {
  copyFileSync(odd, fs.path('own'));
  chmodSync(fs.path('own'), 0o755);
  const program = start(t, fs.path('own'), 'coroutine', fs.path('f'));
  await program.line();
  const foresight = foreseeDetach(host, program.ref, fs.deviceNumbers());
  assert.match(foresight.possible ? 'possible' : foresight.why, /program file is on the device/);
});

test('settings are put back by the child when unseat is killed', { skip }, async () => {
  const setting = join(fs.directory, 'setting');
  writeFileSync(setting, 'changed');
  const client = join(import.meta.dirname, '../../src/host/live/tracer/client.ts');
  const code = `import { traceFacet } from ${JSON.stringify(client)}; await traceFacet().putBackWhenGone([{ path: ${JSON.stringify(setting)}, text: 'as before' }]); console.log('ready'); setInterval(() => {}, 1000);`;
  const unseat = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((done) => unseat.stdout.once('data', done));
  unseat.kill('SIGKILL');
  for (let tries = 0; tries < 400 && readFileSync(setting, 'utf8') !== 'as before'; tries += 1) await new Promise((done) => setTimeout(done, 25));
  assert.equal(readFileSync(setting, 'utf8'), 'as before');
  assert.ok(existsSync(setting));
});
