/** `lab race --kernel K --removals N --seed S [--fs xfs] [--kill]`: removals against holders that do not stand still. */
import { UnseatError } from '../../../errors/unseat-error.ts';
import { runRace } from '../../../lab/race/run.ts';
import type { Output } from '../../print/output.ts';
import type { LabOptions } from '../lab.ts';
import { oneKernel } from './kernels.ts';

export async function run(names: readonly string[], options: LabOptions, out: Output): Promise<number> {
  if (names.length > 0) throw new UnseatError('USAGE', 'lab race takes no names', { seen: names.join(' ') });
  const fs = options.fs ?? 'ext4';
  if (fs !== 'ext4' && fs !== 'xfs') throw new UnseatError('USAGE', '--fs is ext4 or xfs', { seen: fs });
  const kernel = oneKernel(options);
  const race = await runRace(kernel, {
    what: options.kill === true ? 'kill' : 'churn', rounds: whole(options.removals ?? '10', 'removals'), seed: whole(options.seed ?? '1', 'seed'), fs,
    seconds: options.minutes === undefined ? 24 * 3600 : Number(options.minutes) * 60, say: (line) => out.note(line),
  });
  const { addRace, readRaces, writeRaces } = await import('../../../lab/race/store.ts');
  if (options.out !== undefined) {
    const { racePage } = await import('../../../evidence/race-page.ts');
    writeRaces(options.out, addRace(readRaces(options.out), race), racePage);
  }
  const { verdictOf } = await import('../../../evidence/race-page.ts');
  const { good, text } = verdictOf(race);
  if (out.options.json) out.json(race);
  else out.text(text);
  return good ? 0 : 1;
}

function whole(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0) throw new UnseatError('USAGE', `--${name} needs a whole number above 0`, { seen: text });
  return value;
}
