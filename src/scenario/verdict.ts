/** Compares what a run saw with what the scenario expects of that kernel. The same for the lab and for the simulated kernel. */
import { effectsOf } from './effects-of.ts';
import { inKernelRange, type KernelRelease } from './kernel-range.ts';
import type { Observation } from './observation.ts';
import type { Expectation, Scenario } from './scenario.ts';

export interface Disagreement {
  /** Index into `expect`. */
  readonly expectation: number;
  /** `own pages at gone`, `effects`. */
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
  readonly source?: string;
}

export function verdict(scenario: Scenario, kernel: KernelRelease, observations: readonly Observation[]): Disagreement[] {
  const effects = effectsOf(scenario, observations);
  return scenario.expect.flatMap((e, index) => {
    if (!inKernelRange(e.kernels, kernel)) return [];
    const found: Omit<Disagreement, 'expectation' | 'source'>[] = [];
    if (e.effects && [...e.effects].sort().join() !== effects.join()) found.push({ what: 'effects', expected: [...e.effects].sort().join(', '), seen: effects.join(', ') });
    const never = (e.never ?? []).filter((effect) => effects.includes(effect));
    if (never.length > 0) found.push({ what: 'effects', expected: `never ${never.join(', ')}`, seen: effects.join(', ') });
    if (e.step !== undefined) found.push(...stepDisagreements(e, e.step, observations.find((o) => o.label === e.step)));
    return found.map((d) => ({ expectation: index, ...d, ...(e.source === undefined ? {} : { source: e.source }) }));
  });
}

function stepDisagreements(e: Expectation, label: string, o: Observation | undefined): Omit<Disagreement, 'expectation' | 'source'>[] {
  if (!o || o.ending === 'not-available') return [{ what: `step ${label}`, expected: 'an observation', seen: o ? `not available: ${o.detail ?? ''}` : 'the run did not get there' }];
  const found: Omit<Disagreement, 'expectation' | 'source'>[] = [];
  const compare = (what: string, expected: string | undefined, seen: string): void => {
    if (expected !== undefined && expected !== seen) found.push({ what: `${what} at ${label}`, expected, seen });
  };
  compare('ending', e.ends, o.ending);
  compare('errno', e.errno, o.errno ?? 'none');
  const sum = (key: 'pages' | 'own' | 'zero' | 'sigbus'): number => (o.pages ?? []).reduce((total, p) => total + p[key], 0);
  const pages = sum('pages');
  const count = (what: string, expected: Expectation['own'], seen: number): void => {
    if (expected === undefined) return;
    const fits = expected === 'all' ? seen === pages && pages > 0 : expected === 'none' ? seen === 0 : expected === 'some' ? seen > 0 : seen === expected;
    if (!fits) found.push({ what: `${what} at ${label}`, expected: String(expected), seen: `${seen} of ${pages}` });
  };
  count('own pages', e.own, sum('own'));
  count('zero pages', e.zero, sum('zero'));
  count('SIGBUS', e.sigbus, sum('sigbus'));
  count("others' pages", e.others, (o.pages ?? []).reduce((total, p) => total + Object.values(p.others).reduce((a, b) => a + b, 0), 0));
  if (e.present !== undefined) {
    const seen = o.present ?? 0;
    const fits = e.present === 'none' ? seen === 0 : e.present === 'some' || e.present === 'all' ? seen > 0 : seen === e.present;
    if (!fits) found.push({ what: `present pages at ${label}`, expected: String(e.present), seen: String(seen) });
  }
  compare('text', e.value, o.value ?? 'none');
  for (const key of ['said', 'flags', 'hardware', 'blocks', 'iomem'] as const) compare(key, e[key]?.join(', '), (o[key] ?? []).join(', '));
  for (const key of ['figures', 'calls', 'died'] as const) {
    for (const [what, value] of Object.entries(e[key] ?? {})) compare(what, String(value), String(o[key]?.[what] ?? 'none'));
  }
  for (const finding of e.log ?? []) if ((o.log?.[finding as keyof typeof o.log] ?? 0) === 0) found.push({ what: `kernel log at ${label}`, expected: finding, seen: Object.keys(o.log ?? {}).join(', ') || 'nothing' });
  return found;
}
