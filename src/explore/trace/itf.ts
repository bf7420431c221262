/** A counterexample in the Informal Trace Format of Apalache (ADR 015): states as records of named variables. */
import { changedWords } from './changes.ts';
import type { Violation } from '../verdict.ts';

export function itf(title: string, violation: Violation): unknown {
  const stored = new Set(violation.trace.flatMap((step) => step.stores.map((s) => s.word)));
  // Counts of pages that several steps change stay in; what only goes with its table, and what keeps house, does not.
  const vars = [...new Set(violation.trace.flatMap(changedWords))].filter((word) => stored.has(word)).sort();
  const values = new Map<string, number>();
  for (const step of [...violation.trace].reverse()) for (const store of [...step.stores].reverse()) values.set(store.word, store.before);
  const big = (value: number): { readonly '#bigint': string } => ({ '#bigint': String(value) });
  const state = (index: number, action: string): Record<string, unknown> =>
    ({ '#meta': { index }, action, ...Object.fromEntries(vars.map((name) => [name, big(values.get(name) ?? 0)])) });
  const states = [state(0, 'init')];
  for (const [i, step] of violation.trace.entries()) {
    for (const store of step.stores) values.set(store.word, store.after);
    states.push(state(i + 1, `${step.thread}: ${step.from}`));
  }
  return { '#meta': { format: 'ITF', 'format-description': 'https://apalache-mc.org/docs/adr/015adr-trace.html', description: `${title}: ${violation.property}` }, vars: ['action', ...vars], states };
}
