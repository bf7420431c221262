/** What a breadth-first search found, as a verdict: the ways are found again from the keys of the states on them. */
import type { Expander } from './expander.ts';
import { explain } from './explain.ts';
import type { Found } from './findings.ts';
import type { Program, WithHeap } from './program.ts';
import type { Verdict, Violation } from './verdict.ts';
import { keysTo, movesAlong } from './way.ts';

/** The violations with their ways. `table` must have kept where each state came from. */
export function violationsOf<C extends WithHeap>(program: Program<C>, expander: Expander<C>, chosen: readonly Found[], table: { parent(low: number, high: number): readonly [number, number] | null }): Violation[] {
  const { stepper, key } = expander;
  const keyOf = (): readonly [number, number] => {
    key.compute();
    return [key.low, key.high];
  };
  return chosen.map(({ property, kind, low, high }) => {
    const moves = movesAlong(stepper, keysTo(low, high, (l, h) => table.parent(l, h)), keyOf);
    return { property, kind, ...explain(program, stepper, moves) };
  });
}

export interface Counted {
  readonly states: number;
  readonly transitions: number;
  readonly milliseconds: number;
  readonly tableBytes: number;
  readonly reruns: number;
  readonly stop: string | null;
}

export function verdictOf<C extends WithHeap>(program: Program<C>, { stepper, findings, depth }: Expander<C>, violations: readonly Violation[], counted: Counted): Verdict {
  const { states, transitions, milliseconds, tableBytes, reruns, stop } = counted;
  return {
    program: program.name,
    violations,
    neverSeen: stop === null ? [...findings.unseen] : [],
    neverAsked: stop === null ? [...findings.unasked] : [],
    complete: stop === null,
    stoppedBecause: stop,
    stats: { states, transitions, depth, milliseconds, reruns, nodes: stepper.nodes.count, columns: stepper.state.columns, bytesPerState: tableBytes / states },
  };
}

/** Why a search that found something ends, unless it looks for all. */
export const FOUND = 'a violation was found';
