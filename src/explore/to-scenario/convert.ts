/**
 * A counterexample as a scenario that a lab can run. A lab does whole system calls, one after the other; an interleaving
 * inside a kernel path cannot be forced from user space. So the counterexample's lines are put in an order that agrees
 * with it, and the simulated kernel is asked whether the forbidden outcome comes of that order too. Where it comes only
 * from an interleaving, there is no scenario, and the answer says what had to overlap.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Profile } from '../../profile/profile.ts';
import { readScenario } from '../../scenario/read.ts';
import type { Effect } from '../../scenario/effect.ts';
import type { Observation } from '../../scenario/observation.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Litmus } from '../litmus/schema.ts';
import type { Violation } from '../verdict.ts';
import { runCoarse, type LineEnding } from './coarse.ts';
import { lineSpans, type LineSpan } from './line-spans.ts';
import { refuse, surroundingsOf, type ScenarioInput } from './machine.ts';
import { coarseOrders, overlaps } from './orders.ts';
import { sightOf } from './shows.ts';
import { stepsOf, type StepInput } from './steps.ts';
import { scenarioText } from './text.ts';

export interface Converted {
  readonly input: ScenarioInput;
  readonly scenario: Scenario;
  /** Said at the head of the file. */
  readonly about: readonly string[];
  /** Whether a run of the scenario shows the forbidden outcome. */
  readonly seen: (run: { readonly observations: readonly Observation[]; readonly effects: readonly Effect[] }) => boolean;
}

/** @throws UnseatError UNSUPPORTED, with the reason, where no scenario can show it */
export function toScenario(test: Litmus, profile: Profile, violation: Violation): Converted {
  if (!/^\d+\.\d+$/.test(profile.name)) throw refuse(`${profile.name} is no release that could be booted`);
  const spans = lineSpans(test, profile, violation.schedule, violation.kind === 'hang');
  const { order, endings } = forced(test, profile, spans, violation);
  const around = surroundingsOf(test);
  const { steps, processes, notes } = stepsOf(test, around, order, endings);
  const { looks, seen } = sightOf(test, violation, Object.keys(test.processes), steps);
  const lookers = looks.flatMap((look) => [...stillStopped(steps, look).map((process): StepInput => ({ cont: process })), look]);
  const about = [
    `A counterexample of the litmus test ${test.litmus} on ${profile.name}: ${violation.property}.`,
    `Made by: unseat check ${test.litmus} --profile ${profile.name} --to-scenario FILE. Replay: --replay "${violation.schedule}".`,
    orderSays(spans, order),
    ...notes,
  ];
  const input: ScenarioInput = {
    scenario: `${test.litmus}-on-${profile.name.replace('.', '-')}`, title: test.title.slice(0, 120), clauses: test.clauses.filter((c) => /^[1-9][a-h]$/.test(c)), kernels: profile.name,
    machine: around.machine,
    ...(around.systemRam.length > 0 ? { systemRam: around.systemRam } : {}), ...(around.filesystems.length > 0 ? { filesystems: around.filesystems } : {}),
    ...(processes.length > 0 ? { processes: [...processes] } : {}),
    steps: [...steps, ...lookers],
  };
  return { input, scenario: readScenario(scenarioText(input, []), input.scenario), about, seen };
}

/** A process that the counterexample left stopped has to go on before it can show anything. */
function stillStopped(steps: readonly StepInput[], look: StepInput): string[] {
  const process = look.read ?? look.write;
  if (typeof process !== 'string') return [];
  const stops = steps.filter((step) => step.stop === process || step.cont === process);
  return stops.at(-1)?.stop === undefined ? [] : [process];
}

function forced(test: Litmus, profile: Profile, spans: readonly LineSpan[], violation: Violation): { order: readonly LineSpan[]; endings: readonly LineEnding[] } {
  for (const order of coarseOrders(spans)) {
    const run = runCoarse(test, profile, order, violation);
    // Lines after the one that shows it add nothing.
    if (run?.shows === true) return { order: order.slice(0, run.endings.length), endings: run.endings };
  }
  const pairs = overlaps(spans).map(([a, b]) => `"${a.text}" and "${b.text}"`);
  throw new UnseatError('UNSUPPORTED', 'this counterexample makes no scenario: it needs an interleaving inside kernel paths, which user space cannot force', {
    subject: `${test.litmus} on ${profile.name}`, cause: pairs.length > 0 ? `these ran at the same time: ${pairs.join('; ')}` : 'a choice on the way has to fall so',
    next: 'The counterexample can be read and replayed on the simulated kernel (--trace, --replay).',
  });
}

function orderSays(spans: readonly LineSpan[], order: readonly LineSpan[]): string {
  const pairs = overlaps(spans);
  const left = spans.length - order.length;
  const unneeded = left > 0 ? ` ${left} line${left === 1 ? '' : 's'} of it ${left === 1 ? 'was' : 'were'} not needed.` : '';
  if (pairs.length === 0) return `Its lines did not overlap: the steps are its order.${unneeded}`;
  return `In it ${pairs.map(([a, b]) => `"${a.text}" and "${b.text}"`).join(', ')} ran at the same time inside the kernel, which user space cannot force; the steps are a coarse order that agrees with it and comes to the same.${unneeded}`;
}
