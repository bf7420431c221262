/** Consent: the device's name, typed or given with --yes. */
import { createInterface } from 'node:readline/promises';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { RemovalPlan, WayPlan } from '../../steps/removal-plan.ts';
import { displayName } from '../../host/names.ts';
import type { Output } from './output.ts';

/** Throws NO_CONSENT unless one of `names` was given. `given`: the value of --yes. */
export async function consent(plan: Pick<RemovalPlan, 'deviceName'>, names: readonly string[], given: string | null, way: Pick<WayPlan, 'way' | 'consequences' | 'steps'>, out: Output): Promise<void> {
  if (given !== null) {
    if (names.includes(given)) return;
    throw new UnseatError('NO_CONSENT', '--yes names another device', { subject: plan.deviceName, seen: given, next: `Consent is the device's own name: --yes ${plan.deviceName}` });
  }
  if (process.stdin.isTTY !== true) {
    throw new UnseatError('NO_CONSENT', 'nothing was done', { subject: plan.deviceName, next: `Look at it with --dry-run, then consent with --yes ${plan.deviceName}` });
  }
  for (const line of way.consequences) out.note(`* ${line}`);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const typed = await lines.question(`${way.steps.length} steps (${way.way}). Type the name of the device, ${displayName(plan.deviceName)}, to go on: `).catch((error: Error) => {
    // Ctrl-C, Ctrl-D: the answer of somebody who does not want to.
    if (error.name !== 'AbortError') throw error;
    out.note('');
    return '';
  }).finally(() => lines.close());
  if (!names.includes(typed.trim())) throw new UnseatError('NO_CONSENT', 'nothing was done', { subject: plan.deviceName, ...(typed.trim() === '' ? {} : { seen: displayName(Buffer.from(typed.trim()).toString('latin1')) }) });
}
