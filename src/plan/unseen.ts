/** What this host cannot show, so that the plan cannot know it. Listed, never taken for absent. */
import { valueOf } from '../profile/build.ts';
import { formatBytes } from '../range/units.ts';
import type { PlanContext } from './context.ts';
import { notMeasuredHere } from './facts/leaf-facts.ts';

/** One sentence each. */
export function unseen(c: PlanContext): string[] {
  return [...elsewhere(c), ...pins(c), ...xfs(c), ...late(c), ...pages(c), ...policies(c), ...notes(c)];
}

/** What was measured ran on x86-64 with pages of 4 KiB. */
function elsewhere(c: PlanContext): string[] {
  const { arch, pageSize } = c.machine.kernel;
  if (!notMeasuredHere(c.machine)) return [];
  return [`How this architecture differs: forecasts were measured on x86_64 with pages of 4 KiB, this is ${arch ?? 'another architecture'}${pageSize === null ? '' : ` with pages of ${formatBytes(pageSize)}`}. What is certain there is called likely here.`];
}

function pins(c: PlanContext): string[] {
  const list: string[] = [];
  if (c.leaves.some((l) => l.device.blocks.length === 0)) list.push('Pins by pages in pipes (vmsplice), by I/O in flight and by drivers: no file shows them, and the return code of the unbind does not tell.');
  const maybe = c.leaves.flatMap((l) => l.pins).filter((p) => p.pin.certainty === 'possible');
  for (const p of maybe) list.push(`pid ${p.process.pid} may hold a pin: ${p.pin.evidence}.`);
  if (c.leaves.some((l) => l.online.length > 0)) {
    list.push(`Pins inside the memory blocks: page flags show none. ${valueOf(c.profile, 'gup.longterm-leaves-movable') ? 'Long-term pins left ZONE_MOVABLE when they were made; a page in a pipe still makes offline go on for ever.' : 'On this kernel a long-term pin stays in ZONE_MOVABLE and makes offline go on for ever.'}`);
  }
  return list;
}

function xfs(c: PlanContext): string[] {
  if (!c.leaves.some((l) => l.fs === 'xfs' && l.rmapbt === 'unknown')) return [];
  return ['Whether the XFS has a reverse-mapping btree (rmapbt): neither its mount options nor sysfs say; xfs_info does.'];
}

function late(c: PlanContext): string[] {
  if (!c.leaves.some((l) => l.direct && l.mapped.length > 0 && l.device.kind !== 'devdax')) return [];
  return ['Whether a holder asked for late kill (prctl PR_MCE_KILL_LATE): memory_failure() does not unmap it then (matters for --force only).'];
}

function pages(c: PlanContext): string[] {
  const blind = c.leaves.flatMap((l) => l.online).filter((b) => b.pages === undefined);
  if (blind.length === 0) return [];
  return [`What is on ${blind.length === 1 ? `memory${blind[0]?.index}` : `${blind.length} memory blocks`}: /proc/kpageflags ${c.machine.host.kind === 'capture' ? 'is not in the capture for it' : 'was not readable'}.`];
}

/** Only where there are other nodes to be bound to. */
function policies(c: PlanContext): string[] {
  if (!c.leaves.some((l) => l.online.length > 0) || c.machine.memory.nodes.length < 2) return [];
  return ['Memory policies of processes (mbind, set_mempolicy): numa_maps is not read, because it can crash a kernel with a stale mapping; pages are moved against MPOL_BIND all the same.'];
}

/** Limits of the inventory itself. */
const LIMITS = ['iomem-hidden', 'denied', 'not-captured', 'unreadable'];
const notes = (c: PlanContext): string[] => c.machine.notes.filter((n) => LIMITS.includes(n.code)).slice(0, 8).map((n) => n.text);
