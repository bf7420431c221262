/** Writes scenarios/random/random-1.yaml to random-30.yaml: what the lab and the simulated kernel are compared on. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { randomText } from '../src/scenario/random.ts';

const folder = resolve(import.meta.dirname, '../scenarios/random');
mkdirSync(folder, { recursive: true });
for (let seed = 1; seed <= 30; seed += 1) writeFileSync(resolve(folder, `random-${seed}.yaml`), randomText(seed));
