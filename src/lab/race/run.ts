/** Boots a guest and lets it remove its device again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { FromGuest, KillRound, PauseRound, RaceRound } from '../channel/protocol.ts';
import type { LabKernel } from '../kernels.ts';
import { prepare, RunningGuest } from '../run/boot.ts';
import { raceScenario, type RaceFs } from './scenario.ts';

export interface RaceOptions {
  readonly what: 'churn' | 'kill' | 'pause';
  readonly rounds: number;
  readonly seed: number;
  readonly fs: RaceFs;
  /** Begin no round after so many seconds of the guest's. */
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface RaceRun {
  readonly what: 'churn' | 'kill' | 'pause';
  readonly kernel: string;
  readonly release: string;
  readonly version: string;
  readonly qemu: string;
  readonly fs: RaceFs;
  readonly seed: number;
  readonly rounds: readonly (RaceRound | KillRound | PauseRound)[];
  /** Why it ended before its time; null where all is well. */
  readonly reason: string | null;
  readonly log: Readonly<Record<string, number>>;
  readonly logLines: readonly string[];
}

const SILENCE_MS = 240_000;

/** @throws UnseatError LAB where the guest does not get ready */
export async function runRace(kernel: LabKernel, options: RaceOptions): Promise<RaceRun> {
  const scenario = raceScenario(options.fs);
  const prepared = await prepare(kernel, scenario);
  const rounds: (RaceRound | KillRound | PauseRound)[] = [];
  let release = kernel.release;
  let end: Extract<FromGuest, { type: 'race-ended' }> | null = null;
  let failed: string | null = null;
  let ready = false;
  let last = performance.now();
  const guest: RunningGuest = await RunningGuest.start(prepared, scenario, (message) => {
    last = performance.now();
    if (message.type === 'hello') {
      release = message.release;
      guest.send({ type: 'race', scenario, what: options.what, rounds: options.rounds, seed: options.seed, seconds: options.seconds });
    } else if (message.type === 'ready') ready = true;
    else if (message.type === 'round') {
      rounds.push(message.round);
      options.say(told(message.round));
    } else if (message.type === 'race-ended') end = message;
  });
  void guest.ended.then((stderr) => { failed = `QEMU ended: ${stderr.trim()}`; });
  while (end === null && failed === null && performance.now() - last < SILENCE_MS) await sleep(100);
  const tail = guest.console().split('\n').slice(-40);
  await guest.stop();
  if (!ready && rounds.length === 0) throw new UnseatError('LAB', 'the guest of the race did not get ready', { subject: kernel.name, cause: failed ?? (end as { reason: string | null } | null)?.reason ?? tail.join('\n') });
  const whole = end as Extract<FromGuest, { type: 'race-ended' }> | null;
  return {
    what: options.what, kernel: kernel.name, release, version: kernel.version, qemu: prepared.qemuVersion, fs: options.fs, seed: options.seed, rounds,
    reason: whole === null ? (failed ?? 'the guest fell silent') : whole.reason, log: whole?.log ?? {}, logLines: whole?.lines ?? tail,
  };
}

function told(round: RaceRound | KillRound | PauseRound): string {
  if ('way' in round) return `${round.n}: ${round.way}, ${round.bytes / 1024 ** 2} MiB in ${round.files} file(s), ${round.entries}: ${round.total} ms, pause ${round.pause ?? '-'}, letting go ${round.lettingGo ?? '-'}, stale ${round.stale}`;
  if ('killed' in round) return `${round.n}: ${round.killed} killed at ${round.at} ms${round.inTime ? '' : ' (too late)'}; ${round.mended}${round.mendedStatus === null ? '' : ` ${round.mendedStatus}`}; ${round.state}; harmed ${round.harmed.join(', ') || 'nobody'}; stale ${round.stale}${round.intact === true ? '' : '; FILE NOT INTACT'} ${round.says}`;
  return `${round.n}: ${round.status} in ${round.milliseconds} ms; stale ${round.stale}, SIGBUS ${round.sigbus} of ${round.pages}, mapped again ${round.churned} times, opener at ${Math.round(round.opensAt / 1000)} ms ${round.opened ? 'got in' : 'came too late'}, exposed ${round.exposed}${round.intact === false ? '; FILE NOT INTACT' : ''}${round.why === null ? '' : `; ${round.why}`}`;
}
