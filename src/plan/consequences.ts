/** What a way does to holders, mounts and the machine: what the consent is given for. */
import { displayName } from '../host/names.ts';
import { valueOf } from '../profile/build.ts';
import type { Way } from '../steps/reason.ts';
import { roomLines } from './blockers/memory.ts';
import type { ProcessHolder } from '../machine/types/holder.ts';
import { isFailed, type PlanContext } from './context.ts';
import { everybody, mountNames } from './facts/leaf-facts.ts';

export function consequences(c: PlanContext, way: Way): string[] {
  return [...toHolders(c, way), ...toMounts(c, way), ...toMemory(c), ...toNeighbours(c), ...rivals(c)];
}

function toHolders(c: PlanContext, way: Way): string[] {
  if (c.processes.length === 0) return [];
  const all = everybody(c.processes);
  if (way === 'graceful') return [];
  if (way === 'kill') return [`${all}: ended by SIGKILL, unsaved work is lost`];
  if (way === 'detach') return letGo(c.processes);
  const failed = c.processes.filter((p) => isFailed(c, p));
  const rest = c.processes.filter((p) => !isFailed(c, p));
  const poison = 'HardwareCorrupted in /proc/meminfo rises by 4 kB for each write and does not come back';
  return [
    ...(rest.length === 0 ? [] : letGo(rest)),
    `${everybody(failed)}: SIGBUS (BUS_MCEERR_AO) on running again, death without a handler`,
    `whoever of them asked for late kill (PR_MCE_KILL_LATE, which nothing shows) stays mapped: the removal is called off then, before the device goes`,
    valueOf(c.profile, 'fsdax.hwpoison-count-drops-at-unbind') ? poison.replace('does not come back', 'comes back in part at the unbind') : poison,
  ];
}

function letGo(processes: readonly ProcessHolder[]): string[] {
  const copies = processes.filter((p) => p.mappings.some((m) => m.perms.includes('p')));
  return [`${everybody(processes)}: lives on; touching what was mapped shared raises SIGBUS from then on, open files give errors`, ...(copies.length > 0 ? [`${everybody(copies)}: private mappings become copies in RAM`] : [])];
}

function toMounts(c: PlanContext, way: Way): string[] {
  if (c.mounts.length === 0) return [];
  if (way === 'force') return [`${mountNames(c.mounts)}: stays mounted and is dead; must not be unmounted before the device is bound again`];
  return [`${mountNames(c.mounts)}: unmounted${nsCount(c)}; the data stays on the device`];
}

const nsCount = (c: PlanContext): string => {
  const n = new Set(c.mounts.map((m) => m.namespaceId)).size;
  return n > 1 ? ` in ${n} mount namespaces` : '';
};

const toMemory = (c: PlanContext): string[] => roomLines(c);

/** A memdev takes down every region it serves, also those that other memdevs share. */
function toNeighbours(c: PlanContext): string[] {
  const memdevs = c.containers.filter((d) => d.kind === 'cxl-memdev').map((d) => d.name);
  return c.machine.cxl.regions.filter((r) => memdevs.length > 0 && r.targets.some((t) => t.memdev !== null && memdevs.includes(t.memdev))).flatMap((r) => {
    const others = r.targets.map((t) => t.memdev).filter((m): m is string => m !== null && !memdevs.includes(m));
    return others.length > 0 ? [`${r.name} is interleaved over ${[...memdevs, ...others].join(', ')}: all of it goes, also what lies on ${others.join(', ')}`] : [];
  });
}

function rivals(c: PlanContext): string[] {
  const ram = c.leaves.some((l) => l.device.blocks.length > 0);
  const wanted = c.machine.rivals.filter((r) => (r.kind === 'monitor' ? !ram && c.processes.length > 0 : ram && r.kind !== 'auto-online'));
  return wanted.map((r) => `watch out: ${displayName(r.where)}: ${r.effect}`);
}
