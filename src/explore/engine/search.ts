/**
 * Every interleaving of the engine's host calls with the deeds of other processes, without states: each is a run of its
 * own from the start. Depth-first over the places of the deeds. A deed is moved later as long as what comes next does
 * not touch what it touched; of the runs that are then the same, one is made (the word that is smallest when the engine
 * goes before the deeds, and the deeds in the order of their actors).
 */
import type { EngineCase } from './engine-case.ts';
import { runOnce, type Placed, type RunResult } from './one-run.ts';

export interface EngineSearchOptions {
  readonly now: () => number;
  /** Stop after so many runs; the verdict is then not complete. */
  readonly maxRuns?: number;
  /** Deeds that may stand between host calls; the others wait for the engine's end. Bounds the preemptions. */
  readonly maxDeeds?: number;
  /** Every placement is run to its end. */
  readonly reduce?: boolean;
  /** Go on after the first wrong end. */
  readonly all?: boolean;
  readonly onProgress?: (runs: number) => void;
  /** Each run that went to its end. */
  readonly onRun?: (result: RunResult) => void;
}

export interface EngineVerdict {
  /** Runs that went to their end, and runs that were cut because another stands for them. */
  readonly runs: number;
  readonly cut: number;
  /** Host calls of a run in which everybody waits for the engine's end. */
  readonly calls: number;
  readonly complete: boolean;
  readonly stoppedBecause: string | null;
  /** How the removals ended, with how often. */
  readonly ends: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly wrong: readonly string[]; readonly placed: readonly Placed[]; readonly story: readonly string[] }[];
  readonly milliseconds: number;
}

export async function searchEngine(test: EngineCase, options: EngineSearchOptions): Promise<EngineVerdict> {
  const began = options.now();
  const deeds = test.actors.reduce((sum, actor) => sum + actor.deeds.length, 0);
  const depth = Math.min(options.maxDeeds ?? deeds, deeds);
  const ends: Record<string, number> = {};
  const failures: { wrong: readonly string[]; placed: readonly Placed[]; story: readonly string[] }[] = [];
  let [runs, cut, calls] = [0, 0, 0];
  let stop: string | null = null;
  // Fewest deeds first, early places first: what is found first is short to read.
  let level: (readonly Placed[])[] = [[]];
  for (let length = 0; length <= depth && stop === null; length += 1) {
    const next: (readonly Placed[])[] = [];
    for (const placed of level) {
      if (options.maxRuns !== undefined && runs + cut >= options.maxRuns) stop = `the limit of ${options.maxRuns} runs was reached`;
      if (stop !== null) break;
      const result = await runOnce(test, placed, options.reduce !== false);
      options.onProgress?.(runs + cut);
      if (length < depth) next.push(...placesAfter(placed, result));
      if (result.was !== 'whole') {
        cut += 1;
        continue;
      }
      runs += 1;
      if (length === 0) calls = result.calls;
      ends[result.status] = (ends[result.status] ?? 0) + 1;
      options.onRun?.(result);
      if (result.wrong.length === 0) continue;
      failures.push({ wrong: result.wrong, placed, story: result.story });
      if (options.all !== true) stop = 'a wrong end was found';
    }
    level = next;
  }
  return { runs, cut, calls, complete: stop === null && depth === deeds, stoppedBecause: stop ?? (depth === deeds ? null : `at most ${depth} deeds were placed between host calls`), ends, failures, milliseconds: options.now() - began };
}

/** One more deed, at any later place where its actor is ready. After a run that was cut only beside its last deed: what comes later is another run's. */
function placesAfter(placed: readonly Placed[], { ready, was }: RunResult): (readonly Placed[])[] {
  if (was === 'same-as-swapped') return [];
  const at = placed.at(-1)?.at ?? 0;
  return ready.filter((point) => was === 'whole' || point.at === at).flatMap((point) => point.actors.map((actor) => [...placed, { at: point.at, actor }]));
}
