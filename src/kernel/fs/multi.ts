/**
 * A file system over several DAX devices (3e): one may go while the file system lives. No mainline file system does this
 * with DAX; it is the case that 2021's discussion of ->corrupt_range() was about ("device unplug is not file system
 * dead"). Files with extents on the device lose those pages; only the device with the metadata takes the rest down.
 */
import { EIO, ENXIO } from '../errno.ts';
import { WHOLE_DEVICE, DAXDEV } from '../drivers/dax/super.ts';
import type { Kernel } from '../kernel.ts';
import { costsOf } from '../mm/costs.ts';
import { mfDaxKillProcs } from '../mm/memory-failure.ts';
import { AT, type Path } from '../state/path.ts';
import { extentsOf, inodesOf, SB, SB_BORN, sbHas } from './inode.ts';
import { sbDax } from './iomap.ts';
import { forceShutdown } from './super.ts';

/** Which of the file system's devices this is; -1: none. */
export function deviceNumber(k: Kernel, sb: number, dax: number): number {
  const count = k.heap.load(sb + SB.extraDevs) === 0 ? 1 : k.heap.load(k.heap.load(sb + SB.extraDevs));
  for (let dev = 0; dev < count; dev += 1) if (sbDax(k, sb, dev) === dax) return dev;
  return -1;
}

/** notify_failure of one of several devices. */
export function* multiNotifyFailure(k: Kernel, dax: number, offset: number, pages: number, mfFlags: number): Path {
  const sb = k.heap.load(dax + DAXDEV.holder);
  if (!sbHas(k, sb, SB_BORN)) return -EIO;
  const dev = deviceNumber(k, sb, dax);
  if (dev < 0) return -ENXIO;
  const end = pages === WHOLE_DEVICE ? k.heap.load(dax + DAXDEV.pages) : offset + pages;
  for (const inode of [...inodesOf(k, sb)]) {
    for (const extent of extentsOf(k, inode)) {
      if (extent.dev !== dev || extent.device >= end || extent.device + extent.pages <= offset) continue;
      const costs = costsOf(k);
      if (costs !== null) costs.extentsVisited += 1;
      if (k.concurrent) yield AT('notify_failure: extent');
      const from = Math.max(extent.device, offset);
      yield* k.call(mfDaxKillProcs, inode, extent.file + from - extent.device, Math.min(extent.device + extent.pages, end) - from, mfFlags, 0);
    }
  }
  if (dev === 0) forceShutdown(k, sb, 0, 'the device with the metadata goes');
  return 0;
}
