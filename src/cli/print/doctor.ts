/** The doctor's findings for people: one each, what is short of ok in colour. */
import type { CheckState } from '../../machine/doctor/check.ts';
import type { Doctor } from '../../machine/doctor/doctor.ts';
import type { Output, Style } from './output.ts';
import { wrap } from './table.ts';

const STYLES: Readonly<Record<CheckState, Style>> = { ok: 'green', limited: 'yellow', missing: 'red', unknown: 'dim' };
const TITLES = { kernel: 'The kernel', look: 'What can be seen', act: 'What can be done' } as const;

export function doctorText(doctor: Doctor, out: Output): string {
  const width = Math.max(...doctor.areas.flatMap((area) => area.checks.map((c) => c.id.length)));
  const lines: string[] = [];
  for (const area of doctor.areas) {
    lines.push(out.style('bold', `${TITLES[area.name]} (${doctor.host.label})`));
    for (const { id, state, fact, consequence } of area.checks) {
      const beside = out.options.width - width - 13;
      const text = `${fact}; ${consequence}`;
      if (beside < 30) {
        lines.push(`  ${out.style(STYLES[state], state.padEnd(7))}  ${id}`, ...wrap(text, Math.max(20, out.options.width - 4)).map((line) => `    ${line}`));
        continue;
      }
      const [first = '', ...more] = wrap(text, beside);
      lines.push(`  ${out.style(STYLES[state], state.padEnd(7))}  ${id.padEnd(width)}  ${first}`, ...more.map((line) => `${' '.repeat(width + 13)}${line}`));
    }
    lines.push('');
  }
  const { ok, limited, missing, unknown } = doctor.counts;
  lines.push(`${ok} ok, ${limited} limited, ${missing} missing${unknown === 0 ? '' : `, ${unknown} unknown`}`);
  return lines.join('\n');
}
