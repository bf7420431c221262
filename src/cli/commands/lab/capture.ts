/** `lab capture SCENARIO --kernel K --out FILE`: a capture of the guest in the state that the scenario begins with. */
import { UnseatError } from '../../../errors/unseat-error.ts';
import { scenarioNamed } from '../../../lab/project.ts';
import { captureGuest } from '../../../lab/run/capture.ts';
import type { Output } from '../../print/output.ts';
import type { LabOptions } from '../lab.ts';
import { oneKernel } from './kernels.ts';

export async function run(names: readonly string[], options: LabOptions, out: Output): Promise<number> {
  const [name] = names;
  if (name === undefined) throw new UnseatError('USAGE', 'give a scenario', { next: "List them with 'unseat lab list'." });
  const kernel = oneKernel(options);
  const file = options.out ?? `${name}-${kernel.series.major}.${kernel.series.minor}.tar.gz`;
  const bytes = await captureGuest(kernel, scenarioNamed(name), file, (line) => out.note(line));
  if (out.options.json) out.json({ file, bytes });
  else out.text(`${file}: ${bytes} bytes`);
  return 0;
}
