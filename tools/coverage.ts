/** Writes docs/coverage.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coverage, coveragePage } from '../src/evidence/coverage.ts';
import { coverageSources, ROOT } from './coverage-sources.ts';

const rows = coverage(coverageSources());
writeFileSync(join(ROOT, 'docs/coverage.md'), coveragePage(rows));
process.stdout.write(`${rows.length} clauses, ${rows.filter((r) => r.tests.length === 0).length} without a test, ${rows.filter((r) => r.real === '').length} without a real kernel or a reason\n`);
