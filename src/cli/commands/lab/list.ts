/** `lab list`: the scenarios. */
import { allScenarios } from '../../../lab/project.ts';
import type { Output } from '../../print/output.ts';
import type { LabOptions } from '../lab.ts';

export async function run(_names: readonly string[], _options: LabOptions, out: Output): Promise<number> {
  const rows = allScenarios().map((s) => ({ scenario: s.scenario, title: s.title, kernels: s.kernels, core: s.core, clauses: s.clauses }));
  const width = Math.max(...rows.map((r) => r.scenario.length));
  if (out.options.json) out.json(rows);
  else out.text(rows.map((r) => `${r.scenario.padEnd(width)}  ${r.core ? 'core' : '    '}  ${r.kernels.padEnd(7)}  ${r.title}`).join('\n'));
  return 0;
}
