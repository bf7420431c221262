/** Why a planned removal is not begun: what is in the way, and which steps need privileges that this user lacks. */
import { UnseatError } from '../errors/unseat-error.ts';
import { isMissing, orElse } from '../host/fact.ts';
import type { Host } from '../host/host.ts';
import type { Blocker } from '../steps/reason.ts';
import type { RemovalPlan, WayPlan } from '../steps/removal-plan.ts';
import type { Step } from '../steps/step.ts';

/**
 * What stands in the way first; then privileges, with every step that lacks them; and last what could not be seen, which is
 * most often for want of the same privileges.
 *
 * @throws UnseatError HELD, REFUSED, READ_ONLY or NO_PERMISSION
 */
export function refuse(host: Host, plan: RemovalPlan, way: WayPlan): void {
  const known = way.blockers.filter((b) => b.reason !== 'hidden');
  refuseFor(plan, way, known);
  if (host.actions === undefined) throw new UnseatError('READ_ONLY', 'this machine cannot be changed', { subject: host.label, next: 'Take --dry-run to see what would be done.' });
  refuseWithout(host, plan, way);
  refuseFor(plan, way, way.blockers);
}

function refuseFor(plan: RemovalPlan, way: WayPlan, blockers: readonly Blocker[]): void {
  const [blocker] = blockers;
  if (blocker === undefined) return;
  const others = way.blockers.length - 1;
  throw new UnseatError(blocker.reason.startsWith('held-') ? 'HELD' : 'REFUSED', `${blocker.text}${others > 0 ? ` (and ${others} more reason${others === 1 ? '' : 's'}: see 'unseat plan ${plan.deviceName}')` : ''}`, {
    subject: plan.deviceName, next: blocker.next, data: { way: way.way, blockers: way.blockers },
  });
}

function refuseWithout(host: Host, plan: RemovalPlan, way: WayPlan): void {
  const lacking = way.steps.filter((s) => s.needs !== null && !hasCapability(host, s.needs));
  if (lacking.length === 0) return;
  const names = [...new Set(lacking.map((s) => s.needs ?? ''))];
  const root = orElse(host.identity.uid, -1) === 0;
  throw new UnseatError('NO_PERMISSION', `${lacking.length} of ${way.steps.length} steps need privileges that this user lacks; nothing was changed`, {
    subject: plan.deviceName,
    seen: names.map((name) => `${name} for ${stepList(lacking.filter((s) => s.needs === name))}`).join('. '),
    next: root ? `This root lacks ${names.join(' and ')} (a container, or a bounding set): run it where root has ${names.length === 1 ? 'it' : 'them'}.` : 'Run it as root.',
    data: { steps: lacking.map((s) => ({ id: s.id, title: s.title, needs: s.needs })) },
  });
}

const SHOWN = 4;

function stepList(steps: readonly Step[]): string {
  const shown = steps.slice(0, SHOWN).map((s) => `step ${s.id} (${s.title})`).join(', ');
  return steps.length > SHOWN ? `${shown} and ${steps.length - SHOWN} more` : shown;
}

/** Bit numbers of include/uapi/linux/capability.h. */
const CAPABILITIES: Readonly<Record<string, number>> = { CAP_DAC_OVERRIDE: 1, CAP_KILL: 5, CAP_SYS_PTRACE: 19, CAP_SYS_ADMIN: 21 };

/** Files of sysfs that a step writes belong to root, who needs no capability for them. */
function hasCapability(host: Host, name: string): boolean {
  if (name === 'CAP_DAC_OVERRIDE' && orElse(host.identity.uid, -1) === 0) return true;
  const bits = host.identity.capabilities;
  const number = CAPABILITIES[name];
  return isMissing(bits) || number === undefined || ((bits[0] >>> number) & 1) === 1;
}
