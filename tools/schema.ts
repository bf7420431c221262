/** Writes the published JSON Schemas from the zod schemas. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { machineJsonSchema, mapJsonSchema } from '../src/machine/schema/json-schema.ts';
import { scenarioJsonSchema } from '../src/scenario/json-schema.ts';

const folder = resolve(import.meta.dirname, '../schema');
mkdirSync(folder, { recursive: true });
writeFileSync(resolve(folder, 'scenario.json'), `${JSON.stringify(scenarioJsonSchema(), null, 1)}\n`);
writeFileSync(resolve(folder, 'machine.json'), `${JSON.stringify(machineJsonSchema(), null, 1)}\n`);
writeFileSync(resolve(folder, 'map.json'), `${JSON.stringify(mapJsonSchema(), null, 1)}\n`);
