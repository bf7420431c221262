/** Cells as KTAP (Documentation/dev-tools/ktap.rst), for the kernel's own test tooling. Pure. */
import type { Cell } from './run/cell.ts';

export function ktap(cells: readonly Cell[]): string {
  const lines = ['KTAP version 1', `1..${cells.length}`];
  cells.forEach((cell, i) => {
    const name = `${cell.scenario}.${cell.kernel}`.replace(/[#\s]/g, '_');
    if (cell.status === 'not-applicable' || cell.status === 'not-available') lines.push(`ok ${i + 1} ${name} # SKIP ${oneLine(cell.reason ?? cell.status)}`);
    else {
      for (const d of cell.disagreements) lines.push(`# ${oneLine(`${d.what}: expected ${d.expected}, seen ${d.seen}`)}`);
      if (cell.status === 'lab-failed') lines.push(`# ${oneLine(cell.reason ?? 'the lab failed')}`);
      lines.push(`${cell.status === 'agrees' ? 'ok' : 'not ok'} ${i + 1} ${name}`);
    }
  });
  return `${lines.join('\n')}\n`;
}

const oneLine = (text: string): string => (text.split('\n')[0] ?? '').replaceAll('#', ' ').trim();
