/** What comes of writing `offline` to the state of one memory block of a simulated machine, also with what no file shows in it. */
import type { Effect } from '../../scenario/effect.ts';
import { stateStore } from '../../kernel/drivers/base/block-state.ts';
import { memoryBlocks } from '../../kernel/drivers/base/memory.ts';
import type { World } from '../../kernel/host/world.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { MMOP } from '../../kernel/mm/memory_hotplug/hotplug.ts';
import { allocPages } from '../../kernel/mm/page_alloc.ts';
import { TYPE } from '../../kernel/mm/page.ts';
import { spliceGet } from '../../kernel/mm/pin-ram.ts';
import { userAlloc, userFree, userPagesIn } from '../../kernel/mm/ram-user.ts';
import { run } from '../../kernel/setup/run.ts';

export function whatComesOfOffline({ k }: World, index: number): Set<Effect> {
  const ran = run(k, stateStore(k, index, MMOP.offline, 0));
  const effects = new Set<Effect>();
  if (ran.oops !== null) effects.add('kernel-bug-later');
  if (ran.hangs !== null || ran.spins !== null) effects.add('never-ends');
  else if (ran.rc < 0) effects.add('veto');
  return effects;
}

const PMD_ORDER = 9;

/** What no file shows: a page of the block in a pipe. False where no page of a process can be had there. */
export function pinInBlock(world: World, index: number): boolean {
  const { k } = world;
  const [start, count] = frames(k, index);
  const others: number[] = [];
  let pinned = 0;
  for (const nid of nodesOf(k, start)) {
    for (let i = 0; pinned === 0; i += 1) {
      const user = userAlloc(k, { name: `user ${i}`, kind: 'anon', nid, folios: 1, order: PMD_ORDER, thisNode: true });
      if (user === 0) break;
      if (userPagesIn(k, user, start, start + count) > 0) pinned = user;
      else others.push(user);
    }
  }
  for (const user of others) userFree(k, user);
  if (pinned !== 0) spliceGet(k, pinned, 0, 1);
  return pinned !== 0;
}

/** What no file shows: a page of the kernel's own in the block. False where the kernel gets none there. */
export function kernelPageInBlock(world: World, index: number): boolean {
  const { k } = world;
  const [start, count] = frames(k, index);
  for (const nid of nodesOf(k, start)) {
    for (let pfn = 0; pfn >= 0;) {
      pfn = allocPages(k, { nid, order: PMD_ORDER, gfp: 'kernel', thisNode: true, flags: 0, type: TYPE.slab, mapping: 0, index: 0 });
      if (pfn >= start && pfn < start + count) return true;
    }
  }
  return false;
}

const frames = (k: Kernel, index: number): readonly [number, number] => [index * k.geo.pagesPerBlock, k.geo.pagesPerBlock];
const nodesOf = (k: Kernel, pfn: number): number[] => Array.from({ length: k.nodes }, (_, nid) => nid).filter((nid) => k.zones.nodeOnline(nid) && pfn < k.zones.nodeEnd(nid) && pfn + k.geo.pagesPerBlock > k.zones.nodeStart(nid));

/** Numbers of the blocks that a machine has. */
export const blockIsThere = ({ k }: World, index: number): boolean => memoryBlocks(k).find(index) !== 0;
