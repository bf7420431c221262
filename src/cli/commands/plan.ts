/** `unseat plan DEVICE`: who holds it, what a bare removal would do, the steps. */
import { Option, type Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import { inventoryFor, optionsOf } from '../../plan/inventory.ts';
import { makePlan } from '../../plan/make-plan.ts';
import { probesOf } from '../../plan/probes.ts';
import type { Profile } from '../../profile/profile.ts';
import { profileByName, releaseNames, selectProfile, type Selection } from '../../profile/select.ts';
import type { Way } from '../../steps/reason.ts';
import type { RemovalPlan, WayPlan } from '../../steps/removal-plan.ts';
import { addHostOptions, openHost } from '../open-host.ts';
import type { Output } from '../print/output.ts';
import { planText } from '../print/plan.ts';

const WAYS: readonly Way[] = ['graceful', 'detach', 'force', 'kill'];

export function define(command: Command): void {
  addHostOptions(command)
    .argument('<device>', 'any name of it: pmem0, namespace0.0, dax0.0, region0, mem0, /dev/pmem0, a mount point, memory42, a PCI address, a slot')
    .addOption(new Option('--way <way>', 'show the steps of this way (default: the first that is possible)').choices(WAYS))
    .option('--all-ways', 'show the steps of every way')
    .option('--stop-units <units>', 'systemd units that may be stopped, separated by commas')
    .option('--as-kernel <profile>', `forecast as if this kernel ran: ${releaseNames().join(', ')}`)
    .option('--sources', 'say for each line of the forecast where it is known from')
    .addHelpText('after', `
Shows who holds the device, what a bare unbind or a pull of the hardware would do on this kernel and why, which ways
of removal are open and what blocks the others, and the ordered steps with every write. It changes nothing.

  unseat plan pmem0                          the first way that is open
  unseat plan /mnt --way detach              a mount point names the device below it
  unseat plan mem0 --json                    the plan as data, as 'unseat remove' carries it out (schema/plan.json)
  unseat plan pmem0 --from capture.tar.gz    a captured machine
  unseat plan pmem0 --as-kernel 6.12         what another kernel would do

Ways: graceful ends nobody; detach makes holders replace what they map (they live on); force unmaps with
memory_failure(); kill ends them. Effects and reason codes are explained in docs/plan.md.

Exit status: 0 shown, whatever stands in the way; 1 failed (as no such device), 2 wrong command line.`);
}

export async function run(args: readonly string[], options: Readonly<Record<string, unknown>>, out: Output): Promise<number> {
  const [name] = args;
  if (name === undefined) throw new UnseatError('USAGE', 'no device is named', { next: "List what there is with 'unseat scan'." });
  const host = await openHost(options);
  try {
    const inventory = inventoryFor(host, name);
    const { machine, device, leaves } = inventory;
    const units = typeof options['stopUnits'] === 'string' ? options['stopUnits'].split(',').map((u) => u.trim()).filter((u) => u !== '') : [];
    const selection = typeof options['asKernel'] === 'string' ? asKernel(options['asKernel']) : selectProfile(machine.kernel.release, probesOf(machine));
    const protectedPids = host.kind === 'live' ? [process.pid, process.ppid] : [];
    const plan = makePlan(machine, device, { ...optionsOf(inventory), stopUnits: units, protectedPids }, selection);
    if (out.options.json) out.json(plan);
    else out.text(planText({ machine, device, leaves, plan, shown: shownWays(plan, options), sources: options['sources'] === true }, { width: out.options.width, style: (style, text) => out.style(style, text) }));
    return EXIT.ok;
  } finally {
    host.close();
  }
}

function asKernel(name: string): Selection {
  const profile: Profile | null = releaseNames().includes(name) ? profileByName(name) : null;
  if (profile === null) throw new UnseatError('USAGE', `there is no profile ${name}`, { next: `Take one of ${releaseNames().join(', ')}.` });
  return { profile, exact: false, says: `as if it were profile ${profile.name}, as asked`, overridden: [] };
}

/** The asked-for ways, or the first that is possible, or the first. */
function shownWays(plan: RemovalPlan, options: Readonly<Record<string, unknown>>): WayPlan[] {
  if (options['allWays'] === true) return [...plan.ways];
  const asked = plan.ways.find((w) => w.way === options['way']);
  if (options['way'] !== undefined && asked === undefined) {
    throw new UnseatError('USAGE', `${plan.deviceName} has no way "${String(options['way'])}"`, { seen: `its ways: ${plan.ways.map((w) => w.way).join(', ')}`, next: 'A way that lets holders go is planned only where there are holders.' });
  }
  const way = asked ?? plan.ways.find((w) => w.possible) ?? plan.ways[0];
  return way ? [way] : [];
}
