/** A litmus test as a program for the explorer: set up anew for each profile. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { AT, repeat, STOP, type Path, type PathFunction } from '../../kernel/state/path.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Program, Property } from '../program.ts';
import { REST_NAMES, restChecks } from './at-rest.ts';
import { buildMachine, reserveRoom } from './machine.ts';
import { parseOperation } from './operation.ts';
import { makePredicates } from './predicates.ts';
import type { Subjects } from './subjects.ts';
import { parsePredicates } from './predicate-text.ts';
import { addProcessNamed, type ProcessHandle } from './processes.ts';
import type { Litmus } from './schema.ts';
import { Line, type Step } from './verb.ts';
import { VERBS } from './verbs.ts';
import { wordNames } from './word-names.ts';

interface ThreadStep extends Step {
  readonly as: string | null;
  readonly must: boolean;
}

/** Every thread has ended: guards against a model that proves nothing because it never gets anywhere. */
export const EVERYBODY_ENDS = 'everybody ends';

/**
 * How the lines of a thread follow each other. `joined`: nothing stands between them. `marked`: a word of each thread
 * counts its lines that are over, so that a replay tells which step was in which line. `apart`: another thread can run
 * between any two lines, at a point named `line N`.
 */
export type LineJoin = 'joined' | 'marked' | 'apart';

/** What the word is called that counts a thread's lines under `marked`. */
export const lineMark = (thread: string): string => `lines over of ${thread}`;

/**
 * @throws UnseatError BAD_SCENARIO where a name or a value does not fit, UNSUPPORTED where this kernel has no such thing
 */
export function buildLitmus(test: Litmus, profile: Profile, lines: LineJoin = 'joined'): Program<Kernel> {
  const built = buildMachine(test.machine, profile);
  const processes = new Map<string, ProcessHandle>();
  for (const [name, spec] of Object.entries(test.processes)) processes.set(name, addProcessNamed(built, name, spec));
  reserveRoom(built.k);
  const names = Object.keys(test.threads);
  const marks = names.map(() => (lines === 'marked' ? built.k.heap.reserve(1) : 0));
  const threads = names.map((name, i) => {
    const steps = (test.threads[name] as readonly string[]).map((text) => stepOf(built, processes, text));
    return { name, path: threadPath(steps, lines === 'apart', marks[i] as number), args: [], daemon: test.daemons.includes(name) };
  });
  const subjects: Subjects = { built, processes, threads: names, twin: () => buildMachine(test.machine, profile) };
  const property = (kind: Property['kind']) => (text: string): Property<Kernel> => ({ name: text, kind, holds: makePredicates(subjects, parsePredicates(text)) });
  const workers = names.map((_, i) => i).filter((i) => threads[i]?.daemon !== true);
  const ends: Property<Kernel> = { name: EVERYBODY_ENDS, kind: 'sometimes', holds: (_k, done) => workers.every((i) => done(i) !== undefined) };
  const checks = restChecks(subjects, test);
  const rest: Property<Kernel>[] = REST_NAMES.map((name) => ({ name, kind: 'finally', holds: (k, done) => !workers.every((i) => done(i) !== undefined) || checks[name](k) === null }));
  const { nameOf, showValue } = wordNames(subjects);
  return {
    name: `${test.litmus} on ${profile.name}`,
    context: built.k,
    threads,
    properties: [...test.never.map(property('never')), ...test.sometimes.map(property('sometimes')), ...test.finally.map(property('finally')), ...rest, ends],
    allowHang: test.allow.includes('hang'),
    allowOops: test.allow.includes('oops'),
    nameOf: (address) => (address !== 0 && marks.includes(address) ? lineMark(names[marks.indexOf(address)] as string) : nameOf(address)),
    showValue,
  };
}

function stepOf(built: ReturnType<typeof buildMachine>, processes: ReadonlyMap<string, ProcessHandle>, text: string): ThreadStep {
  const op = parseOperation(text);
  const verb = VERBS[op.verb];
  if (verb === undefined) throw new UnseatError('BAD_SCENARIO', `there is no operation ${op.verb}`, { seen: text });
  return { ...verb.make(new Line(built, processes, op)), as: op.as, must: op.must };
}

/** The lines one after the other. What a line did is forgotten but for its result. */
function threadPath(steps: readonly ThreadStep[], apart: boolean, mark: number): PathFunction<Kernel> {
  const groups = groupsOf(steps);
  /** The result of the last line that was run; `ended` is told where it is the last of the thread. */
  function* run(k: Kernel, [from, to]: Group, ended: () => void = () => undefined): Path {
    const results = new Map<string, number>();
    let last = 0;
    for (let i = from; i < to; i += 1) {
      const step = steps[i] as ThreadStep;
      if (apart && i > 0) yield AT(`line ${i + 1}`);
      const args = step.args.map((a) => (typeof a === 'number' ? a : (results.get(a.result) ?? 0)));
      last = yield* k.call(step.path, ...args);
      if (mark !== 0) k.heap.store(mark, i + 1);
      if (step.as !== null) results.set(step.as, last);
      if (step.must && last < 0) {
        ended();
        break;
      }
    }
    return last;
  }
  /** `next`: the group to run, or the error that one of them ended the thread with. */
  function* round(k: Kernel, next = 0): Path {
    if (next < 0 || next === groups.length - 1) return STOP;
    let over = false;
    const last = yield* run(k, groups[next] as Group, () => { over = true; });
    return over ? last : next + 1;
  }
  return function* thread(k: Kernel): Path {
    const end = groups.length === 1 ? 0 : yield* repeat(k, round, 0);
    return end < 0 ? end : yield* run(k, groups.at(-1) as Group);
  };
}

/** Lines from, to: one group after the other. */
type Group = readonly [number, number];

/** Lines that belong together because a later one asks for the result of an earlier one, or because it may end the thread: what went on in a group is forgotten when it is over. */
function groupsOf(steps: readonly ThreadStep[]): Group[] {
  const groups: Group[] = [];
  let from = 0;
  for (let to = 1; to <= steps.length; to += 1) {
    const asked = steps.slice(to).flatMap((step) => step.args.flatMap((a) => (typeof a === 'number' ? [] : [a.result])));
    if (to < steps.length && steps.slice(from, to).some((step) => step.as !== null && asked.includes(step.as))) continue;
    groups.push([from, to]);
    from = to;
  }
  return groups;
}
