/** The published JSON Schema of litmus tests, for editors. `schema/litmus.json` is this, written out. */
import { z } from 'zod';
import { PREDICATES } from './predicates.ts';
import { litmus } from './schema.ts';
import { VERBS } from './verbs.ts';

export function litmusJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(litmus, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Record<string, unknown>;
  schema['$comment'] = `Operations: ${Object.entries(VERBS).map(([verb, v]) => `${verb} ${v.takes}`.trim()).join('; ')}. Predicates: ${Object.entries(PREDICATES).map(([name, p]) => `${name} ${p.takes}`.trim()).join('; ')}.`;
  return schema;
}
