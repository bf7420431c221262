/** `unseat remove DEVICE`: carries out a plan, with consent. */
import type { Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Host } from '../../host/host.ts';
import { inventoryFor } from '../../plan/inventory.ts';
import { slotsOf } from '../../machine/devices/in-slots.ts';
import type { PlanOptions } from '../../plan/context.ts';
import { makePlan } from '../../plan/make-plan.ts';
import { dryRun } from '../../remove/dry-run.ts';
import { remove } from '../../remove/engine/run.ts';
import { foreseeDetach } from '../../remove/ways/detach/foresee.ts';
import { fullPipes } from '../../remove/ways/detach/full-pipes.ts';
import { undetachable } from '../../remove/ways/force/choose.ts';
import type { Blocker, ReasonCode, Way } from '../../steps/reason.ts';
import type { RemovalPlan, WayPlan } from '../../steps/removal-plan.ts';
import { interruptible } from '../interrupt.ts';
import { addHostOptions, openHost } from '../open-host.ts';
import { refuse } from '../refuse-removal.ts';
import { consent } from '../print/consent.ts';
import type { Output } from '../print/output.ts';
import { dryRunText, recordText, refusalText } from '../print/removal.ts';
import { locate } from './locate.ts';

/** Reasons that a person may accept by name; all others are facts that no word changes. */
const ACCEPTABLE: readonly ReasonCode[] = ['pin-possible', 'hidden', 'rival'];

export function define(command: Command): void {
  addHostOptions(command)
    .argument('<device>', "any name of it, as for 'unseat plan'")
    .option('--detach', 'make holders let go and live on')
    .option('--force', 'detach where it works, else memory_failure() page by page')
    .option('--by-memory-failure', 'with --force: memory_failure() also where detach would work')
    .option('--kill', 'end the holders, before the device goes')
    .option('--wait <seconds>', 'graceful: wait so long for holders to go by themselves')
    .option('--stop-units <units>', 'graceful: systemd units that may be stopped, separated by commas')
    .option('--accept <reasons>', `go on in spite of these, separated by commas: ${ACCEPTABLE.join(', ')}`)
    .option('--locate [on|off]', 'remove nothing: blink the light of the slot that it sits in; off ends that')
    .option('--dry-run', 'print exactly what would be written, injected and signalled, and do nothing')
    .option('--yes <device>', 'consent: the name of the device once more')
    .addHelpText('after', `
Without one of --detach, --force and --kill nobody is made to go: a device that is held is not removed, and the holders
are named. Every step is looked at before and after; when one fails, what was done is put back. The journal is under
/run/unseat while the removal runs, the record under /var/lib/unseat afterwards. Ctrl-C calls it off after the step that it is
at, and what was done is put back; a second one ends unseat at once: the holders go on, and 'unseat resume' or 'unseat
rollback' does the rest.

  unseat remove pmem0 --dry-run            what would be done, in order
  unseat remove pmem0 --detach             asks for the device's name, then does it
  unseat remove pmem0 --detach --yes pmem0 for scripts
  unseat remove mem0 --locate              blinks the slot of the card: writes 2 to its attention file

Exit status: 0 done, 1 failed (as no such device) or called off with everything as before, 2 wrong command line, 3 refused before
anything was touched (held, damage, no consent, no privilege, a host that cannot be changed), 64 partly done ('unseat resume',
'unseat rollback').`);
}

export async function run(args: readonly string[], options: Readonly<Record<string, unknown>>, out: Output): Promise<number> {
  const [name] = args;
  if (name === undefined) throw new UnseatError('USAGE', 'no device is named', { next: "List what there is with 'unseat scan'." });
  const host = await openHost(options);
  try {
    if (options['locate'] !== undefined) return await locate(host, name, options, out);
    const { machine, device, leaves, room } = inventoryFor(host, name);
    const own = host.kind === 'live' ? [process.pid, process.ppid] : [];
    const planWith = (more: PlanOptions): RemovalPlan => makePlan(machine, device, { stopUnits: listOf(options['stopUnits']), protectedPids: own, ...(room ? { room } : {}), ...waitOf(options), ...more });
    const numbers = [...new Set(leaves.flatMap((l) => l.deviceNumbers))];
    const shared = new Map(leaves.flatMap((l) => machine.holders[l.id] ?? []).flatMap((h) => (h.kind === 'process' && h.sharesMemoryWith.length > 0 ? [[h.pid, h.sharesMemoryWith] as const] : [])));
    const first = planWith({});
    const cannotDetach = notDetachable(host, first, options, new Set(numbers), shared);
    const plan = cannotDetach.length === 0 ? first : planWith({ cannotDetach });
    const way = withForesight(host, chooseWay(plan, options, cannotDetach.length > 0), new Set(numbers), listOf(options['accept']), shared);
    if (options['dryRun'] === true) {
      const steps = dryRun(host, way.steps, new Set(numbers));
      if (out.options.json) out.json({ device: plan.device, way: way.way, possible: way.possible, blockers: way.blockers, steps });
      else out.text([...(way.possible ? [] : [refusalText(plan, way, out), '']), dryRunText(plan, way, steps, out)].join('\n'));
      return EXIT.ok;
    }
    refuse(host, plan, way);
    await consent(plan, [name, plan.deviceName, plan.device, ...device.aliases], typeof options['yes'] === 'string' ? options['yes'] : null, way, out);
    const slots = [...new Set([device, ...leaves].flatMap((d) => slotsOf(machine, d)).map((s) => s.name))];
    const record = await interruptible(out, (stopAsked) => remove(host, plan, way, numbers, { stopAsked, own, slots, acceptUnseen: listOf(options['accept']).includes('hidden'), acceptPins: listOf(options['accept']).includes('pin-possible'), before: { device, holders: leaves.map((l) => machine.holders[l.id] ?? []) }, progress: (p) => { if (p.phase === 'end') out.note(p.text); else out.progress(p.text); } }));
    if (out.options.json) out.json(record);
    else out.text(recordText(record, out));
    return record.status === 'done' ? EXIT.ok : record.status === 'partly' ? EXIT.partly : EXIT.failed;
  } finally {
    host.close();
  }
}

const listOf = (value: unknown): string[] => (typeof value === 'string' ? value.split(',').map((part) => part.trim()).filter((part) => part !== '') : []);

function waitOf(options: Readonly<Record<string, unknown>>): { waitMs?: number } {
  if (options['wait'] === undefined) return {};
  const seconds = Number(options['wait']);
  if (!Number.isFinite(seconds) || seconds < 0) throw new UnseatError('USAGE', '--wait takes a number of seconds', { seen: String(options['wait']) });
  return { waitMs: seconds * 1000 };
}

/** Force detaches whom it can, and takes memory_failure() for the rest alone: those of them that are holders, by pid. */
function notDetachable(host: Host, plan: RemovalPlan, options: Readonly<Record<string, unknown>>, devices: ReadonlySet<string>, shared: ReadonlyMap<number, readonly number[]>): readonly number[] {
  if (options['force'] !== true || options['byMemoryFailure'] === true) return [];
  const holders = plan.ways.find((w) => w.way === 'force')?.steps.flatMap(({ action }) => (action.kind === 'stop-process' ? [action.process] : [])) ?? [];
  return undetachable(host, holders, devices, shared).map((u) => u.pid);
}

/** `mixed`: force was planned holder by holder, because not all of them can be detached. */
function chooseWay(plan: RemovalPlan, options: Readonly<Record<string, unknown>>, mixed: boolean): WayPlan {
  const asked = (['detach', 'force', 'kill'] as const).filter((w) => options[w] === true);
  const byMemoryFailure = options['byMemoryFailure'] === true;
  if (byMemoryFailure && options['force'] !== true) throw new UnseatError('USAGE', '--by-memory-failure belongs to --force', { next: 'Give both.' });
  if (asked.length > 1) throw new UnseatError('USAGE', 'one of --detach, --force and --kill at most', { seen: asked.join(', ') });
  const of = (way: Way): WayPlan | undefined => plan.ways.find((w) => w.way === way);
  const graceful = of('graceful') ?? plan.ways[0];
  const first = asked[0];
  const detach = of('detach');
  // Nobody to let go: every way is the graceful one.
  const way = first === 'force' && !byMemoryFailure && !mixed && detach?.possible === true ? detach : first === undefined ? graceful : (of(first) ?? (first === 'force' ? detach : undefined) ?? graceful);
  if (way === undefined) throw new UnseatError('REFUSED', 'there is no way to remove this device', { subject: plan.deviceName });
  return way;
}

/** What the host knows of each holder before anything is touched, as further blockers; accepted ones taken away. */
function withForesight(host: Host, way: WayPlan, devices: ReadonlySet<string>, accepted: readonly string[], shared: ReadonlyMap<number, readonly number[]>): WayPlan {
  for (const reason of accepted) if (!ACCEPTABLE.some((a) => a === reason)) throw new UnseatError('USAGE', 'this reason cannot be accepted', { seen: reason, next: `Those that can: ${ACCEPTABLE.join(', ')}.` });
  const seen = way.steps.flatMap<Blocker>(({ action }) => {
    if (action.kind !== 'detach-process' && action.kind !== 'memory-failure') return [];
    const partners = action.kind === 'detach-process' ? shared.get(action.process.pid) : undefined;
    // Another process in the same memory would run on while this one is edited.
    const foresight = action.kind === 'memory-failure' ? { possible: true as const } : partners === undefined ? foreseeDetach(host, action.process, devices) : { possible: false as const, why: `it shares its memory with pid ${partners.join(', ')}` };
    const pin = foresight.possible ? fullPipes(host, host.trace, action.process, devices) : null;
    if (pin !== null && !accepted.includes('pin-possible')) {
      return [{
        reason: 'pin-possible', subject: `pid ${action.process.pid}`, pid: action.process.pid, text: `pid ${action.process.pid}: ${pin}.`,
        next: 'Let who reads the pipe take it out, end the process, or accept it by name: --accept pin-possible.', overcomeBy: ['kill'],
      }];
    }
    return foresight.possible ? [] : [{
      reason: 'cannot-detach', subject: `pid ${action.process.pid}`, pid: action.process.pid, text: `pid ${action.process.pid}: ${foresight.why}.`,
      next: 'End it yourself, or take --kill.', overcomeBy: ['kill'],
    }];
  });
  const blockers = [...way.blockers.filter((b) => !accepted.includes(b.reason)), ...[...new Map(seen.map((b) => [`${b.reason} ${b.pid}`, b])).values()].filter((b) => !way.blockers.some((k) => k.reason === b.reason && k.pid === b.pid))];
  return { ...way, blockers, possible: blockers.length === 0 };
}
