/**
 * What comes of taking one device of a simulated machine, found by doing it: a fresh machine for each thing that can be
 * done afterwards, since one may hide or spoil another. The names are those of forecasts.
 */
import { daxAlive } from '../../kernel/drivers/dax/super.ts';
import { PMEM, SWAP_LOST } from '../../kernel/drivers/nvdimm/pmem.ts';
import { swapRead } from '../../kernel/fs/block.ts';
import { SB, SB_SHUTDOWN, sbHas } from '../../kernel/fs/inode.ts';
import { pinnedPages } from '../../kernel/mm/pin-holders.ts';
import { iomemText } from '../../kernel/resource.ts';
import type { Effect } from '../../scenario/effect.ts';
import { bindAgain, destroyLater, endAfterRebind, kmemAgain, nextOwner } from './again.ts';
import { endHolders, lookAtHolders, touchHolders, unmountUnbound } from './holders.ts';
import { useRam } from './ram.ts';
import type { Make } from './removals.ts';
import { removed, type Tried } from './tried.ts';

export interface Outcome {
  readonly effects: ReadonlySet<Effect>;
  /** Whether the removal came back; where it did not, little else could be tried. */
  readonly returned: boolean;
}

export function whatComes(make: Make): Outcome {
  const found = new Set<Effect>();
  const first = removed(make);
  const { state, where } = first.taken;
  if (state === 'done' && (first.taken.result ?? 0) < 0) return { effects: new Set(['veto']), returned: false };
  if (state === 'waiting') found.add(where.startsWith('R ') ? 'unbind-spins' : 'unbind-hangs');
  if (state === 'dead') found.add('kernel-bug-later');
  if ((first.log['fs-shutdown'] ?? 0) > 0 || first.mounts.some((sb) => sbHas(first.k, sb, SB_SHUTDOWN))) found.add('fs-shutdown');
  if (stillRam(first)) found.add('region-leaked');
  if (first.mounts.some((sb) => !daxAlive(first.k, first.k.heap.load(sb + SB.daxDev)))) found.add('io-errors');
  if (first.bus === 'nd' && first.k.heap.load(first.disk + PMEM.swap) === SWAP_LOST) {
    found.add('swap-lost');
    if (first.k.heap.load(first.disk + PMEM.used) > 0 && swapRead(first.k, first.disk) < 0) found.add('sigbus');
  }
  if (state !== 'done') return { effects: found, returned: false };
  if (pinnedPages(first.k, first.range[0], first.range[1]) > 0) found.add('pin-outlives-memmap');
  const later = first.through === 'self' ? [nextOwner, endAfterRebind, destroyLater, bindAgain] : [kmemAgain];
  for (const trial of [touchHolders, lookAtHolders, endHolders, unmountUnbound, useRam, ...later]) trial(make, found);
  return { effects: found, returned: true };
}

/** A range that kmem had and that is still System RAM in iomem afterwards. */
const stillRam = (t: Tried): boolean => iomemText(t.k).split('\n').some((line) => {
  const m = /^\s*([0-9a-f]+)-[0-9a-f]+ : System RAM(?: \(kmem\))?$/.exec(line);
  const pfn = Number.parseInt(m?.[1] ?? '', 16) / 4096;
  return m !== null && pfn >= t.range[0] && pfn < t.range[1];
});
