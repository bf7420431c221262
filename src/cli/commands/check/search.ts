/** Carries out the searches of `unseat check` as the options say, with progress, Ctrl-C and checkpoints. */
import { UnseatError } from '../../../errors/unseat-error.ts';
import { decodeCheckpoint, encodeCheckpoint, type Identity } from '../../../explore/checkpoint.ts';
import { fingerprint } from '../../../explore/fingerprint.ts';
import type { CheckResult } from '../../../explore/litmus/check.ts';
import type { Litmus } from '../../../explore/litmus/schema.ts';
import { checkBy, type StrategyOptions } from '../../../explore/litmus/strategy.ts';
import type { Keeper } from '../../../explore/long-search.ts';
import type { Program } from '../../../explore/program.ts';
import type { Profile } from '../../../profile/profile.ts';
import type { Output } from '../../print/output.ts';
import type { SearchChoice } from './search-options.ts';

/** Milliseconds between two checkpoints, between two lines of progress, and before a rate is worth telling. */
const KEEP_EVERY = 60_000;
const TELL_EVERY = 100;
const RATE_AFTER = 1000;

export interface Job {
  readonly test: Litmus;
  readonly text: string;
  readonly profile: Profile;
}

/** @throws UnseatError USAGE where a search is to be kept or taken up and there are several */
export async function searchAll(jobs: readonly Job[], choice: SearchChoice, all: boolean, out: Output): Promise<CheckResult[]> {
  const { liveTime } = await import('../../../host/live/time.ts');
  const { startThread } = await import('../../../host/live/threads.ts');
  const keeps = choice.checkpoint !== null || choice.resume !== null;
  if (keeps && jobs.length !== 1) throw new UnseatError('USAGE', '--checkpoint and --resume are for one litmus test on one profile', { seen: `${jobs.length} searches`, next: 'Name one test and one --profile.' });
  let stopped = false;
  const onSignal = (): void => { stopped = true; };
  if (choice.checkpoint !== null) process.once('SIGINT', onSignal);
  const { checkpoint, resume, ...rules } = choice;
  const results: CheckResult[] = [];
  try {
    for (const { test, text, profile } of jobs) {
      const name = `${test.litmus} on ${profile.name}`;
      const began = liveTime.now();
      let told = began;
      out.progress(`${name} ...`);
      const options: StrategyOptions = {
        ...rules, all, now: () => liveTime.now(), startThread, sleep: (milliseconds) => liveTime.sleep(milliseconds), interrupted: () => stopped,
        onProgress: (states, depth) => {
          const time = liveTime.now();
          if (time - told < TELL_EVERY) return;
          told = time;
          out.progress(progressLine(name, states, depth, time - began));
        },
        ...(resume === null ? {} : { resume: await resumed(resume, all) }),
        ...(checkpoint === null ? {} : { keeper: await keeperOf(checkpoint, all, () => liveTime.now(), out) }),
      };
      results.push(await checkBy(test, text, profile, options));
    }
  } finally {
    process.removeListener('SIGINT', onSignal);
  }
  return results;
}

/** `states, depth` and, once it means something, the rate. */
export function progressLine(name: string, states: number, depth: number, milliseconds: number): string {
  const rate = milliseconds < RATE_AFTER ? '' : `, ${Math.round(states / milliseconds)} thousand states/s`;
  return `${name}: ${states} states, depth ${depth}${rate}`;
}

const identityOf = (program: Program<never>, all: boolean): Identity => ({ program: program.name, fingerprint: fingerprint(program), all, symmetry: false });

async function resumed(path: string, all: boolean): Promise<NonNullable<StrategyOptions['resume']>> {
  const { readWhole } = await import('../../../host/live/whole-file.ts');
  return (program) => decodeCheckpoint(readWhole(path), identityOf(program, all), path);
}

async function keeperOf(path: string, all: boolean, now: () => number, out: Output): Promise<(program: Program<never>) => Keeper> {
  const { replaceWhole } = await import('../../../host/live/whole-file.ts');
  return (program) => {
    const identity = identityOf(program, all);
    // Kept at once for the first time: a place that cannot be written is told now, not in an hour.
    let last = -Infinity;
    return {
      due: () => now() - last >= KEEP_EVERY,
      keep: (snapshot, stopped) => {
        const first = last === -Infinity;
        last = now();
        try {
          replaceWhole(path, encodeCheckpoint(identity, snapshot));
          if (stopped) out.note(`kept in ${path}: ${snapshot.table.count} states, depth ${snapshot.depth}; go on with --resume ${path}`);
        } catch (error) {
          if (first || !(error instanceof UnseatError)) throw error;
          out.note(`not kept in ${path}: ${error.facts.cause ?? error.message}; the search goes on`);
        }
      },
    };
  };
}
