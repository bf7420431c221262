/** The pause that bench/detach.ts tells is one that the holder saw: never less than the time in which it stood still. */
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { pauseSeen } from '../../bench/lib/pause.ts';
import { LoopMount, Program, cannotRunLive, compile } from './loop.ts';

const sleep = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));
/** A signal is sent at once and taken when a thread runs next: each one's state (the word after the name) says whether it stands. */
const allStopped = (pid: number): boolean => readdirSync(`/proc/${pid}/task`).every((tid) => /\) T /.test(readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1')));
const answering = (answers: readonly string[]): { asked: string[]; ask(command: string): Promise<string> } => {
  const asked: string[] = [];
  return { asked, ask: (command) => Promise.resolve(answers[Math.min(asked.push(command), answers.length) - 1] ?? '') };
};

test('a thread that has seen nothing yet is asked again; one that has seen too little, or nothing at all, is told of', async () => {
  const still = { from: 1000n, to: 4000n };
  const late = answering(['0', '0', '3500']);
  assert.equal(await pauseSeen(late, still, () => Promise.resolve()), 3500);
  assert.deepEqual(late.asked, Array.from({ length: 3 }, () => 'gap 1000 4000'));
  await assert.rejects(pauseSeen(answering(['40']), still, () => Promise.resolve()), /pause of 40 ns was seen, while the holder stood still for 3000 ns/);
  await assert.rejects(pauseSeen(answering(['mapped']), still, () => Promise.resolve()), /pause of NaN/);
  await assert.rejects(pauseSeen(answering(['0']), still, () => Promise.resolve()), /has not seen that/);
});

test('the watching thread of the holder sees a stop of all its threads, however late the thread that answers runs', { skip: cannotRunLive() }, async () => {
  const fs = new LoopMount(16);
  const program = new Program(compile('mapper', fs.directory, '-O2'), [fs.path('f'), '4096', '1', '1', '0', '1']);
  try {
    await program.line();
    for (let round = 0; round < 5; round += 1) {
      // At once after an answer, when the thread that gave it may not have gone on yet.
      await program.ask('gap 0 0');
      process.kill(program.pid, 'SIGSTOP');
      while (!allStopped(program.pid)) await sleep(1);
      const from = process.hrtime.bigint();
      await sleep(10);
      const to = process.hrtime.bigint();
      process.kill(program.pid, 'SIGCONT');
      assert.ok(await pauseSeen(program, { from, to }, sleep) >= Number(to - from));
    }
  } finally {
    program.kill();
    await program.gone();
    fs.dispose();
  }
});
