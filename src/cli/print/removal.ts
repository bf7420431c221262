/** Dry runs, refusals and records of removals for people. */
import type { DryStep } from '../../remove/dry-run.ts';
import type { RemovalRecord } from '../../remove/record.ts';
import type { RemovalPlan, WayPlan } from '../../steps/removal-plan.ts';
import type { Output } from './output.ts';
import { item } from './table.ts';

export function dryRunText(plan: RemovalPlan, way: WayPlan, steps: readonly DryStep[], out: Output): string {
  const lines = steps.flatMap((s) => [`${s.id.padStart(String(steps.length).length)}. ${s.title}`, ...s.does.map((d) => out.style('dim', `     ${d}`))]);
  return [out.style('bold', `Removing ${plan.deviceName} (${way.way}) would do this; nothing was done:`), ...lines].join('\n');
}

export function refusalText(plan: RemovalPlan, way: WayPlan, out: Output): string {
  return [out.style('red', `It would be refused: ${plan.deviceName} cannot be removed by ${way.way} now.`), ...way.blockers.flatMap((b) => [item(b.text, out.options.width), item(b.next, out.options.width, '-> ', 4)])].join('\n');
}

const HEADS: Readonly<Record<RemovalRecord['status'], string>> = {
  'done': 'is removed',
  'called-off': 'was not removed: the removal was called off, everything is as before',
  'partly': 'is in between: some steps were done and some not',
  'rolled-back': 'is as before the removal',
};

export function recordText(record: RemovalRecord, out: Output): string {
  const color = record.status === 'done' || record.status === 'rolled-back' ? 'green' : 'red';
  const wrong = record.steps.filter((s) => s.outcome === 'failed' || s.outcome === 'unknown');
  const notes = record.steps.filter((s) => s.outcome === 'done' && s.says !== null && /SAFE TO PULL/.test(s.says));
  return [
    out.style(color, `${record.deviceName} ${record.undone.some((u) => u.stays === true) && record.status === 'rolled-back' ? 'is put back as far as that goes; what stays is named here' : HEADS[record.status]}.`),
    ...wrong.map((s) => item(`step ${s.id}, ${s.title}: ${s.says ?? s.outcome}`, out.options.width)),
    ...record.undone.map((u) => item(`${u.ok ? 'put back' : u.stays === true ? 'stays as it is' : 'COULD NOT BE PUT BACK'}: ${u.title}${u.says === null ? '' : ` (${u.says})`}`, out.options.width)),
    ...(record.noticed ?? []).map((text) => item(`meanwhile: ${text}`, out.options.width)),
    ...record.kernelLog.map((line) => item(`kernel: ${line}`, out.options.width)),
    ...(record.unkept === undefined ? [] : [item(`not kept on disk: ${record.unkept}`, out.options.width)]),
    ...(record.status === 'partly' ? [`Go on with 'unseat resume ${record.deviceName}', or put back what can be with 'unseat rollback ${record.deviceName}'.`] : []),
    ...notes.map((s) => out.style('bold', s.says ?? '')),
  ].join('\n');
}
