/** A row of docs/kernel-truth.md and the fact of a lab cell that shows it. */
import type { Effect } from '../scenario/effect.ts';
import type { Ending } from '../scenario/observation.ts';
import type { Scenario } from '../scenario/scenario.ts';

export type Fact = Partial<Omit<Scenario['expect'][number], 'kernels' | 'source'>> & {
  readonly has?: readonly Effect[];
  readonly lacks?: readonly Effect[];
  /** The step may end in any way but this one. */
  readonly notEnds?: Ending;
};

export interface TruthLink {
  readonly rows: readonly string[];
  /** Columns of the row (`7.2 xfs rmapbt=0`) without the kernel; absent: all. */
  readonly columns?: RegExp;
  readonly scenario: string;
  readonly shows: Fact;
}

/** Why no scenario of the lab does what a row says. */
export type NotDone = readonly (readonly [rows: RegExp, reason: string])[];

/** @param rows one row, several with commas, or a list where names of rows have commas themselves */
export const link = (rows: string | readonly string[], scenario: string, shows: Fact, columns?: RegExp): TruthLink => ({ rows: typeof rows === 'string' ? rows.split(', ') : rows, scenario, shows, ...(columns ? { columns } : {}) });
/** What a step finds in the pages of a holder. */
export const NONE = { own: 'none', sigbus: 'all' } as const;
export const KEPT = { own: 'all', sigbus: 'none' } as const;
