/**
 * Search with partial-order reduction. What threads may touch is learnt while searching, so a search is repeated until
 * it taught nothing that it would have had to know: then every state it left out was rightly left out. A violation found
 * on the way is real in any case; its shortest counterexample is then looked for without reduction.
 */
import { FOUND } from './answer.ts';
import { BreadthFirst, type SearchOptions } from './breadth-first.ts';
import { Footprints } from './footprints.ts';
import { Independence } from './independence.ts';
import type { Program, WithHeap } from './program.ts';
import { Stepper } from './stepper.ts';
import type { StopRules } from './stop-rules.ts';
import type { Verdict } from './verdict.ts';

/** States of the first, unreduced look around, which teaches most of what there is to learn. */
const FIRST_LOOK = 20_000;

export interface ReducedOptions extends SearchOptions {
  /** States of the first look; small values make tests exercise the reduction. */
  readonly firstLook?: number;
}

export function searchReduced<C extends WithHeap>(program: Program<C>, options: ReducedOptions): Verdict {
  const stepper = new Stepper(program) as unknown as Stepper<never>;
  const began = options.now();
  const { maxStates, firstLook = FIRST_LOOK } = options;
  let verdict = new BreadthFirst(program, { ...options, stepper, maxStates: Math.min(firstLook, maxStates ?? firstLook) }).run();
  let before: Independence | null = null;
  const left = (): StopRules => (options.maxMilliseconds === undefined ? {} : { maxMilliseconds: options.maxMilliseconds - (options.now() - began) });
  // That the first look ended by its own limit is no reason to end.
  if (verdict.stoppedBecause !== FOUND && verdict.stats.states >= firstLook) verdict = { ...verdict, stoppedBecause: null };
  while (!verdict.complete && verdict.stoppedBecause === null && (options.all === true || verdict.violations.length === 0)) {
    if (maxStates !== undefined && verdict.stats.states >= maxStates) return { ...verdict, stoppedBecause: `the limit of ${maxStates} states was reached` };
    const footprints = new Footprints(stepper.nodes, stepper.state);
    const independence: Independence = new Independence(footprints, stepper.state, before);
    verdict = new BreadthFirst(program, { ...options, ...left(), stepper, independence }).run();
    const learnt = !new Footprints(stepper.nodes, stepper.state).equals(footprints) || independence.visibleGrew;
    before = independence;
    if (!learnt) break;
    if (verdict.complete) verdict = { ...verdict, complete: false };
  }
  if (verdict.violations.length > 0) verdict = shortest(program, { ...options, ...left() }, stepper, verdict);
  return { ...verdict, stats: { ...verdict.stats, milliseconds: options.now() - began } };
}

/**
 * The same violations by their shortest ways, where that search ends within ten times the states of the reduced one.
 * A search for the nearest violation may find another one than the reduced search did, or fewer at the end of its way
 * than the reduced one at the end of a longer way: the nearest is what was asked for, so numbers are not compared.
 */
function shortest<C extends WithHeap>(program: Program<C>, options: SearchOptions, stepper: Stepper<never>, found: Verdict): Verdict {
  const limit = Math.max(found.stats.states * 10, 2_000_000);
  const full = new BreadthFirst(program, { ...options, stepper, maxStates: limit }).run();
  if (full.complete || (options.all !== true && full.violations.length > 0)) return full;
  const near = new Map(full.violations.map((violation) => [violation.property, violation]));
  return { ...found, violations: found.violations.map((violation) => near.get(violation.property) ?? violation) };
}
