/** Which lines of a litmus test a counterexample ran, and from which of its steps to which. */
import type { Profile } from '../../profile/profile.ts';
import { buildLitmus, lineMark } from '../litmus/build.ts';
import type { Litmus } from '../litmus/schema.ts';
import { parseSchedule, replay } from '../replay.ts';
import type { TraceStep } from '../verdict.ts';

export interface LineSpan {
  readonly thread: string;
  /** Index of the line in its thread. */
  readonly line: number;
  readonly text: string;
  /** First and last step of the counterexample that it took a part in, from 0. A line that never ended ends with the counterexample. */
  readonly first: number;
  readonly last: number;
  readonly ended: boolean;
}

/**
 * Spans of every line that was begun by a thread that is no daemon, in the order in which they ended.
 * @param hang also the line that a thread which has not ended cannot begin
 */
export function lineSpans(test: Litmus, profile: Profile, schedule: string, hang = false): LineSpan[] {
  const program = buildLitmus(test, profile, 'marked');
  const { trace } = replay(program, parseSchedule(schedule, program.threads.length));
  const spans: LineSpan[] = [];
  for (const [thread, lines] of Object.entries(test.threads)) {
    if (!test.daemons.includes(thread)) spans.push(...spansOf(thread, lines, trace, hang));
  }
  return spans.sort((a, b) => a.last - b.last || a.first - b.first);
}

function spansOf(thread: string, lines: readonly string[], trace: readonly TraceStep[], hang: boolean): LineSpan[] {
  const mark = lineMark(thread);
  const spans: LineSpan[] = [];
  let over = 0;
  let begun: number | null = null;
  for (const [i, step] of trace.entries()) {
    if (step.thread !== thread) continue;
    const did = step.loads.length > 0 || step.stores.some((store) => store.word !== mark);
    if (did) begun ??= i;
    for (const store of step.stores) {
      if (store.word !== mark) continue;
      spans.push({ thread, line: over, text: lines[over] as string, first: begun ?? i, last: i, ended: true });
      over = store.after;
      begun = null;
    }
    // What comes after the mark in the same step is the head of the next line; only what it changed makes it a beginning.
    if (step.stores.some((store) => store.word === mark) && (step.to.includes('BUG') || step.stores.at(-1)?.word !== mark)) begun = i;
  }
  const endedEarly = trace.some((step) => step.thread === thread && step.to.startsWith('done'));
  if (hang && !endedEarly) begun ??= trace.length;
  if (begun !== null && over < lines.length) spans.push({ thread, line: over, text: lines[over] as string, first: begun, last: trace.length, ended: false });
  return spans;
}
