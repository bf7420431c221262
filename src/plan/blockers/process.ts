/** Blockers that are processes: mappings, files, directories, pins, VMs, and those that must not be touched. */
import { displayName } from '../../host/names.ts';
import { fdName } from '../../machine/holders/apart.ts';
import { LONG_TERM, type HeldMapping, type Pin, type ProcessHolder } from '../../machine/types/holder.ts';
import { formatBytes } from '../../range/units.ts';
import { valueOf } from '../../profile/build.ts';
import type { Blocker, Way } from '../../steps/reason.ts';
import { isFailed, type PlanContext } from '../context.ts';
import { who } from '../facts/leaf-facts.ts';

const LET_GO: readonly Way[] = ['detach', 'force', 'kill'];

export function processBlockers(c: PlanContext): Blocker[] {
  const pinned = Map.groupBy(c.leaves.flatMap((l) => l.pins), (x) => x.process.pid);
  return c.processes.flatMap((p) => {
    if (p.pid === 1 || (c.options.protectedPids ?? []).includes(p.pid)) return [untouchable(p)];
    if (stoppedWithUnit(c, p)) return [];
    const mine = (pinned.get(p.pid) ?? []).map((x) => x.pin).filter(isInTheWay);
    return [...vm(p), ...mapping(c, p, mine), ...files(p, mine), ...directories(p), ...pins(c, p, mine), ...identity(p)];
  });
}

/** Graceful stops the unit by name, so its processes do not block it. */
export const stoppedWithUnit = (c: PlanContext, p: ProcessHolder): boolean => p.unit !== null && (c.options.stopUnits ?? []).includes(p.unit);

const endIt = (p: ProcessHolder): string => (p.unit !== null && p.unit.endsWith('.service') ? `Stop it (systemctl stop ${p.unit}, or --stop-units ${p.unit})` : `End it or let it close the device (${commandOf(p)})`);
/** Not where detach would be refused: a pin outlives the mapping. */
const orDetach = (p: ProcessHolder, pinned: readonly Pin[]): string => (p.vm || pinned.length > 0 ? '' : ', or remove with --detach');
const isInTheWay = (pin: Pin): boolean => pin.certainty === 'seen' || (pin.certainty === 'possible' && LONG_TERM.includes(pin.kind));
const commandOf = (p: ProcessHolder): string => displayName(p.commandLine.replaceAll('\0', ' ').trim() || p.comm);
const nameOf = (m: HeldMapping): string => `${displayName(m.file)}${m.deleted ? ' (deleted)' : ''}`;

function untouchable(p: ProcessHolder): Blocker {
  return { reason: 'protected-process', subject: who(p), pid: p.pid, text: `${who(p)} holds the device and must not be stopped or ended`, next: 'Let it go by other means (reconfigure it, reboot).', overcomeBy: [] };
}

function vm(p: ProcessHolder): Blocker[] {
  if (p.vm === null) return [];
  return [{ reason: 'held-by-vm', subject: who(p), pid: p.pid, text: `${p.vm.program} uses the memory as that of its guest (${p.vm.evidence})`, next: 'Migrate or shut down the VM first.', overcomeBy: ['kill'] }];
}

function mapping(c: PlanContext, p: ProcessHolder, pinned: readonly Pin[]): Blocker[] {
  const [first] = p.mappings;
  if (first === undefined) return [];
  const bytes = p.mappings.reduce((sum, m) => sum + m.end - m.start, 0);
  const names = [...new Set(p.mappings.map(nameOf))];
  const shared = p.mappings.some((m) => m.perms.includes('s')) ? 'shared' : 'private';
  const text = `${who(p)} maps ${formatBytes(bytes)} of ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''} (${shared}, ${first.perms.slice(0, 3)}) at 0x${first.start.toString(16)}`;
  const forced = !isFailed(c, p) || valueOf(c.profile, 'fsdax.memory-failure-collects') === 'early-kill' ? LET_GO : LET_GO.filter((w) => w !== 'force');
  return [{ reason: 'held-by-mapping', subject: who(p), pid: p.pid, text, next: `${endIt(p)}${orDetach(p, pinned)}.`, overcomeBy: p.vm ? ['kill'] : forced }];
}

function files(p: ProcessHolder, pinned: readonly Pin[]): Blocker[] {
  if (p.files.length === 0) return [];
  const names = p.files.slice(0, 3).map((f) => `${fdName(f)} ${displayName(f.file)}${f.deleted ? ' (deleted)' : ''}`).join(', ');
  return [{ reason: 'held-by-open-file', subject: who(p), pid: p.pid, text: `${who(p)} has open: ${names}${p.files.length > 3 ? ` and ${p.files.length - 3} more` : ''}`, next: `${endIt(p)}${orDetach(p, pinned)}.`, overcomeBy: p.vm ? ['kill'] : LET_GO }];
}

function directories(p: ProcessHolder): Blocker[] {
  const places = [p.cwd === null ? null : `working directory ${displayName(p.cwd)}`, p.root === null ? null : `root ${displayName(p.root)}`].filter((x) => x !== null);
  if (places.length === 0) return [];
  const end = `${endIt(p).charAt(0).toLowerCase()}${endIt(p).slice(1)}`;
  // Another root directory would let the process out of the part of the file system that it was locked into.
  const next = p.root === null ? `Change its directory, or ${end}.` : `${endIt(p)}: no process is let out of its root directory (chroot), so --detach cannot help; --kill ends it.`;
  return [{ reason: 'held-by-cwd', subject: who(p), pid: p.pid, text: `${who(p)} has its ${places.join(' and ')} on the device`, next, overcomeBy: p.root === null ? LET_GO : ['force', 'kill'] }];
}

function pins(c: PlanContext, p: ProcessHolder, mine: readonly Pin[]): Blocker[] {
  const after = valueOf(c.profile, 'gup.memunmap-references') === 'bulk'
    ? 'this kernel\'s unbind does not wait for it, and its next use touches freed struct pages'
    : 'the unbind would hang until it is dropped';
  return mine.map((pin): Blocker => ({
    reason: pin.certainty === 'seen' ? 'pinned-seen' : 'pin-possible', subject: who(p), pid: p.pid,
    text: `${who(p)} ${pin.certainty === 'seen' ? 'holds' : 'may hold'} a long-term pin (${pin.kind}${pin.bytes === null ? '' : `, ${formatBytes(pin.bytes)}`}; ${displayName(pin.evidence)}): ${after}`,
    next: `${endIt(p)}; only the holder can drop a pin.`, overcomeBy: pin.certainty === 'seen' ? ['kill'] : ['graceful', 'kill'],
  }));
}

/** Without its start time a process cannot be told from a later one with the same pid. */
function identity(p: ProcessHolder): Blocker[] {
  if (p.startTime !== null) return [];
  return [{ reason: 'hidden', subject: who(p), pid: p.pid, text: `the start time of ${who(p)} is not known, so it cannot be stopped or ended safely`, next: 'Look as root on the live machine.', overcomeBy: ['graceful'] }];
}
