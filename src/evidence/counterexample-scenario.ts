/** A counterexample's scenario with what the simulated kernel makes of it as its expectations: the prediction that a lab run is held against. */
import { UnseatError } from '../errors/unseat-error.ts';
import { toScenario } from '../explore/to-scenario/convert.ts';
import type { ScenarioInput } from '../explore/to-scenario/machine.ts';
import { scenarioText } from '../explore/to-scenario/text.ts';
import type { Litmus } from '../explore/litmus/schema.ts';
import type { Violation } from '../explore/verdict.ts';
import type { Profile } from '../profile/profile.ts';
import { effectsOf } from '../scenario/effects-of.ts';
import type { Observation } from '../scenario/observation.ts';
import { readScenario } from '../scenario/read.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { simulateScenario } from './simulated-run.ts';

type ExpectationInput = NonNullable<ScenarioInput['expect']>[number];

export interface CounterexampleScenario {
  /** The file, head and all. */
  readonly text: string;
  readonly scenario: Scenario;
}

/** @throws UnseatError UNSUPPORTED where the counterexample makes no scenario, or the scenario does not show its outcome */
export async function counterexampleScenario(test: Litmus, profile: Profile, violation: Violation): Promise<CounterexampleScenario> {
  const converted = toScenario(test, profile, violation);
  const { observations } = await simulateScenario(converted.scenario, profile);
  const effects = effectsOf(converted.scenario, observations);
  const lacking = observations.find((o) => o.ending === 'not-available');
  if (lacking !== undefined) throw cannot(test, profile, `the simulated machine cannot take the step ${lacking.verb} ${lacking.subject}: ${lacking.detail ?? ''}`);
  if (!converted.seen({ observations, effects })) {
    throw cannot(test, profile, `its steps, taken one after the other, do not show "${violation.property}" on the simulated kernel (seen: ${effects.join(', ') || 'nothing'}; ${observations.map((o) => `${o.verb} ${o.ending}`).join(', ')})`);
  }
  const source = `check ${test.litmus} on ${profile.name}`;
  const expect: ExpectationInput[] = [
    { kernels: profile.name, effects, source },
    ...observations.filter((o) => o.label !== null && !(QUIET.includes(o.verb) && o.ending === 'returned')).map((o) => ({ kernels: profile.name, ...factsOf(o), source })),
  ];
  const text = scenarioText({ ...converted.input, expect }, converted.about);
  return { text, scenario: readScenario(text, converted.input.scenario) };
}

/** Steps of which nothing is worth saying when they come back. */
const QUIET: readonly Observation['verb'][] = ['start', 'stop', 'cont', 'sync', 'wait', 'look'];

const cannot = (test: Litmus, profile: Profile, why: string): UnseatError =>
  new UnseatError('UNSUPPORTED', 'this counterexample makes no scenario', { subject: `${test.litmus} on ${profile.name}`, cause: why, next: 'The counterexample can be read and replayed on the simulated kernel (--trace, --replay).' });

function factsOf(o: Observation): ExpectationInput {
  const facts: ExpectationInput = { step: o.label as string };
  if (o.ending !== 'not-available' && (o.ending !== 'returned' || o.pages === undefined)) facts.ends = o.ending;
  if (o.errno !== undefined) facts.errno = o.errno;
  if (o.present !== undefined) facts.present = o.present > 0 ? 'some' : 0;
  if (o.pages === undefined || o.pages.length === 0 || o.ending !== 'returned') return facts;
  const sum = (count: (p: NonNullable<Observation['pages']>[number]) => number): 'all' | 'some' | 'none' => {
    const all = (o.pages ?? []).reduce((n, p) => n + p.pages, 0);
    const n = (o.pages ?? []).reduce((total, p) => total + count(p), 0);
    return n === 0 ? 'none' : n === all ? 'all' : 'some';
  };
  const zero = sum((p) => p.zero);
  const theirs = sum((p) => Object.values(p.others).reduce((a, b) => a + b, 0));
  return { ...facts, own: sum((p) => p.own), sigbus: sum((p) => p.sigbus), ...(zero === 'none' ? {} : { zero }), ...(theirs === 'none' ? {} : { others: theirs }) };
}
