/**
 * XFS is told that part of its device has failed or will go (fs/xfs/xfs_notify_failure.c; 6.1, 6.12, 7.2). It walks its
 * reverse-mapping btree, allocation group by allocation group; every record of a file that is in core goes to
 * mf_dax_kill_procs(), every record of metadata asks for a shutdown.
 */
import { EIO, ENXIO, EOPNOTSUPP } from '../../errno.ts';
import { WHOLE_DEVICE, DAXDEV } from '../../drivers/dax/super.ts';
import type { Kernel } from '../../kernel.ts';
import { costsOf } from '../../mm/costs.ts';
import { unmapMappingRange } from '../../mm/memory.ts';
import { mfDaxKillProcs } from '../../mm/memory-failure.ts';
import { MF_MEM_PRE_REMOVE } from '../../mm/mf-flags.ts';
import { AT, BLOCKED, type Path } from '../../state/path.ts';
import { extentsOf, FEATURE_RMAPBT, INODE, inodesOf, SB, SB_BORN, SB_CORRUPT, SB_SHUTDOWN, sbHas } from '../inode.ts';
import { forceShutdown } from '../super.ts';
import { syncFilesystem } from '../sync.ts';
import { daxDeleteMappingRange } from '../dax.ts';
import { DAX_ZERO_PAGE, entriesIn, entryFlags } from '../dax-entry.ts';

/** Pages of metadata at the head of every allocation group (headers, btrees, inode chunks). */
export const GROUP_METADATA_PAGES = 64;

/** A record of the rmapbt: pages in the group, and the file page that the first of them holds. inode 0: metadata. */
interface Rmap {
  readonly start: number;
  readonly count: number;
  readonly inode: number;
  readonly index: number;
}

/** The records of one group, in order. Files that are not in core have records too, but nothing is done for them. */
function recordsOf(k: Kernel, sb: number, group: number): Rmap[] {
  const first = group * k.heap.load(sb + SB.groupPages);
  const last = first + k.heap.load(sb + SB.groupPages);
  const records: Rmap[] = [{ start: 0, count: GROUP_METADATA_PAGES, inode: 0, index: 0 }];
  for (const inode of inodesOf(k, sb)) {
    for (const extent of extentsOf(k, inode)) {
      if (extent.device >= first && extent.device < last) records.push({ start: extent.device - first, count: extent.pages, inode, index: extent.file });
    }
  }
  return records.sort((a, b) => a.start - b.start);
}

/** xfs_failure_pgcnt: pages of a record that lie in [start, start + count) of the group; unsigned 32-bit where they cross over. */
function failurePages(record: Rmap, start: number, count: number): number {
  const from = Math.max(record.start, start);
  const to = Math.min(record.start + record.count, start + count);
  return (to - from) >>> 0;
}

/**
 * The length of the failed part of a group: clamped to the group, or min(group pages, rm_startblock + 1) - start with
 * rm_startblock all ones in every group but the last: the sum wraps to 0 (6.18, 7.2).
 */
function notifyCount(k: Kernel, sb: number, start: number, lastBlock: number, isLast: boolean): number {
  const groupPages = k.heap.load(sb + SB.groupPages);
  if (isLast || k.mechanism('fsdax.xfs-notify-block-count') === 'clamped') return Math.min(groupPages, lastBlock + 1) - start;
  return Math.min(groupPages, (0xffffffff + 1) >>> 0) - start;
}

/** xfs_dax_notify_failure: [offset, offset + pages) of the device. */
export function* xfsDaxNotifyFailure(k: Kernel, dax: number, offset: number, pages: number, mfFlags: number): Path {
  const sb = k.heap.load(dax + DAXDEV.holder);
  if (!sbHas(k, sb, SB_BORN)) return -EIO;
  if (k.heap.load(sb + SB.logDev) === dax && dax !== k.heap.load(sb + SB.daxDev)) {
    forceShutdown(k, sb, SB_CORRUPT, 'ondisk log corrupt, shutting down fs!');
    return -EIO;
  }
  if (k.mechanism('fsdax.xfs-notify-needs-rmapbt') === true && (k.heap.load(sb + SB.features) & FEATURE_RMAPBT) === 0) return -EOPNOTSUPP;
  const size = k.heap.load(sb + SB.pages);
  if (offset >= size) return -ENXIO;
  const preRemove = (mfFlags & MF_MEM_PRE_REMOVE) !== 0;
  const frozen = preRemove && k.mechanism('fsdax.xfs-pre-remove-freezes') === true;
  if (frozen) yield* freeze(k, sb);
  const rc = yield* walkGroups(k, sb, offset, Math.min(size, pages === WHOLE_DEVICE ? size : offset + pages), mfFlags);
  if (frozen) k.heap.store(sb + SB.frozen, 0);
  return rc;
}

/** xfs_dax_notify_failure_freeze: the kernel's own freeze; write faults wait, read faults go on. */
function* freeze(k: Kernel, sb: number): Path<void> {
  if (k.concurrent) yield AT('xfs_dax_notify_failure_freeze');
  while (k.heap.load(sb + SB.frozen) !== 0) yield BLOCKED('D freeze_super');
  k.heap.store(sb + SB.frozen, 1);
  if (!sbHas(k, sb, SB_SHUTDOWN)) yield* k.call(syncFilesystem, sb);
}

/** xfs_dax_notify_ddev_failure. */
function* walkGroups(k: Kernel, sb: number, from: number, to: number, mfFlags: number): Path {
  if (sbHas(k, sb, SB_SHUTDOWN) && k.mechanism('fsdax.xfs-notify-after-shutdown') === 'eio') return -EIO;
  const groupPages = k.heap.load(sb + SB.groupPages);
  const last = Math.floor((to - 1) / groupPages);
  let metadata = 0;
  for (let group = Math.floor(from / groupPages); group <= last; group += 1) {
    const start = Math.max(0, from - group * groupPages);
    const count = notifyCount(k, sb, start, to - 1 - group * groupPages, group === last);
    for (const record of recordsOf(k, sb, group)) {
      if (record.start + record.count <= start || record.start >= to - group * groupPages) continue;
      const costs = costsOf(k);
      if (costs !== null) costs.extentsVisited += 1;
      if (k.concurrent) yield AT('xfs_dax_failure_fn');
      if (record.inode === 0) {
        metadata += 1;
        if (k.mechanism('fsdax.xfs-notify-at-metadata') === 'stop') return shutDown(k, sb, mfFlags, metadata);
        continue;
      }
      const index = record.index + Math.max(0, start - record.start);
      const pages = failurePages(record, start, count);
      yield* k.call(mfDaxKillProcs, record.inode, index, pages, mfFlags, 0);
      if ((mfFlags & MF_MEM_PRE_REMOVE) === 0) continue;
      const there = Math.min(pages, k.heap.load(record.inode + INODE.pages));
      if (k.mechanism('fsdax.xfs-pre-remove-invalidates') === true) yield* k.call(daxDeleteMappingRange, record.inode, index, index + there);
      yield* unmapZeroPages(k, record.inode, index, there);
    }
  }
  if (k.concurrent) yield AT('xfs_dax_notify_ddev_failure: shut down');
  return shutDown(k, sb, mfFlags, metadata);
}

/** invalidate_inode_pages2_range unmaps whatever still maps the range: what mf_dax_kill_procs() has left are zero pages. */
function* unmapZeroPages(k: Kernel, inode: number, index: number, pages: number): Path {
  for (const [, entry] of entriesIn(k, inode, index, index + pages)) if ((entryFlags(k, entry) & DAX_ZERO_PAGE) !== 0) return yield* k.call(unmapMappingRange, inode, index, pages, 0);
  return 0;
}

/** At the end: MF_MEM_PRE_REMOVE shuts down as a forced unmount does; lost metadata shuts down as corrupt. */
function shutDown(k: Kernel, sb: number, mfFlags: number, metadata: number): number {
  if ((mfFlags & MF_MEM_PRE_REMOVE) !== 0) {
    forceShutdown(k, sb, 0, 'User initiated shutdown (0x4) detected. Shutting down filesystem.');
    return 0;
  }
  if (metadata === 0) return 0;
  forceShutdown(k, sb, SB_CORRUPT, 'Corruption of on-disk metadata (0x10) detected. Shutting down filesystem.');
  return -EIO;
}
