/**
 * A run on the simulated kernel beside a run on a real one: fact by fact, step by step. Both come as the same records, so what
 * differs is behaviour, or something only one of the two can see; the latter is named here and left out. Pure.
 */
import { effectsOf } from '../scenario/effects-of.ts';
import type { LogFinding, Observation, PageCounts } from '../scenario/observation.ts';
import type { Scenario } from '../scenario/scenario.ts';

export interface Difference {
  /** Index of the step, from 0; null for the effects of the whole run. */
  readonly step: number | null;
  /** `effects`, `ending of unbind`, `sigbus pages of big at read`. */
  readonly what: string;
  readonly predicted: string;
  readonly seen: string;
}

/**
 * Findings that follow from what the kernel did. The others depend on time (stalls, hung tasks), on messages of block layer and
 * file systems that are not modelled (I/O errors), or on how often an offline tried again.
 */
const LOGGED: readonly LogFinding[] = ['oops', 'bug', 'bad-page-map', 'fs-shutdown', 'hotremove-fails', 'no-reserve', 'no-rebind', 'memory-failure'];

export function compareRuns(scenario: Scenario, predicted: readonly Observation[], seen: readonly Observation[]): Difference[] {
  const differences: Difference[] = [];
  const steps = seen.filter((o) => o.ending !== 'not-available');
  // A guest that died takes no further steps: what would have come is not compared.
  const last = Math.max(-1, ...seen.map((o) => o.step));
  const effects = [effectsOf(scenario, predicted.filter((o) => o.step <= last)), effectsOf(scenario, seen)].map((e) => e.join(', ') || 'none');
  if (effects[0] !== effects[1]) differences.push({ step: null, what: 'effects', predicted: effects[0] ?? '', seen: effects[1] ?? '' });
  for (const o of steps) {
    const p = predicted.find((one) => one.step === o.step);
    if (!p) differences.push({ step: o.step, what: `ending of ${o.verb}`, predicted: 'the run did not get there', seen: o.ending });
    else if (o.subject === 'the whole guest') {
      if (p.ending !== o.ending) differences.push({ step: o.step, what: `ending of ${o.verb}`, predicted: p.ending, seen: `${o.ending} (the whole guest)` });
    } else differences.push(...facts(p, o).map((d) => ({ step: o.step, ...d })));
  }
  return differences;
}

type Fact = Omit<Difference, 'step'>;

function facts(p: Observation, o: Observation): Fact[] {
  const found: Fact[] = [];
  const compare = (what: string, a: unknown, b: unknown): void => {
    const [predicted, seen] = [text(a), text(b)];
    if (predicted !== seen) found.push({ what, predicted, seen });
  };
  const at = o.label ?? o.verb;
  compare(`ending of ${at}`, p.ending, o.ending);
  compare(`errno of ${at}`, p.errno, o.errno);
  compare(`present pages at ${at}`, p.present, o.present);
  // Whoever oopsed is dead for the purpose; whether it can still be reaped depends on what it held, and is its own mystery each time.
  if (p.ending !== 'oops' || o.ending !== 'oops') compare(`processes that ended at ${at}`, p.died, o.died);
  compare(`calls at ${at}`, p.calls, o.calls);
  compare(`memory blocks at ${at}`, p.blocks, o.blocks);
  compare(`mounts at ${at}`, p.mounts, o.mounts);
  compare(`iomem at ${at}`, p.iomem?.map(withoutNumber), o.iomem?.map(withoutNumber));
  compare(`hardware at ${at}`, p.hardware, o.hardware);
  compare(`text at ${at}`, p.value, o.value);
  compare(`watched log at ${at}`, p.said, o.said);
  compare(`page flags at ${at}`, p.flags, o.flags);
  // Runs of the time before figures have none.
  if (o.figures !== undefined && p.figures !== undefined) compare(`figures at ${at}`, p.figures, o.figures);
  // An NVDIMM has no driver of its own; the guest lists it, the simulated machine has only what lies on it.
  const both = Object.keys(p.devices ?? {}).filter((name) => o.devices?.[name] !== undefined);
  for (const name of both) compare(`${name} at ${at}`, p.devices?.[name], o.devices?.[name]);
  found.push(...pages(at, p.pages ?? [], o.pages ?? []));
  const logged = (one: Observation): string[] => LOGGED.filter((f) => (one.log?.[f] ?? 0) > 0);
  compare(`kernel log at ${at}`, logged(p), logged(o));
  return found;
}

/** How many virtio devices stand before it is a matter of the guest. */
const withoutNumber = (name: string): string => name.replace(/^virtio\d+$/, 'virtio device');

function pages(at: string, predicted: readonly PageCounts[], seen: readonly PageCounts[]): Fact[] {
  const key = (c: PageCounts): string => (c.map === 'm' ? c.process : `${c.process}, ${c.map}`);
  const keys = [...new Set([...predicted, ...seen].map(key))];
  return keys.flatMap((k): Fact[] => {
    const [p, o] = [predicted.find((c) => key(c) === k), seen.find((c) => key(c) === k)];
    const [a, b] = [p ? counted(p) : 'none', o ? counted(o) : 'none'];
    return a === b ? [] : [{ what: `pages of ${k} at ${at}`, predicted: a, seen: b }];
  });
}

const counted = (c: PageCounts): string => {
  const kinds = [['own', c.own], ['zero', c.zero], ['ones', c.ones], ...Object.entries(c.others).map(([who, n]) => [`of ${who}`, n] as const), ['unknown', c.unknown], ['SIGBUS', c.sigbus], ['SIGSEGV', c.sigsegv]] as const;
  const codes = [...c.codes].sort((a, b) => a - b);
  return [...kinds.filter(([, n]) => n > 0).map(([what, n]) => `${n} ${what}`), ...(codes.length > 0 ? [`codes ${codes.join(' ')}`] : [])].join(', ') || `0 of ${c.pages}`;
};

function text(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  if (typeof value === 'object') return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${k} ${String(v)}`).join(', ') || 'none';
  return String(value);
}
