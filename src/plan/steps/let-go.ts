/** Making holders let go: waiting, stopping, detaching, memory_failure, killing. */
import { valueOf } from '../../profile/build.ts';
import { displayName } from '../../host/names.ts';
import type { MountHolder, ProcessHolder } from '../../machine/types/holder.ts';
import { formatRange } from '../../range/units.ts';
import type { Way } from '../../steps/reason.ts';
import type { StepAction } from '../../steps/step.ts';
import { stoppedWithUnit } from '../blockers/process.ts';
import { isFailed, type PlanContext } from '../context.ts';
import { who } from '../facts/leaf-facts.ts';
import { needsSearch } from '../facts/sight.ts';
import { DEADLINE, draft, refOf, type Draft } from './draft.ts';

const EARLY_KILL = '/proc/sys/vm/memory_failure_early_kill';

/** Steps up to the point where nobody has a way in any more, without the unmounts. */
export function letGo(c: PlanContext, way: Way): Draft[] {
  const held = c.processes.length > 0;
  const first = [...sync(c, held && way !== 'graceful' ? 'before the stop, so that the pause is short' : 'so that nothing written is lost')];
  if (way === 'graceful') return [...units(c), ...wait(c), ...first, ...confirm(c, true)];
  if (way === 'kill') return [...first, ...kills(c), ...confirm(c, true)];
  const stopped = [...first, ...stops(c), ...sync(c, 'again: what was written since the first time is saved while nobody runs')];
  if (way === 'detach') return [...stopped, ...detaches(c, c.processes), ...confirm(c, true)];
  // Who can be detached lives on unharmed; memory_failure() is for the others alone.
  return [...stopped, ...detaches(c, c.processes.filter((p) => !isFailed(c, p))), ...earlyKill(), ...failures(c)];
}

/** One sync for each file system; its mounts share it. */
function sync(c: PlanContext, why: string): Draft[] {
  return oneForEachFs(c.mounts).map((m) => draft({ kind: 'sync', namespaceId: m.namespaceId, mountPoint: m.mountPoint }, `sync ${displayName(m.mountPoint)}`, why, { deadlineMs: DEADLINE.sync }));
}

const oneForEachFs = (mounts: readonly MountHolder[]): MountHolder[] => [...new Map(mounts.map((m) => [m.dev, m])).values()];

function units(c: PlanContext): Draft[] {
  const wanted = [...new Set(c.processes.filter((p) => stoppedWithUnit(c, p)).map((p) => p.unit ?? ''))];
  return wanted.map((unit) => draft({ kind: 'stop-unit', unit }, `systemctl stop ${unit}`, 'its processes hold the device, and it was named to be stopped', { needs: 'CAP_SYS_ADMIN', deadlineMs: 90_000 }));
}

function wait(c: PlanContext): Draft[] {
  const { waitMs } = c.options;
  if (waitMs === undefined || c.processes.length === 0) return [];
  return [draft({ kind: 'wait-for-holders', deadlineMs: waitMs }, `wait up to ${Math.round(waitMs / 1000)} s for the holders to go by themselves`, 'graceful ends nobody', { deadlineMs: waitMs })];
}

function stops(c: PlanContext): Draft[] {
  const why = 'nothing else keeps a mapping from faulting back: not umount -l, not read-only, not a shutdown of the file system';
  return c.processes.map((p) => {
    const process = refOf(p);
    return draft({ kind: 'stop-process', process }, `stop ${who(p)}`, why, { undo: { kind: 'release-process', process }, needs: 'CAP_SYS_PTRACE', deadlineMs: DEADLINE.stop });
  });
}

function detaches(c: PlanContext, processes: readonly ProcessHolder[]): Draft[] {
  const devices = [...new Set(c.leaves.flatMap((l) => l.device.deviceNumbers))];
  return processes.map((p) => draft({ kind: 'detach-process', process: refOf(p), devices }, `make ${who(p)} let go of ${p.mappings.length} mapping(s) and ${p.files.length} file(s)`,
    'it replaces them itself (injected system calls): shared mappings by one that raises SIGBUS, private ones by its own copy, files by one that gives errors; no signal, no poison', { needs: 'CAP_SYS_PTRACE', deadlineMs: DEADLINE.detach }));
}

function earlyKill(): Draft[] {
  return [draft({ kind: 'set', path: EARLY_KILL, to: '1', was: '' }, `write 1 to ${EARLY_KILL}`, 'without early kill memory_failure() leaves the mappings of processes in place', { undo: { kind: 'set', path: EARLY_KILL, to: '', was: '1' }, needs: 'CAP_SYS_ADMIN' })];
}

function failures(c: PlanContext): Draft[] {
  const parts = c.leaves.filter((l) => l.direct).flatMap((l) => l.device.ranges.flatMap((range) => l.mapped.filter((p) => isFailed(c, p)).map((p) => ({ range, p }))));
  return parts.map(({ range, p }) => draft(
    { kind: 'memory-failure', process: refOf(p), range },
    `for each present page of ${who(p)} in ${formatRange(range)}: write its address to /sys/devices/system/memory/hard_offline_page`,
    'one write unmaps a page from every process; it reports success even where it did nothing, so pagemap is read again until nothing is present', { needs: 'CAP_SYS_ADMIN', deadlineMs: 600_000 }));
}

function kills(c: PlanContext): Draft[] {
  return c.processes.map((p) => draft({ kind: 'signal-process', process: refOf(p), signal: 'SIGKILL' }, `SIGKILL ${who(p)}`, 'before the device goes, never after: exit with a stale mapping can crash the kernel', { needs: 'CAP_KILL', deadlineMs: DEADLINE.stop }));
}

/** No process may hold it; `allowMounts` while file systems are still mounted. */
export function confirm(c: PlanContext, allowMounts: boolean): Draft[] {
  // System RAM has no holders that a process list could show, although a dax device keeps its number under kmem.
  const devices = [...new Set(c.leaves.filter((l) => needsSearch(l.device)).flatMap((l) => l.device.deviceNumbers))];
  if (devices.length === 0) return [];
  return [draft({ kind: 'confirm-no-holders', devices, allowMounts }, allowMounts ? 'confirm that no process holds it any more' : 'confirm that nothing holds it any more, in any mount namespace',
    'forked children and latecomers are found only by looking at every process again; they send the removal back', { needs: 'CAP_SYS_PTRACE', deadlineMs: DEADLINE.confirm })];
}

/** What is put back when the device is gone: settings, and the holders run again. */
export function goOn(c: PlanContext, way: Way): Draft[] {
  if (way !== 'detach' && way !== 'force') return [];
  const back: StepAction = { kind: 'set', path: EARLY_KILL, to: '', was: '1' };
  const settings = way === 'force' ? [draft(back, `put ${EARLY_KILL} back`, 'it was changed for this removal only', { needs: 'CAP_SYS_ADMIN' })] : [];
  return [...settings, ...c.processes.map((p) => draft({ kind: 'release-process', process: refOf(p) }, `let ${who(p)} run again`, 'the device is gone and cannot fault back', { needs: 'CAP_SYS_PTRACE', deadlineMs: DEADLINE.stop }))];
}

/** XFS whose own notification would spin must be shut down after the unmap (docs/kernel-truth A 2). */
export const shutdownFirst = (c: PlanContext): MountHolder[] =>
  valueOf(c.profile, 'fsdax.xfs-notify-block-count') === 'wraps' ? oneForEachFs(c.mounts.filter((m) => m.fsType === 'xfs')) : [];
