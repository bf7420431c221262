/** A counterexample as rows that people can read: who did what, and the values that matter. */
import { errnoName } from '../../kernel/errno.ts';
import type { TraceStep, Violation } from '../verdict.ts';
import { netChanges } from './changes.ts';

export interface TraceRow {
  /** Number of the step in the schedule; of the last one where several were put together. */
  readonly step: number;
  readonly thread: string;
  /** The point of the kernel path from which the thread went on. */
  readonly does: string;
  /** What came of it, as `h pte[0]: none -> present`: named words, an oops, the end of the thread. */
  readonly changes: readonly string[];
  /** Choices taken in the step. */
  readonly choices: readonly string[];
}

/** One row for each step. */
export function traceRows(violation: Violation): TraceRow[] {
  return violation.trace.map((step, i) => ({
    step: i + 1, thread: step.thread, does: step.from.endsWith(': start') ? 'starts' : step.from,
    changes: step.to.startsWith('done') ? [...netChanges(step), ...outcome(step)] : [...outcome(step), ...netChanges(step)], choices: step.choices.map((c) => `${c.label}: ${c.choice}`),
  }));
}

/**
 * The same for reading: steps of one thread in a row that change nothing anybody could see are put together with the
 * next one, and that a thread starts is said by its first row.
 */
export function readableRows(violation: Violation): TraceRow[] {
  const rows: TraceRow[] = [];
  let points: string[] = [];
  const all = traceRows(violation);
  for (const [i, row] of all.entries()) {
    if (row.does !== 'starts') points.push(row.does);
    const next = all[i + 1];
    if (row.changes.length === 0 && row.choices.length === 0 && next?.thread === row.thread) continue;
    rows.push({ ...row, does: points.join(', ') || 'starts' });
    points = [];
  }
  return rows;
}

/** What a step ended in. */
function outcome(step: TraceStep): string[] {
  const done = /^done \((-?\d+)\)$/.exec(step.to);
  if (done !== null) {
    const result = Number(done[1]);
    return [`ends with ${result}${result < -1 && errnoName(result) !== `errno ${-result}` ? ` (-${errnoName(result)})` : ''}`];
  }
  if (!step.to.includes('BUG')) return [];
  const m = /^(.*?): BUG: unable to handle page fault/.exec(step.to);
  return [m === null ? `OOPS: ${step.to}` : `OOPS in ${m[1] ?? ''}: the struct page is gone`];
}
