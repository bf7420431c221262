/** The published JSON Schema of scenario files, for editors. `schema/scenario.json` is this, written out. */
import { z } from 'zod';
import { VERBS } from './step.ts';
import { scenario } from './scenario.ts';

export function scenarioJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(scenario, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Record<string, unknown>;
  const steps = at(schema, 'properties', 'steps', 'items');
  // "Exactly one verb" is a check of the reader; said here in the schema's own words.
  if (steps) steps['oneOf'] = VERBS.map((verb) => ({ required: [verb] }));
  return schema;
}

function at(value: Record<string, unknown>, ...keys: string[]): Record<string, unknown> | null {
  let here: unknown = value;
  for (const key of keys) here = typeof here === 'object' && here !== null ? (here as Record<string, unknown>)[key] : undefined;
  return typeof here === 'object' && here !== null ? (here as Record<string, unknown>) : null;
}
