/** `lab run SCENARIO --kernel K`. */
import { UnseatError } from '../../../errors/unseat-error.ts';
import { ktap } from '../../../lab/ktap.ts';
import { scenarioNamed } from '../../../lab/project.ts';
import { prepare } from '../../../lab/run/boot.ts';
import { runCell, type Cell } from '../../../lab/run/cell.ts';
import { cellText, type Beside } from '../../print/lab.ts';
import type { Scenario } from '../../../scenario/scenario.ts';
import type { Output } from '../../print/output.ts';
import type { LabOptions } from '../lab.ts';
import { oneKernel } from './kernels.ts';

/** For `git bisect run`: 125 means that this revision cannot be judged. */
const CANNOT_TELL = 125;

export async function run(names: readonly string[], options: LabOptions, out: Output): Promise<number> {
  const [name, more] = names;
  if (name === undefined || more !== undefined) throw new UnseatError('USAGE', 'give one scenario', { next: "List them with 'unseat lab list'." });
  let cell: Cell;
  let beside: Beside;
  try {
    const scenario = scenarioNamed(name);
    const kernel = oneKernel(options);
    if (options.dryRun === true) {
      const prepared = await prepare(kernel, scenario);
      out.text([prepared.program, ...prepared.args].map(quoted).join(' '));
      return 0;
    }
    cell = await runCell(kernel, scenario, { say: (line) => out.note(line), keepConsole: options.console === true, plan: true });
    beside = await predicted(scenario, cell);
  } catch (error) {
    // A kernel that was not built, or QEMU that is missing, says nothing of a revision; a wrong command line is nobody's verdict.
    if (error instanceof UnseatError && error.code === 'USAGE') throw error;
    out.error(error);
    return CANNOT_TELL;
  }
  if (out.options.json) out.json({ ...cell, ...beside });
  else out.text(options.ktap === true ? ktap([cell]) : cellText(cell, beside, (style, text) => out.style(style, text)));
  if (options.console === true && cell.consoleTail !== undefined) out.note(cell.consoleTail);
  if (cell.status !== 'agrees') return cell.status === 'disagrees' ? 1 : CANNOT_TELL;
  // Who expects nothing is held against the prediction: a random scenario, a counterexample.
  return beside.expects || beside.differences.every((d) => d.listed !== undefined) ? 0 : 1;
}

async function predicted(scenario: Scenario, cell: Cell): Promise<Beside> {
  const { matrixCell, seenCell } = await import('../../../evidence/kernel-matrix.ts');
  const { predict } = await import('../../../evidence/prediction.ts');
  const { predicted: says, differences } = matrixCell(seenCell({ key: '', date: '', cell }), scenario, await predict(scenario, cell.release));
  return { expects: scenario.expect.length > 0, predicted: says ?? null, differences };
}

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
