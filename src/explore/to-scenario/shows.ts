/** What user space can see of a forbidden outcome: which looks are added to the end of a scenario, and whether a run shows it. */
import type { Effect } from '../../scenario/effect.ts';
import type { Observation } from '../../scenario/observation.ts';
import { parsePredicate } from '../litmus/predicate-text.ts';
import type { Litmus } from '../litmus/schema.ts';
import type { Violation } from '../verdict.ts';
import { refuse } from './machine.ts';
import type { StepInput } from './steps.ts';

type Run = { readonly observations: readonly Observation[]; readonly effects: readonly Effect[] };
interface Sight {
  /** Looks after the last step of the counterexample. */
  readonly looks: (processes: readonly string[], steps: readonly StepInput[]) => StepInput[];
  readonly seen: (run: Run) => boolean;
}

const pages = (o: Observation, key: 'own' | 'zero' | 'ones'): number => (o.pages ?? []).reduce((sum, p) => sum + p[key], 0);
const others = (o: Observation): number => (o.pages ?? []).reduce((sum, p) => sum + Object.values(p.others).reduce((a, b) => a + b, 0), 0);
const none = (): StepInput[] => [];
const reads = (processes: readonly string[], steps: readonly StepInput[]): StepInput[] =>
  processes.filter((name) => !steps.some((s) => s.exit === name)).map((name, i) => ({ read: name, as: `seen-${i + 1}` }));
const writes = (processes: readonly string[]): StepInput[] => processes.map((name, i) => ({ write: name, as: `seen-${i + 1}` }));
const look = (what: 'iomem' | 'blocks') => (): StepInput[] => [{ look: [what], as: 'seen' }];
const last = (run: Run): Observation | undefined => run.observations.at(-1);

/** By predicate of a litmus test. What only a debugger of the kernel could see is not here. */
const SIGHTS: Readonly<Record<string, Sight>> = {
  // Whoever never wrote to the file has no mark of its own in it: pages that are read without a SIGBUS tell as much.
  'stale-mapping': { looks: reads, seen: (run) => run.effects.includes('stale-mapping') || run.observations.some((o) => o.label?.startsWith('seen-') === true && pages(o, 'own') + pages(o, 'zero') > 0) },
  'stale-writable': { looks: writes, seen: (run) => run.effects.includes('stale-write') },
  'maps-device': { looks: (processes) => processes.map((name, i) => ({ pagemap: name, as: `seen-${i + 1}` })), seen: (run) => run.observations.some((o) => o.label?.startsWith('seen-') === true && (o.present ?? 0) > 0) },
  'mapped-after': { looks: (processes) => processes.map((name, i) => ({ pagemap: name, as: `seen-${i + 1}` })), seen: (run) => run.observations.some((o) => o.label?.startsWith('seen-') === true && (o.present ?? 0) > 0) },
  'cross-read': { looks: none, seen: (run) => run.observations.some((o) => o.verb === 'read' && others(o) > 0) || run.effects.includes('stale-mapping') },
  'cross-write': { looks: none, seen: (run) => run.effects.includes('stale-write') || run.effects.includes('next-owner-exposed') },
  'online-but-gone': { looks: look('blocks'), seen: (run) => (last(run)?.blocks ?? []).some((state) => state === 'online') || run.effects.includes('allocator-continues') },
  'absent-access': { looks: none, seen: (run) => run.effects.includes('reads-zero') },
  'block-online': { looks: look('blocks'), seen: (run) => (last(run)?.blocks ?? []).includes('online') },
  'block-offline': { looks: look('blocks'), seen: (run) => (last(run)?.blocks ?? []).includes('offline') },
  'region-leaked': { looks: look('iomem'), seen: (run) => run.effects.includes('region-leaked') },
  'shut-down': { looks: none, seen: (run) => run.effects.includes('fs-shutdown') },
  'sigbus-taken': { looks: reads, seen: (run) => run.effects.includes('sigbus') },
};

export interface Shown {
  readonly looks: readonly StepInput[];
  readonly seen: (run: Run) => boolean;
}

/** @throws UnseatError UNSUPPORTED where nobody outside the kernel can see it */
export function sightOf(test: Litmus, violation: Pick<Violation, 'property' | 'kind'>, processes: readonly string[], steps: readonly StepInput[]): Shown {
  if (violation.kind === 'oops') return { looks: [], seen: (run) => run.observations.some((o) => o.ending === 'oops') };
  if (violation.kind === 'hang') return { looks: [], seen: (run) => run.observations.some((o) => o.ending === 'hangs' || o.ending === 'spins') };
  const { name, args, not } = parsePredicate(violation.property);
  const positive = violation.kind === 'finally' ? not : !not;
  if (name === 'result') return resultOf(args, steps);
  const sight = SIGHTS[name];
  if (sight === undefined || !positive) throw refuse(`nothing outside the kernel shows "${violation.property}"`);
  const mapping = processes.filter((p) => test.processes[p]?.maps !== undefined);
  return { looks: sight.looks(mapping, steps), seen: sight.seen };
}

/** `result THREAD is 0` of a thread whose last line is a load: the page holds nothing. Other results are seen by how the step ends. */
function resultOf([, how, value]: readonly string[], steps: readonly StepInput[]): Shown {
  const end = steps.at(-1);
  if (end !== undefined && 'read' in end && how === 'is' && value === '0') return { looks: [], seen: (run) => run.observations.some((o) => o.verb === 'read' && pages(o, 'zero') + pages(o, 'ones') > 0) };
  const wanted = how === 'is' ? (Number(value) < 0 ? 'refused' : 'returned') : how === 'below' ? 'refused' : 'returned';
  return { looks: [], seen: (run) => last(run)?.ending === wanted };
}
