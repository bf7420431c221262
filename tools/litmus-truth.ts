/** Writes docs/litmus-truth.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NO_ORDER } from '../src/evidence/truth-order.ts';
import { orderPage } from '../src/evidence/truth-order-table.ts';
import { orderSources, ROOT } from './litmus-truth-sources.ts';

const { lines, rows } = orderSources();
writeFileSync(join(ROOT, 'docs/litmus-truth.md'), orderPage(lines, rows, NO_ORDER));
process.stdout.write(`${lines.length} lines, ${lines.filter((l) => l.disagree.length > 0).length} disagree\n`);
for (const l of lines) for (const d of l.disagree) process.stdout.write(`${l.row.row} ${l.row.litmus}: ${d}\n`);
