/** A counterexample as rows that people can read: who did what, and the values that matter. */
import type { TraceStep, Violation } from '../verdict.ts';

export interface TraceRow {
  readonly step: number;
  readonly thread: string;
  /** Where the thread stood and what it then ran into: the points of the kernel path. */
  readonly does: string;
  /** Named words that the step changed, as `h pte[0]: none -> present`. */
  readonly changes: readonly string[];
  /** Choices taken in the step. */
  readonly choices: readonly string[];
}

/** Words of most interest first. */
const INTEREST: readonly RegExp[] = [/ pte\[/, /across domains|absent memory/, /\.refcount$|\.held$|\.srcu$|\.users$/, / dax entry\[/, /\.dying$|\.flags$|\.state$/, /[lL]ock$|\.ptl$/];
/** Housekeeping that says nothing about the matter. */
const NOISE = /\.devres$|\.drvdata$|\.next[A-Z]?\w*$|\.links$|\.sigbusAddr$|\.sibling$|\.child$/;
const MOST = 5;

export function traceRows(violation: Violation): TraceRow[] {
  return violation.trace.map((step, i) => ({
    step: i + 1, thread: step.thread, does: does(step), changes: changes(step), choices: step.choices.map((c) => `${c.label}: ${c.choice}`),
  }));
}

function does(step: TraceStep): string {
  const from = step.from.endsWith(': start') ? 'starts' : step.from;
  if (step.to.startsWith('done')) return `${from}, then ${step.to}`;
  return step.to.includes('BUG') ? `${from}: ${oops(step.to)}` : from;
}

/** `OOPS in unmap_vmas`, and why where it is not the usual reason. */
function oops(text: string): string {
  const m = /^(.*?): BUG: unable to handle page fault/.exec(text);
  return m === null ? `OOPS: ${text}` : `OOPS in ${m[1] ?? ''} (the struct page is gone)`;
}

/** Many struct pages that change in one step are one change. */
function merged(words: readonly { readonly word: string; readonly text: string }[]): { word: string; text: string }[] {
  const pages = words.filter((c) => / page\[\d+\]\./.test(c.word));
  if (pages.length <= 3) return [...words];
  const devices = [...new Set(pages.map((c) => c.word.split(' ')[0] as string))];
  return [...words.filter((c) => !pages.includes(c)), ...devices.map((d) => ({ word: `struct pages of ${d}`, text: `struct pages of ${d} change` }))];
}

/** The net effect of a step on each named word. */
function changes(step: TraceStep): string[] {
  const net = new Map<string, { before: number; after: number; text: string }>();
  for (const store of step.stores) {
    if (store.word.startsWith('word ') || NOISE.test(store.word)) continue;
    const known = net.get(store.word);
    const [from, to] = (store.text ?? `${store.before} -> ${store.after}`).split(' -> ') as [string, string];
    net.set(store.word, { before: known?.before ?? store.before, after: store.after, text: `${known === undefined ? from : (known.text.split(' -> ')[0] as string)} -> ${to}` });
  }
  const list = [...net].filter(([, c]) => c.before !== c.after).map(([word, c]) => ({ word, text: `${word}: ${c.text}` }));
  const rank = (word: string): number => { const at = INTEREST.findIndex((r) => r.test(word)); return at < 0 ? INTEREST.length : at; };
  const sorted = merged(list).sort((a, b) => rank(a.word) - rank(b.word));
  const freed = new Set(sorted.filter((c) => c.text.endsWith('1802201963')).map((c) => c.word.split('.')[0] as string));
  const kept = sorted.filter((c) => !freed.has(c.word.split('.')[0] as string)).map((c) => c.text);
  const all = [...kept, ...[...freed].map((name) => `${name} is freed`)];
  return all.length > MOST ? [...all.slice(0, MOST), `and ${all.length - MOST} more`] : all;
}
