/** Checks one litmus test under one profile, and holds the answer against what the test expects. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Profile } from '../../profile/profile.ts';
import { BreadthFirst } from '../breadth-first.ts';
import { searchReduced } from '../reduced.ts';
import type { Verdict, Violation } from '../verdict.ts';
import { buildLitmus } from './build.ts';
import type { Litmus } from './schema.ts';

/** `vacuous`: it shows nothing, since something never happens or is never asked. `absent`: this kernel cannot make such a machine (no CXL ram regions before 6.3). */
export type Status = 'ok' | 'violated' | 'vacuous' | 'bounded' | 'absent';

export interface CheckOptions {
  readonly now: () => number;
  /** Look for every property that can be violated, not only the one nearest to the start. */
  readonly all?: boolean;
  readonly maxStates?: number;
  /** Without reductions every reachable state is visited; for counts and for validation. */
  readonly reduce?: boolean;
  /** See ExpanderOptions. */
  readonly selfCheck?: number;
  readonly onProgress?: (states: number, depth: number) => void;
}

export interface CheckResult {
  readonly litmus: string;
  readonly title: string;
  readonly profile: string;
  readonly status: Status;
  /** Properties found violated: names of the test's own, `oops`, `hang`. */
  readonly violated: readonly string[];
  readonly expected: readonly string[] | null;
  /** Whether the answer is what the test expects. Null where it expects nothing for this profile. */
  readonly asExpected: boolean | null;
  readonly says: string;
  readonly verdict: Verdict | null;
}

/** What a violation is called in `expect`. */
export const violationName = (violation: Violation): string => (violation.kind === 'oops' || violation.kind === 'hang' ? violation.kind : violation.property);

/** What the test expects of a profile: `[]` for ok, null where it does not say. */
export function expected(test: Litmus, profile: string): readonly string[] | null {
  const said = test.expect[profile] ?? test.expect['default'];
  return said === undefined ? null : said === 'ok' ? [] : said;
}

export function checkLitmus(test: Litmus, profile: Profile, options: CheckOptions): CheckResult {
  const program = tryBuild(test, profile);
  return program instanceof UnseatError ? absent(test, profile, program) : searchLitmus(test, profile, program, options);
}

/** This kernel cannot make such a machine, for the reason given. */
export function absent(test: Litmus, profile: Profile, program: UnseatError): CheckResult {
  const wanted = expected(test, profile.name);
  return { litmus: test.litmus, title: test.title, profile: profile.name, expected: wanted, status: 'absent', violated: [], asExpected: wanted === null ? null : wanted.length === 0, says: program.message, verdict: null };
}

/** The search alone, of a program that `buildLitmus` made from this test and profile. */
export function searchLitmus(test: Litmus, profile: Profile, program: ReturnType<typeof buildLitmus>, options: CheckOptions): CheckResult {
  const search = { now: options.now, all: options.all ?? false, selfCheck: options.selfCheck ?? 0, ...(options.maxStates === undefined ? {} : { maxStates: options.maxStates }), ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }) };
  return judge(test, profile, options.reduce === false ? new BreadthFirst(program, search).run() : searchReduced(program, search), options.all === true);
}

/** Holds a verdict, however it was found, against what the test expects. `all`: every violation was looked for. */
export function judge(test: Litmus, profile: Profile, verdict: Verdict, all: boolean): CheckResult {
  const base = { litmus: test.litmus, title: test.title, profile: profile.name, expected: expected(test, profile.name) };
  const violated = [...new Set(verdict.violations.map(violationName))].sort();
  const unasked = test.finally.filter((text) => verdict.neverAsked.includes(text));
  const status: Status = violated.length > 0 ? 'violated' : !verdict.complete ? 'bounded' : verdict.neverSeen.length + unasked.length > 0 ? 'vacuous' : 'ok';
  // What a test says comes in some order must come, and what it asks at the end must be asked, whatever else is found; only a search for everything can tell.
  const missed = all && verdict.complete ? [...neverHappens(test.sometimes.filter((text) => verdict.neverSeen.includes(text))), ...neverAsked(unasked)] : [];
  const asExpected = base.expected === null ? null : missed.length === 0 && matches(status, violated, base.expected, all);
  return { ...base, status, violated, asExpected, says: [says(status, verdict, unasked), ...(status === 'violated' ? missed : [])].join('; '), verdict };
}

const neverHappens = (texts: readonly string[]): string[] => (texts.length === 0 ? [] : [`never happens: ${texts.join('; ')}`]);
/** A `finally` line of a test that no state was asked for is a mistake of the test, or of the kernel that never comes to rest. */
const neverAsked = (texts: readonly string[]): string[] => (texts.length === 0 ? [] : [`never asked, since in every state somebody can go on: finally ${texts.join('; ')}`]);

/** A search for every violation must find exactly what is expected; one that stops at the first must find one of it. */
function matches(status: Status, violated: readonly string[], wanted: readonly string[], all: boolean): boolean {
  if (status === 'bounded' || status === 'vacuous') return false;
  if (wanted.length === 0) return violated.length === 0;
  return violated.length > 0 && violated.every((name) => wanted.includes(name)) && (!all || wanted.every((name) => violated.includes(name)));
}

function says(status: Status, verdict: Verdict, unasked: readonly string[]): string {
  if (status === 'ok') return `no interleaving does it: ${verdict.stats.states} states`;
  if (status === 'violated') return verdict.violations.map((v) => v.property).join('; ');
  if (status === 'vacuous') return [...neverHappens(verdict.neverSeen), ...neverAsked(unasked)].join('; ');
  return verdict.stoppedBecause ?? 'the search was not finished';
}

/** The program, or why this kernel cannot make such a machine. */
export function tryBuild(test: Litmus, profile: Profile): ReturnType<typeof buildLitmus> | UnseatError {
  try {
    return buildLitmus(test, profile);
  } catch (error) {
    if (error instanceof UnseatError && error.code === 'UNSUPPORTED') return error;
    if (error instanceof UnseatError && error.code === 'INTERNAL' && error.message.startsWith('simulated set-up failed')) return new UnseatError('UNSUPPORTED', error.message, error.facts);
    throw error;
  }
}
