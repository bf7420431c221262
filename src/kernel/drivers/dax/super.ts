/**
 * `struct dax_device`: what a file system or a character device sits on (drivers/dax/super.c; 5.10 to 7.2).
 */
import { ENODEV, ENXIO, EOPNOTSUPP } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { MF_MEM_PRE_REMOVE } from '../../mm/mf-flags.ts';
import { addBlindly, AT, BLOCKED, type Path } from '../../state/path.ts';
import { loadLong, storeLong } from '../../state/long.ts';
import { Slab } from '../../state/slab.ts';
import { FS_MULTI, FS_XFS, SB } from '../../fs/inode.ts';
import { multiNotifyFailure } from '../../fs/multi.ts';
import { xfsDaxNotifyFailure } from '../../fs/xfs/notify-failure.ts';

/** Words of a dax_device. `base`: pfn of the first data page; `holder`: super block that registered, `ops`: how it is told; `cdevDamaged`: see cdev_init in bus.ts. */
export const DAXDEV = {
  flags: 0, holder: 1, ops: 2, pgmap: 3, inode: 4, srcu: 5, base: 6, pages: 8, binds: 9, sb: 10, cdevInits: 11, name: 12, cdevDamaged: 13, words: 14,
} as const;

export const DAXDEV_ALIVE = 1;
/** The device tells its holder at kill_dax in one stroke with the failure (proposals). */
export const DAXDEV_DEAD_ANNOUNCED = 2;

/** Length that stands for the whole device (U64_MAX in the kernel). */
export const WHOLE_DEVICE = 0x7fffffff;

class DaxDevices {
  readonly slab: Slab;
  constructor(k: Kernel) {
    this.slab = new Slab(k.heap, 'dax_device', DAXDEV.words, 16);
  }
}
const makeDaxDevices = (k: Kernel): DaxDevices => new DaxDevices(k);

/** alloc_dax: a live dax_device over `pages` data pages from `basePfn`. */
export function allocDax(k: Kernel, name: string, basePfn: number, pages: number, pgmap: number): number {
  const dax = k.part(makeDaxDevices).slab.alloc();
  storeLong(k.heap, dax + DAXDEV.base, basePfn);
  k.heap.store(dax + DAXDEV.pages, pages);
  k.heap.store(dax + DAXDEV.pgmap, pgmap);
  k.heap.store(dax + DAXDEV.name, k.names.of(name));
  k.heap.store(dax + DAXDEV.flags, DAXDEV_ALIVE);
  return dax;
}

export const daxAlive = (k: Kernel, dax: number): boolean => (k.heap.load(dax + DAXDEV.flags) & DAXDEV_ALIVE) !== 0;
export const daxBase = (k: Kernel, dax: number): number => loadLong(k.heap, dax + DAXDEV.base);

/** dax_read_lock / dax_read_unlock: keeps kill_dax from returning (SRCU), not the memory from going after it. */
export function daxReadLock(k: Kernel, dax: number): void {
  addBlindly(k, dax + DAXDEV.srcu, 1);
}
export function daxReadUnlock(k: Kernel, dax: number): void {
  addBlindly(k, dax + DAXDEV.srcu, -1);
}

/** dax_direct_access: pfn of data page `page`, or -ENXIO from a dead device. Called under dax_read_lock. */
export function daxDirectAccess(k: Kernel, dax: number, page: number): number {
  if (!daxAlive(k, dax)) return -ENXIO;
  if (page >= k.heap.load(dax + DAXDEV.pages)) return -ENXIO;
  return daxBase(k, dax) + page;
}

/** fs_dax_get_by_bdev: the file system takes the device; with holder operations where it has them. */
export function fsDaxGet(k: Kernel, dax: number, sb: number, registersHolder: boolean): number {
  if (!daxAlive(k, dax)) return -ENODEV;
  k.heap.store(dax + DAXDEV.sb, sb);
  if (registersHolder) {
    k.heap.store(dax + DAXDEV.holder, sb);
    k.heap.store(dax + DAXDEV.ops, k.heap.load(sb + SB.type));
  }
  return 0;
}

/** fs_put_dax: the file system lets go. */
export function fsPutDax(k: Kernel, dax: number): void {
  k.heap.store(dax + DAXDEV.sb, 0);
  k.heap.store(dax + DAXDEV.holder, 0);
  k.heap.store(dax + DAXDEV.ops, 0);
}

/**
 * dax_holder_notify_failure: tells the holder that data pages [offset, offset + pages) have failed or will go.
 * -EOPNOTSUPP where nobody registered: the caller then helps itself.
 */
export function* daxHolderNotifyFailure(k: Kernel, dax: number, offset: number, pages: number, mfFlags: number): Path {
  daxReadLock(k, dax);
  if (!daxAlive(k, dax)) {
    daxReadUnlock(k, dax);
    return -ENXIO;
  }
  const ops = k.heap.load(dax + DAXDEV.ops);
  let rc = -EOPNOTSUPP;
  if (ops === FS_XFS) rc = yield* k.call(xfsDaxNotifyFailure, dax, offset, pages, mfFlags);
  else if (ops === FS_MULTI) rc = yield* k.call(multiNotifyFailure, dax, offset, pages, mfFlags);
  daxReadUnlock(k, dax);
  return rc;
}

/**
 * kill_dax: what the holder is told first is the profile's matter; then no new access begins, and those under
 * dax_read_lock end. Mappings that exist are not its business.
 */
export function* killDax(k: Kernel, dax: number): Path {
  const tells = k.mechanism('fsdax.kill-dax-notifies');
  if (tells !== 'none' && k.heap.load(dax + DAXDEV.holder) !== 0) {
    if (k.concurrent) yield AT('kill_dax: notify the holder');
    yield* k.call(daxHolderNotifyFailure, dax, 0, WHOLE_DEVICE, tells === 'pre-remove' ? MF_MEM_PRE_REMOVE : 0);
  }
  if (k.concurrent) yield AT('kill_dax: clear DAXDEV_ALIVE');
  k.heap.store(dax + DAXDEV.flags, k.heap.load(dax + DAXDEV.flags) & ~DAXDEV_ALIVE);
  while (k.heap.load(dax + DAXDEV.srcu) !== 0) yield BLOCKED('D kill_dax: synchronize_srcu');
  k.heap.store(dax + DAXDEV.ops, 0);
  k.heap.store(dax + DAXDEV.holder, 0);
  return 0;
}
