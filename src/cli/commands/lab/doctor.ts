/** `lab doctor`. */
import { EXIT } from '../../../errors/codes.ts';
import { labDoctor } from '../../../lab/doctor.ts';
import type { Output } from '../../print/output.ts';
import type { LabOptions } from '../lab.ts';

export async function run(_names: readonly string[], _options: LabOptions, out: Output): Promise<number> {
  const checks = await labDoctor();
  if (out.options.json) out.json(checks);
  else {
    const width = Math.max(...checks.map((c) => c.what.length));
    const mark = (ok: boolean, needed: boolean): string => (ok ? out.style('green', 'ok     ') : needed ? out.style('red', 'missing') : out.style('yellow', 'without'));
    out.text(checks.map((c) => `${mark(c.ok, c.needed)}  ${c.what.padEnd(width)}  ${c.found}${c.ok || c.next === undefined ? '' : `; ${c.next}`}`).join('\n'));
  }
  return checks.every((c) => c.ok || !c.needed) ? EXIT.ok : EXIT.failed;
}
