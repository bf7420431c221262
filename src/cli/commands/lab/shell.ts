/** `lab shell SCENARIO --kernel K`. */
import { UnseatError } from '../../../errors/unseat-error.ts';
import { scenarioNamed } from '../../../lab/project.ts';
import { shellIn } from '../../../lab/run/shell.ts';
import type { Output } from '../../print/output.ts';
import type { LabOptions } from '../lab.ts';
import { oneKernel } from './kernels.ts';

export async function run(names: readonly string[], options: LabOptions, out: Output): Promise<number> {
  const [name] = names;
  if (name === undefined) throw new UnseatError('USAGE', 'give a scenario for its machine', { next: "List them with 'unseat lab list'." });
  out.note('The guest ends with exit; Ctrl-C ends QEMU.');
  return shellIn(oneKernel(options), scenarioNamed(name));
}
