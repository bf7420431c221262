/**
 * Managed resources (drivers/base/devres.c): what a driver's probe took is given back in reverse order after its
 * remove, whatever remove did.
 */
import type { Kernel } from '../../kernel.ts';
import { ENOMEM } from '../../errno.ts';
import { requestRegion } from '../../resource.ts';
import { loadLong, storeLong } from '../../state/long.ts';
import type { Path, PathFunction } from '../../state/path.ts';
import { Slab } from '../../state/slab.ts';
import { DEV } from './bus.ts';

const RES = { next: 0, action: 1, first: 2, second: 4, words: 6 } as const;

const actions: PathFunction<Kernel>[] = [];

/** Names a release function by a number that can stand in the heap. Called once, when a module is loaded. */
export function defineAction(release: PathFunction<Kernel>): number {
  actions.push(release);
  return actions.length;
}

const makeSlab = (k: Kernel): Slab => new Slab(k.heap, 'devres', RES.words);
const slab = (k: Kernel): Slab => k.part(makeSlab);

/** devm_add_action: `action(first, second)` runs when the driver lets go of `dev`. -ENOMEM where there is no memory. */
export function devmAddAction(k: Kernel, dev: number, action: number, first = 0, second = 0): number {
  if (!k.mayAllocate()) return -ENOMEM;
  record(k, dev, action, first, second);
  return 0;
}

function record(k: Kernel, dev: number, action: number, first: number, second: number): void {
  const node = slab(k).alloc();
  k.heap.store(node + RES.action, action);
  storeLong(k.heap, node + RES.first, first);
  storeLong(k.heap, node + RES.second, second);
  k.heap.store(node + RES.next, k.heap.load(dev + DEV.devres));
  k.heap.store(dev + DEV.devres, node);
}

/** devm_add_action_or_reset: where the action cannot be recorded it runs at once. */
export function* devmAddActionOrReset(k: Kernel, dev: number, action: number, first = 0, second = 0): Path<number> {
  const added = devmAddAction(k, dev, action, first, second);
  if (added < 0) yield* k.call(actions[action - 1] as PathFunction<Kernel>, first, second);
  return added;
}

/** __devm_request_region: a busy region that goes with the driver, 0 where it is taken or where memory is short. */
export function devmRequestRegion(k: Kernel, dev: number, start: number, size: number, name: string, release: number, first: number): number {
  if (!k.mayAllocate()) return 0;
  const res = requestRegion(k, start, size, name);
  if (res !== 0) record(k, dev, release, first, 0);
  return res;
}

/** devm_remove_action / devm_release_action without running it: true when it was there. */
export function devmRemoveAction(k: Kernel, dev: number, action: number, first = 0): boolean {
  let link = dev + DEV.devres;
  for (let node = k.heap.load(link); node !== 0; link = node + RES.next, node = k.heap.load(link)) {
    if (k.heap.load(node + RES.action) !== action || loadLong(k.heap, node + RES.first) !== first) continue;
    k.heap.store(link, k.heap.load(node + RES.next));
    slab(k).free(node);
    return true;
  }
  return false;
}

/** devres_release_all: newest first. */
export function* devresReleaseAll(k: Kernel, dev: number): Path<number> {
  for (let node = k.heap.load(dev + DEV.devres); node !== 0; node = k.heap.load(dev + DEV.devres)) {
    k.heap.store(dev + DEV.devres, k.heap.load(node + RES.next));
    const release = actions[k.heap.load(node + RES.action) - 1] as PathFunction<Kernel>;
    const first = loadLong(k.heap, node + RES.first);
    const second = loadLong(k.heap, node + RES.second);
    slab(k).free(node);
    yield* k.call(release, first, second);
  }
  return 0;
}
