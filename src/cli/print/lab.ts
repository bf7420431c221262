/** The lab's results as text for people. */
import type { Observation } from '../../scenario/observation.ts';
import type { MatrixCell } from '../../evidence/kernel-matrix.ts';
import type { Cell } from '../../lab/run/cell.ts';
import type { Style } from './output.ts';

/** What the simulated kernel says of the same file. */
export interface Beside {
  /** Whether the scenario itself expects anything. */
  readonly expects: boolean;
  readonly predicted: MatrixCell['predicted'] | null;
  readonly differences: MatrixCell['differences'];
}

type Paint = (style: Style, text: string) => string;

export function cellText(cell: Cell, beside: Beside, paint: Paint): string {
  const head = `${cell.scenario} on ${cell.kernel} (${cell.release}, package ${cell.version}, QEMU ${cell.qemu})`;
  const lines = [head, ''];
  for (const o of cell.observations) lines.push(observationLine(o, paint));
  if (cell.observations.length > 0) lines.push('', `effects: ${cell.effects.join(', ') || 'none'}`);
  const { predicted } = beside;
  if (predicted) lines.push('not' in predicted ? `not simulated: ${predicted.not}` : `the simulated kernel (profile ${predicted.profile}) says: ${predicted.effects.join(', ') || 'none'}`);
  for (const d of beside.differences) lines.push(paint('yellow', `differs from it: ${d.what}: predicted ${d.predicted}, seen ${d.seen}${d.listed === undefined ? '' : ` (listed: ${d.listed})`}`));
  for (const d of cell.disagreements) lines.push(paint('red', `disagrees: ${d.what}: expected ${d.expected}, seen ${d.seen}${d.source === undefined ? '' : ` (${d.source})`}`));
  if (cell.reason !== undefined) lines.push(cell.reason);
  lines.push(`${paint(cell.status === 'agrees' ? 'green' : 'red', cell.status)} in ${cell.seconds.toFixed(0)} s`);
  return lines.join('\n');
}

function observationLine(o: Observation, paint: Paint): string {
  const pages = (o.pages ?? []).map((p) => {
    const parts = [[p.own, 'own'], [p.zero, 'zero'], [p.ones, 'ones'], [p.unknown, 'unknown'], [p.sigbus, 'SIGBUS'], [p.sigsegv, 'SIGSEGV'], ...Object.entries(p.others).map(([who, n]) => [n, `of ${who}`])] as [number, string][];
    return `${p.process}: ${parts.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`).join(', ')} of ${p.pages}`;
  });
  const facts = [...pages, ...(o.present === undefined ? [] : [`${o.present} present`]), ...(o.iomem ? [`iomem ${o.iomem.join(' / ') || 'nothing'}`] : []), ...(o.blocks ? [`blocks ${o.blocks.join(' ') || 'none'}`] : []),
    ...(o.mounts ? [`mounted ${o.mounts.join(' ') || 'nothing'}`] : []), ...Object.entries(o.devices ?? {}).map(([d, s]) => `${d}: ${s}`), ...Object.entries(o.died ?? {}).map(([who, how]) => `${who} ended: ${how}`), ...(o.hardware ?? [])];
  const log = Object.entries(o.log ?? {}).map(([finding, n]) => `${finding}${n > 1 ? ` x${n}` : ''}`);
  const ending = `${o.ending}${o.errno === undefined ? '' : ` ${o.errno}`}`;
  return `  ${o.verb} ${o.subject}: ${paint(o.ending === 'returned' ? 'dim' : 'yellow', ending)}${facts.length > 0 ? `; ${facts.join('; ')}` : ''}${log.length > 0 ? `; log: ${log.join(', ')}` : ''}`;
}
