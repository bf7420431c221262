/** Many detaches of one busy program, and a tracer that is killed at random moments. Used by the test run and tools/stress-detach.ts. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isMissing } from '../../src/host/fact.ts';
import type { Host } from '../../src/host/host.ts';
import { Tracer } from '../../src/host/live/tracer/client.ts';
import { detachStopped } from '../../src/remove/ways/detach/carry-out.ts';
import { findJournals, journalPath } from '../../src/remove/journal/journal.ts';
import { seeded } from '../seeded.ts';
import { Program } from './loop.ts';
import type { LoopMount } from './loop.ts';

/** `done`, or why not. */
async function detachOnce(host: Host, trace: Tracer, program: Program, devices: ReadonlySet<string>): Promise<string> {
  const ref = program.ref;
  const stopped = await trace.stop(ref, 30_000);
  if (isMissing(stopped)) return `stop: ${JSON.stringify(stopped)}`;
  // Pages of the page cache in a pipe outlive no device.
  const outcome = await detachStopped(host, trace, ref, devices, true);
  await trace.release(ref);
  return outcome.done ? 'done' : `${JSON.stringify(outcome)}; ${JSON.stringify(stopped)}`;
}

async function isWell(program: Program, fs: LoopMount, what: string): Promise<void> {
  assert.equal(program.ended, null, what);
  assert.equal(await program.ask('private'), 'intact', what);
  assert.match(await program.ask('check'), /^errors 0 /, what);
  void fs;
}

/** `rounds` times: map, detach, unmount, mount. The program maps the file anew each time. */
export async function manyDetaches(host: Host, fs: LoopMount, program: Program, rounds: number, tell: Tell = () => undefined): Promise<void> {
  const trace = new Tracer();
  try {
    for (let round = 0; round < rounds; round += 1) {
      if (round > 0) await program.ask('map');
      assert.equal(await detachOnce(host, trace, program, fs.deviceNumbers()), 'done', `detach ${round}`);
      fs.unmount();
      await isWell(program, fs, `after detach ${round}`);
      if ((round + 1) % 50 === 0) tell(`${round + 1} detaches`);
      fs.mount();
    }
  } finally {
    trace.close();
  }
}

export type Tell = (line: string) => void;

export interface KillCounts {
  /** Killed before the holder had let go: nothing had happened, or only a part that is complete in itself. */
  stillHolding: number;
  /** The chain had been committed or had ended. */
  letGo: number;
}

/** `rounds` times: the tracer is killed some microseconds after it was asked for something. The holder must not notice. */
export async function killedTracers(host: Host, fs: LoopMount, program: Program, rounds: number, seed: number, tell: Tell = () => undefined): Promise<KillCounts> {
  const random = seeded(seed);
  const counts: KillCounts = { stillHolding: 0, letGo: 0 };
  const devices = fs.deviceNumbers();
  for (let round = 0; round < rounds; round += 1) {
    const trace = new KilledTracer([1, 2, 3, 3, 3][Math.floor(random() * 5)] ?? 3, random() * 1800);
    try {
      await detachOnce(host, trace, program, devices);
      trace.killNow();
      await isWell(program, fs, `seed ${seed}, killed in round ${round}, ${trace.says}`);
      const holds = (host.processes.mappings(program.pid, devices) as readonly unknown[]).length > 0;
      counts[holds ? 'stillHolding' : 'letGo'] += 1;
      tell(`tracer killed, round ${round + 1}: ${JSON.stringify(counts)}`);
      const whole = new Tracer();
      assert.equal(await detachOnce(host, whole, program, devices), 'done', `whole detach after round ${round}`);
      whole.close();
      fs.unmount();
      await isWell(program, fs, `seed ${seed}, after round ${round}`);
      fs.mount();
      assert.match(await program.ask('map'), /^mapped/);
    } finally {
      trace.close();
    }
  }
  return counts;
}

/** Its child dies `delayUs` after the request number `fatal` was sent: 1 is the stop, then the injections. */
class KilledTracer extends Tracer {
  private requests = 0;
  private readonly fatal: number;
  private readonly delayUs: number;

  constructor(fatal: number, delayUs: number) {
    super();
    this.fatal = fatal;
    this.delayUs = delayUs;
  }

  get says(): string {
    return `request ${this.fatal}, ${Math.round(this.delayUs)} us`;
  }

  override async stop(...args: Parameters<Tracer['stop']>): ReturnType<Tracer['stop']> {
    if (this.childPid === null) await this.putBackWhenGone([]);
    const answer = super.stop(...args);
    this.perhapsKill();
    return answer;
  }

  override inject(...args: Parameters<Tracer['inject']>): ReturnType<Tracer['inject']> {
    const answer = super.inject(...args);
    this.perhapsKill();
    return answer;
  }

  killNow(): void {
    const pid = this.childPid;
    if (pid !== null) process.kill(pid, 'SIGKILL');
  }

  private perhapsKill(): void {
    this.requests += 1;
    if (this.requests !== this.fatal) return;
    spin(this.delayUs / 1000);
    this.killNow();
  }
}

export type Victim = 'unseat' | 'child' | 'both';

/**
 * `rounds` times: a whole removal in a process of its own, and after some milliseconds unseat, its tracing child, or both
 * are killed. The holder must live, nothing may be left stopped, and `resume` must bring the removal to its end.
 */
export async function killedRemovals(host: Host, fs: LoopMount, program: Program, rounds: number, seed: number, victim: Victim, tell: Tell = () => undefined): Promise<Record<string, number>> {
  const random = seeded(seed);
  const ends: Record<string, number> = {};
  for (let round = 0; round < rounds; round += 1) {
    // Steps 2 and 4 are the stop and the detach: milliseconds. The calls are injected in the first few after step 4 has begun.
    const injecting = round % 3 === 2;
    const delay = injecting ? random() * 8 : random() ** 2 * (round % 3 === 0 ? 300 : 12);
    const what = `seed ${seed}, round ${round}, ${victim} killed after ${delay.toFixed(1)} ms`;
    const unseat = starting(fs, 'detach');
    assert.equal(await unseat.line(), 'ready', what);
    const children = childrenOf(unseat.pid);
    unseat.child.stdin.write('go\n');
    await journalReaches(fs, `"begin","step":"${[1, 2, 4][round % 3]}"`);
    if (injecting) spin(delay);
    else await new Promise((done) => setTimeout(done, delay));
    if (victim !== 'child') unseat.kill();
    if (victim !== 'unseat') for (const pid of children) tryKill(pid);
    const said = await unseat.line();
    // A removal that has told its end may still run for a moment, and nobody takes it over from a process that lives.
    await unseat.gone();
    await letGo(program, what);
    await isWell(program, fs, what);
    const end = await resumed(host, fs, said);
    ends[end] = (ends[end] ?? 0) + 1;
    tell(`${victim} killed, round ${round + 1}: ${JSON.stringify(ends)}`);
    await isWell(program, fs, `${what}, after ${end}`);
    fs.attach();
    assert.match(await program.ask('map'), /^mapped/, what);
  }
  return ends;
}

/** So that kills fall on every part of a removal, and not mostly on its slow ones. */
async function journalReaches(fs: LoopMount, words: string): Promise<void> {
  const path = journalPath(`loop:${basename(fs.device)}`);
  for (const until = performance.now() + 20_000; performance.now() < until;) {
    if (existsSync(path) && readFileSync(path, 'utf8').includes(words)) return;
    await new Promise((done) => setImmediate(done));
  }
}

/** A timer is good for milliseconds at best. */
function spin(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

function starting(fs: LoopMount, what: string): Program {
  return new Program(process.execPath, [join(import.meta.dirname, 'remove-loop.ts'), fs.mountPoint, fs.device, [...fs.numbers].join(','), what]);
}

/** Brings the removal to its end, whatever state the kill has left. */
async function resumed(host: Host, fs: LoopMount, said: string): Promise<string> {
  if (said.includes('"done"')) return 'done before the kill';
  const left = findJournals(host).some((j) => j.path === journalPath(`loop:${basename(fs.device)}`));
  for (const what of left ? ['resume'] : ['detach']) {
    const again = starting(fs, what);
    assert.equal(await again.line(), 'ready');
    again.child.stdin.write('go\n');
    const answer = await again.line();
    assert.match(answer, /"status":"done"/, answer);
  }
  return left ? 'resumed' : 'begun again';
}

const childrenOf = (pid: number): number[] => readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter((p) => p !== '').map(Number);

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It had ended by itself.
  }
}

/** The kernel, or the child that has lost us, lets every thread go. */
async function letGo(program: Program, what: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (/^TracerPid:\s*0$/m.test(readFileSync(`/proc/${program.pid}/status`, 'latin1'))) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  assert.fail(`${what}: still traced`);
}
