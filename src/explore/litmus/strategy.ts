/** One litmus test under one profile by any of the searches: which of them combine, and with what. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Profile } from '../../profile/profile.ts';
import { BreadthFirst } from '../breadth-first.ts';
import { DepthFirst } from '../depth-first.ts';
import { runLong, type Keeper } from '../long-search.ts';
import { searchShared, type SharedOptions } from '../parallel/shared-search.ts';
import { BoundedPreemptions } from '../preemptions.ts';
import type { Program, WithHeap } from '../program.ts';
import { searchReduced } from '../reduced.ts';
import type { Snapshot } from '../snapshot.ts';
import type { StopRules } from '../stop-rules.ts';
import type { Verdict } from '../verdict.ts';
import { absent, judge, tryBuild, type CheckResult } from './check.ts';
import type { Litmus } from './schema.ts';

export type Strategy = { readonly kind: 'breadth' } | { readonly kind: 'depth'; readonly seed?: number } | { readonly kind: 'preemptions'; readonly bound: number };

export interface StrategyOptions extends StopRules {
  readonly strategy: Strategy;
  readonly now: () => number;
  readonly all: boolean;
  /** Partial-order reduction: only for a breadth-first search by one thread that is not kept. */
  readonly reduce: boolean;
  readonly workers: number;
  /** See ExpanderOptions. */
  readonly selfCheck: number;
  readonly remember?: boolean;
  readonly startThread: SharedOptions['startThread'];
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly onProgress?: (states: number, depth: number) => void;
  /** Takes up a search, and keeps it: both know of which program. */
  readonly resume?: (program: Program<never>) => Snapshot;
  readonly keeper?: (program: Program<never>) => Keeper;
}

/** @param text of the litmus file: each thread builds the program from it */
export async function checkBy(test: Litmus, text: string, profile: Profile, options: StrategyOptions): Promise<CheckResult> {
  const program = tryBuild(test, profile);
  if (program instanceof UnseatError) return absent(test, profile, program);
  return judge(test, profile, await search(program as unknown as Program<never>, { kind: 'litmus', text, path: test.litmus, profile: profile.name }, options), options.all);
}

async function search(program: Program<never>, source: Parameters<typeof searchShared>[0], options: StrategyOptions): Promise<Verdict> {
  const { strategy, now, all, selfCheck, remember = true, onProgress, resume, keeper, workers, sleep, startThread, reduce } = options;
  const { maxStates, maxMilliseconds, maxBytes, interrupted } = options;
  const rules = { ...(maxStates === undefined ? {} : { maxStates }), ...(maxMilliseconds === undefined ? {} : { maxMilliseconds }), ...(maxBytes === undefined ? {} : { maxBytes }), ...(interrupted === undefined ? {} : { interrupted }) };
  const common = { now, all, selfCheck, remember, ...rules, ...(onProgress === undefined ? {} : { onProgress }) };
  if (strategy.kind === 'depth') return new DepthFirst(program, { ...common, ...(strategy.seed === undefined ? {} : { seed: strategy.seed }) }).run();
  if (strategy.kind === 'preemptions') return new BoundedPreemptions(program, { ...common, bound: strategy.bound }).run();
  const kept = { ...(resume === undefined ? {} : { from: resume(program) }), ...(keeper === undefined ? {} : { keeper: keeper(program) }) };
  if (workers > 1) return await searchShared(source, { ...common, ...kept, workers, startThread, sleep });
  if (!reduce || resume !== undefined || keeper !== undefined) return await runLong(new BreadthFirst(program as Program<WithHeap> & Program<never>, { ...common, ...kept }), { breathe: () => sleep(0), ...kept });
  return searchReduced(program, common);
}
