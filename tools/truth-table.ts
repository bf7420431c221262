/** Writes docs/kernel-truth-simulated.md. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { truthTable } from '../src/evidence/truth-table.ts';
import { TRUTH_ROWS } from '../src/kernel/truth/rows.ts';

const { page, counts } = truthTable(TRUTH_ROWS);
writeFileSync(resolve(import.meta.dirname, '../docs/kernel-truth-simulated.md'), page);
process.stdout.write(`${JSON.stringify(counts)}\n`);
