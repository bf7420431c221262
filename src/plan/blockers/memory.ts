/** Blockers of memory used as RAM: blocks that will not go offline, and what has no room elsewhere. */
import type { LimitedCgroup } from '../../machine/types/room.ts';
import { formatBytes } from '../../range/units.ts';
import type { Blocker } from '../../steps/reason.ts';
import type { PlanContext } from '../context.ts';

const NEXT: Readonly<Record<string, string>> = {
  'block-has-hole': 'Nothing makes a block with a hole go offline.',
  'block-has-pmem': 'The block cannot leave while System RAM shares it with persistent memory.',
  'block-spans-zones': 'Nothing makes a block of two zones go offline.',
  'block-spans-nodes': 'Nothing makes a block of two nodes go offline.',
  'block-has-reserved': 'Memory reserved at boot cannot move; reboot with the memory kept out of boot RAM.',
  'memory-unmovable': 'Kernel pages do not move. After a reboot online the block as online_movable, before anything uses it.',
};

export function memoryBlockers(c: PlanContext): Blocker[] {
  const obstacles = c.leaves.flatMap((l) => l.obstacles);
  return [
    ...obstacles.map((o): Blocker => ({
      reason: o.reason, subject: `memory${o.block.index}`, block: o.block.index,
      text: `${o.text}; offline would say ${o.errno}${o.errno === 'EINVAL' ? ' and log nothing' : ''}`,
      next: NEXT[o.reason] ?? 'See `unseat map`.', overcomeBy: [],
    })),
    ...noRoom(c),
  ];
}

function noRoom(c: PlanContext): Blocker[] {
  const { room } = c.options;
  if (room === undefined || room.fits !== 'no' || !c.leaves.some((l) => l.online.length > 0)) return [];
  return [{ reason: 'memory-no-room', subject: c.device.name, text: room.says, next: 'Free memory, add swap or stop memory-hungry work first.', overcomeBy: [] }];
}

/** Lines for people about what must leave and where it could go; empty where nothing must. */
export function roomLines(c: PlanContext): string[] {
  const online = c.leaves.flatMap((l) => l.online);
  if (online.length === 0) return [];
  const { room } = c.options;
  const size = online.reduce((sum, b) => sum + b.end - b.start, 0);
  const lines = [`${online.length} memory block(s), ${formatBytes(size)}, go offline; pages on them are migrated, their owners notice nothing`];
  if (room !== undefined) lines.push(room.says);
  for (const confined of room?.confined ?? []) lines.push(`${confined.who} may use only memory of node(s) ${confined.memoryNodes.join(', ')} (${confined.source}); its pages are moved all the same`);
  const limited = room?.limited ?? [];
  lines.push(...limited.slice(0, SHOWN).map(limitLine));
  if (limited.length > SHOWN) lines.push(`${limited.length - SHOWN} more cgroups with limits have memory on the node(s)`);
  return lines;
}

const SHOWN = 5;

/** The kernel moves pages of a full cgroup too; what its limits bound is swapping when room is tight. */
function limitLine(g: LimitedCgroup): string {
  const limits = [g.max === null ? '' : `${g.current === null ? '' : `${formatBytes(g.current)} of `}${formatBytes(g.max)} memory`, g.swapMax === null ? '' : `${g.swapCurrent === null ? '' : `${formatBytes(g.swapCurrent)} of `}${formatBytes(g.swapMax)} swap`].filter((t) => t !== '');
  return `${g.who} has ${g.onNodes === null ? 'perhaps memory' : formatBytes(g.onNodes)} on the node(s) and is limited: ${limits.join(', ')} (${g.source}); its pages move all the same, only swapping is bound by it`;
}
