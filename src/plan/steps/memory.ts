/**
 * Memory used as RAM: every block goes offline, before any unbind. auto_online_blocks is left alone: it acts only on
 * memory that is added.
 */
import type { DaxDevice } from '../../machine/types/dax.ts';
import type { MemoryBlock } from '../../machine/types/memory.ts';
import { valueOf } from '../../profile/build.ts';
import { formatRange } from '../../range/units.ts';
import { isMovableZone, type LeafFacts } from '../facts/leaf-facts.ts';
import type { PlanContext } from '../context.ts';
import { DEADLINE, draft, ROOT_FILE, type Draft } from './draft.ts';

const isRam = (l: LeafFacts): boolean => l.device.blocks.length > 0;

/** The file of a dax device that takes all of it out or nothing (7.3 and later). */
export function wholeDevice(c: PlanContext, leaf: LeafFacts): DaxDevice | null {
  if (leaf.device.kind !== 'kmem' || !valueOf(c.profile, 'ram.whole-device-state')) return null;
  const dax = c.machine.dax.find((d) => d.name === leaf.device.name);
  return dax !== undefined && dax.state !== null ? dax : null;
}

export function offline(c: PlanContext): Draft[] {
  const ram = c.leaves.filter((l) => isRam(l) && l.device.kind !== 'virtio-mem');
  return ram.flatMap((l) => (wholeDevice(c, l) ? unplugged(c, l) : l.online.map((b) => one(b))));
}

/** In address order: the first block of a range is the one that kernel pages get into, so a refusal comes early. */
function one(b: MemoryBlock): Draft {
  const path = `/sys/devices/system/memory/memory${b.index}/state`;
  const zone = b.validZones?.[0] ?? null;
  const word = isMovableZone(b) ? 'online_movable' : 'online_kernel';
  return draft({ kind: 'offline-block', index: b.index, path, was: b.state, zone }, `write offline to ${path} (${formatRange(b)}${zone ? `, zone ${zone}` : ''})`,
    'every block goes offline before any unbind: unbinding online memory loses the range until reboot', { undo: { kind: 'write', path, text: word }, needs: ROOT_FILE, deadlineMs: DEADLINE.offline });
}

function unplugged(c: PlanContext, leaf: LeafFacts): Draft[] {
  const dax = wholeDevice(c, leaf);
  if (dax === null) return [];
  const path = `${dax.path}/state`;
  return [draft({ kind: 'write', path, text: 'unplugged' }, `write unplugged to ${path} (it reads ${dax.state})`, 'this kernel takes the whole device offline and out, or rolls all of it back', { undo: { kind: 'write', path, text: dax.state ?? 'online_movable' }, needs: ROOT_FILE, deadlineMs: DEADLINE.offline })];
}
