/** `lab matrix`: scenarios by kernels. */
import { UnseatError } from '../../../errors/unseat-error.ts';
import { cacheFolder } from '../../../lab/cache.ts';
import { isCore } from '../../../lab/core.ts';
import { ktap } from '../../../lab/ktap.ts';
import { roomForGuests, runMatrix } from '../../../lab/matrix/run-matrix.ts';
import { committedCells, ResultStore } from '../../../lab/matrix/store.ts';
import { allScenarios, scenarioNamed } from '../../../lab/project.ts';
import type { SeenCell } from '../../../evidence/kernel-matrix.ts';
import type { CellStatus } from '../../../lab/run/cell.ts';
import { writeFiles } from '../../../lab/write-files.ts';
import type { Output } from '../../print/output.ts';
import type { LabOptions } from '../lab.ts';
import { kernelNamed, STANDARD } from './kernels.ts';

export async function run(names: readonly string[], options: LabOptions, out: Output): Promise<number> {
  const scenarios = names.length > 0 ? names.map(scenarioNamed) : allScenarios();
  const kernels = (options.kernel ?? STANDARD).map((name) => kernelNamed(name, options));
  const store = new ResultStore(options.results ?? cacheFolder('results'));
  const jobs = number(options.jobs, 'jobs') ?? roomForGuests();
  // --minutes 0 runs nothing and only writes what there is.
  const minutes = options.minutes === '0' ? 0 : number(options.minutes, 'minutes');
  const result = await runMatrix(scenarios, kernels, {
    store, again: options.again === true, jobs, plan: true, say: (line) => out.note(line), ...(options.core === true ? { only: isCore } : {}), ...(minutes === undefined ? {} : { minutes }),
  });
  const counts: Partial<Record<CellStatus, number>> = {};
  for (const cell of result.cells) counts[cell.status] = (counts[cell.status] ?? 0) + 1;
  if (options.out !== undefined) await writeEvidence(options.out, store);
  if (out.options.json) out.json({ cells: result.cells, counts, fromStore: result.fromStore, left: result.left });
  else if (options.ktap === true) out.text(ktap(result.cells));
  else {
    for (const cell of result.cells.filter((c) => c.status === 'disagrees' || c.status === 'lab-failed')) {
      out.text(`${cell.scenario} on ${cell.kernel}: ${cell.status}${cell.reason === undefined ? '' : `: ${cell.reason.split('\n')[0]}`}`);
      for (const d of cell.disagreements) out.text(`  ${d.what}: expected ${d.expected}, seen ${d.seen}`);
    }
    out.text(`${result.cells.length} cells: ${Object.entries(counts).map(([status, n]) => `${n} ${status}`).join(', ')}; ${result.fromStore} from earlier runs, ${result.left} left`);
  }
  return (counts.disagrees ?? 0) + (counts['lab-failed'] ?? 0) > 0 ? 1 : 0;
}

async function writeEvidence(folder: string, store: ResultStore): Promise<void> {
  const { evidenceOf, merged } = await import('../../../evidence/evidence-of.ts');
  const { matrixFiles } = await import('../../../evidence/kernel-matrix.ts');
  const scenarios = new Map(allScenarios().map((s) => [s.scenario, s]));
  const cells = await evidenceOf(merged(store.all(), committedCells(folder) as readonly SeenCell[], scenarios), scenarios);
  const { truthConfirmed } = await import('../../../evidence/truth-confirmed.ts');
  const { TRUTH_ROWS } = await import('../../../kernel/truth/rows.ts');
  const truth = { path: 'docs/kernel-truth-confirmed.md', text: truthConfirmed(TRUTH_ROWS, { cells, scenarios }).page };
  writeFiles(folder, [...matrixFiles(cells, new Map([...scenarios].map(([name, s]) => [name, s.title]))), truth]);
}

function number(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new UnseatError('USAGE', `--${name} needs a number above 0`, { seen: text });
  return value;
}
