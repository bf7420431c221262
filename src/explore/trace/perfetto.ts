/** A counterexample in the Chrome trace event format, which Perfetto opens: one track for each thread, one unit of time for each step. */
import type { TraceRow } from './rows.ts';

/** Microseconds that a step is drawn with; the model has no time. */
const UNIT = 1000;

export function perfetto(title: string, rows: readonly TraceRow[]): unknown {
  const threads = [...new Set(rows.map((row) => row.thread))];
  return {
    displayTimeUnit: 'ms',
    otherData: { title },
    traceEvents: [
      { ph: 'M', pid: 1, name: 'process_name', args: { name: title } },
      ...threads.map((name, tid) => ({ ph: 'M', pid: 1, tid: tid + 1, name: 'thread_name', args: { name } })),
      ...rows.map((row) => ({
        ph: 'X', pid: 1, tid: threads.indexOf(row.thread) + 1, ts: row.step * UNIT, dur: UNIT, name: row.does,
        args: Object.fromEntries(row.changes.map((change, i) => [`change ${i + 1}`, change])),
      })),
    ],
  };
}
