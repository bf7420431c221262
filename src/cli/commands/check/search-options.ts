/** Options of `unseat check` that say how to search: read, held against each other, and told in the help. */
import type { Command } from 'commander';
import { UnseatError } from '../../../errors/unseat-error.ts';
import type { Strategy } from '../../../explore/litmus/strategy.ts';

type Options = Readonly<Record<string, unknown>>;

export interface SearchChoice {
  readonly strategy: Strategy;
  readonly workers: number;
  readonly reduce: boolean;
  readonly selfCheck: number;
  readonly remember: boolean;
  readonly checkpoint: string | null;
  readonly resume: string | null;
  readonly maxStates?: number;
  readonly maxMilliseconds?: number;
  readonly maxBytes?: number;
}

/** States per search unless told otherwise: keeps a run of the whole library in minutes. Searches that are kept or shared have no such limit. */
const MAX_STATES = 2_000_000;
/** Threads of one search: more than a machine has processors gain nothing. */
const MOST_WORKERS = 64;
/** Of the steps, one in so many is run once more by --self-check. */
const CHECK_ONE_IN = 16;

export function searchOptions(command: Command): void {
  command
    .option('--search <how>', 'breadth (default), depth, or preemptions=N')
    .option('--seed <n>', 'with --search depth: other ways first; the same seed goes the same ways')
    .option('--workers <n>', 'so many threads on one table of states; implies --no-reduce')
    .option('--max-states <n>', 'stop a search at so many states; its verdict is then "bounded"')
    .option('--max-time <seconds>', 'the same by time')
    .option('--max-memory <MiB>', 'the same by memory for states')
    .option('--no-reduce', 'visit every reachable state, without partial-order reduction')
    .option('--no-remember', 'carry out every step and ask every property anew, though they found the same before')
    .option('--checkpoint <file>', 'keep the search there each minute and when it stops; implies --no-reduce')
    .option('--resume <file>', 'go on with a search that was kept')
    .option('--self-check', `run one step in ${CHECK_ONE_IN} once more, to see that it does the same as before and as remembered`);
}

export const SEARCH_HELP = `
Searches. Breadth-first names a shortest counterexample. Depth-first and preemptions=N (at most N switches away from a
thread that could go on) are for quick counterexamples, with all states seen remembered; without one, depth-first has
seen everything, and preemptions=N has unless it says "bounded".
Partial-order reduction is used by breadth-first searches of one thread alone: --workers, --checkpoint, --resume, depth
and preemptions=N visit every state. Workers count the same states and find the same verdict and length as one thread;
which of several shortest ways is named may differ. Symmetry combines with all of them, but litmus tests declare none.
--checkpoint and --resume are for one test on one profile, breadth-first, by any number of workers. Ctrl-C ends such a
search after its level and keeps it. Rules of states, time and memory are looked at after each level too.`;

export function readSearchOptions(options: Options): SearchChoice {
  const strategy = strategyOf(options);
  const workers = wholeNumber(options, 'workers', '--workers', 1, MOST_WORKERS) ?? 1;
  const checkpoint = textOf(options['checkpoint']);
  const resume = textOf(options['resume']);
  const long = workers > 1 || checkpoint !== null || resume !== null;
  if (long && strategy.kind !== 'breadth') throw new UnseatError('USAGE', `--search ${strategy.kind} is a search of one thread, from its start to its end`, { next: 'Leave out --workers, --checkpoint and --resume, or --search.' });
  const maxStates = wholeNumber(options, 'maxStates', '--max-states', 1) ?? (long ? undefined : MAX_STATES);
  const seconds = number(options, 'maxTime', '--max-time', 'number of seconds');
  const mebibytes = number(options, 'maxMemory', '--max-memory', 'number of MiB');
  return {
    strategy, workers, reduce: options['reduce'] !== false, selfCheck: options['selfCheck'] === true ? CHECK_ONE_IN : 0, remember: options['remember'] !== false, checkpoint, resume,
    ...(maxStates === undefined ? {} : { maxStates }),
    ...(seconds === undefined ? {} : { maxMilliseconds: seconds * 1000 }),
    ...(mebibytes === undefined ? {} : { maxBytes: mebibytes * 1048576 }),
  };
}

function strategyOf(options: Options): Strategy {
  const text = textOf(options['search']) ?? 'breadth';
  const seed = wholeNumber(options, 'seed', '--seed', 0);
  if (seed !== undefined && text !== 'depth') throw new UnseatError('USAGE', '--seed is for --search depth', { seen: text });
  if (text === 'breadth') return { kind: 'breadth' };
  if (text === 'depth') return { kind: 'depth', ...(seed === undefined ? {} : { seed }) };
  const bound = /^preemptions=(\d{1,4})$/.exec(text)?.[1];
  if (bound === undefined) throw new UnseatError('USAGE', 'there is no such search', { subject: '--search', seen: text, next: 'Take breadth, depth or preemptions=N.' });
  return { kind: 'preemptions', bound: Number(bound) };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function wholeNumber(options: Options, key: string, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined {
  const value = number(options, key, name, key === 'maxStates' ? 'number of states' : 'number');
  if (value !== undefined && (!Number.isInteger(value) || value < least || value > most)) throw new UnseatError('USAGE', `a whole number from ${least} to ${most} is expected`, { subject: name, seen: String(options[key]) });
  return value;
}

function number(options: Options, key: string, name: string, what: string): number | undefined {
  const text = options[key];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value < 0) throw new UnseatError('USAGE', `"${String(text)}" is no ${what}`, { subject: name });
  return value;
}
