/** `lab reproduce SCENARIO --kernel K --out DIRECTORY`: a shell script and a C program that show the same without unseat. */
import { UnseatError } from '../../../errors/unseat-error.ts';
import { reproducer } from '../../../lab/reproduce/reproducer.ts';
import { scenarioNamed } from '../../../lab/project.ts';
import { writeFiles } from '../../../lab/write-files.ts';
import type { Output } from '../../print/output.ts';
import type { LabOptions } from '../lab.ts';

export async function run(names: readonly string[], options: LabOptions, out: Output): Promise<number> {
  const [name] = names;
  if (name === undefined) throw new UnseatError('USAGE', 'give a scenario', { next: "List them with 'unseat lab list'." });
  const made = reproducer(scenarioNamed(name));
  const folder = options.out ?? `reproduce-${name}`;
  writeFiles(folder, made.files);
  if (out.options.json) out.json({ folder, files: made.files.map((f) => f.path), notShown: made.notShown });
  else {
    out.text(`${folder}: ${made.files.map((f) => f.path).join(', ')}`);
    for (const line of made.notShown) out.note(`not in the reproducer: ${line}`);
  }
  return 0;
}
