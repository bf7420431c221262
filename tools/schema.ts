/** Writes the published JSON Schemas from the zod schemas. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { litmusJsonSchema } from '../src/explore/litmus/json-schema.ts';
import { captureJsonSchema } from '../src/host/capture/json-schema.ts';
import { doctorJsonSchema } from '../src/machine/schema/doctor.ts';
import { machineJsonSchema, mapJsonSchema } from '../src/machine/schema/json-schema.ts';
import { layoutJsonSchema } from '../src/plan/schema/layout.ts';
import { planJsonSchema } from '../src/plan/schema/plan.ts';
import { removalJsonSchema } from '../src/remove/schema/record.ts';
import { scenarioJsonSchema } from '../src/scenario/json-schema.ts';

const folder = resolve(import.meta.dirname, '../schema');
mkdirSync(folder, { recursive: true });
writeFileSync(resolve(folder, 'scenario.json'), `${JSON.stringify(scenarioJsonSchema(), null, 1)}\n`);
writeFileSync(resolve(folder, 'machine.json'), `${JSON.stringify(machineJsonSchema(), null, 1)}\n`);
writeFileSync(resolve(folder, 'map.json'), `${JSON.stringify(mapJsonSchema(), null, 1)}\n`);
writeFileSync(resolve(folder, 'plan.json'), `${JSON.stringify(planJsonSchema(), null, 1)}\n`);
writeFileSync(resolve(folder, 'layout.json'), `${JSON.stringify(layoutJsonSchema(), null, 1)}\n`);
writeFileSync(resolve(folder, 'capture.json'), `${JSON.stringify(captureJsonSchema(), null, 1)}\n`);
writeFileSync(resolve(folder, 'doctor.json'), `${JSON.stringify(doctorJsonSchema(), null, 1)}\n`);
writeFileSync(resolve(folder, 'litmus.json'), `${JSON.stringify(litmusJsonSchema(), null, 1)}\n`);
writeFileSync(resolve(folder, 'removal.json'), `${JSON.stringify(removalJsonSchema(), null, 1)}\n`);
