/** Designs for the removal of persistent memory under a mounted file system (SYSTEMS.md 1b, 1c, 3). */
import type { ProfileEntries } from '../build.ts';

type Proposal = ProfileEntries & { readonly over: string };

const POSTED = '<161604048257.1463742.1374527716381197629.stgit@dwillia2-desk3.amr.corp.intel.com>, 2021';
const THREAD = 'the discussion of that series: unmap as drop_pagecache_sb() does, or page by page';

const PATCH_1 = { 'fsdax.mass-failure-rate-limited': { value: true, source: `${POSTED}, first patch` } } as const;
const PATCH_2 = {
  'fsdax.removal-design': { value: 'pagemap-failure', source: `${POSTED}, second patch` },
  'fsdax.removal-design-order': { value: 'dead-then-unmap', source: `${POSTED}, second patch: called at the pagemap's ->kill()` },
  'fsdax.removal-design-when': { value: 'in-use', source: `${POSTED}, second patch: dax_device reference` },
} as const;
const PATCH_3 = { 'gup.fast-takes-pgmap': { value: false, source: `${POSTED}, third patch` } } as const;
const COLLECTS_ALL = { 'fsdax.mass-failure-collects-all': { value: true, source: 'no posting; without it collect_procs() finds nobody on 5.10 (measured: A 2, last row)' } } as const;
const LOCKED = { 'fsdax.dax-lock-covers-insert': { value: true, source: 'no posting; closes the window between dax_direct_access() and the entry' } } as const;
const DROPS = { 'fsdax.removal-drops-entries': { value: true, source: 'no posting; so that umount while unbound finds no entry (measured: A 2, order of umount and rebind)' } } as const;

const walk = (design: 'reverse-map' | 'inode-walk' | 'page-walk' | 'page-table-walk', source: string) => ({
  'fsdax.removal-design': { value: design, source },
  'fsdax.removal-design-order': { value: 'dead-then-unmap' as const, source },
});

export const REMOVAL_PROPOSALS: readonly Proposal[] = [
  { name: 'proposal:dev-pagemap-failure-1', over: '5.10', release: null, summary: 'first patch only: memory_failure() prepared for mass calls', entries: { ...PATCH_1 } },
  { name: 'proposal:dev-pagemap-failure-2', over: '5.10', release: null, summary: 'first and second patch as posted: memory_failure() of every pfn when the device is removed while mounted', entries: { ...PATCH_1, ...PATCH_2 } },
  { name: 'proposal:dev-pagemap-failure-3-alone', over: '5.10', release: null, summary: 'the third patch without the second: GUP-fast without pagemap references, nobody unmaps', entries: { ...PATCH_1, ...PATCH_3 } },
  { name: 'proposal:dev-pagemap-failure', over: '5.10', release: null, summary: 'all three patches as posted', entries: { ...PATCH_1, ...PATCH_2, ...PATCH_3 } },
  { name: 'proposal:dev-pagemap-failure-all', over: '5.10', release: null, summary: 'all three patches, and mass calls collect every process', entries: { ...PATCH_1, ...PATCH_2, ...PATCH_3, ...COLLECTS_ALL } },
  { name: 'proposal:corrupt-range', over: '7.2', release: null, summary: 'the file system is asked for its reverse map and unmaps what lies on the device', entries: walk('reverse-map', 'Shiyang Ruan, fsdax: ->corrupt_range(), 2020 to 2021') },
  { name: 'proposal:inode-walk', over: '7.2', release: null, summary: 'all inodes of the file system are unmapped', entries: walk('inode-walk', THREAD) },
  { name: 'proposal:page-walk', over: '7.2', release: null, summary: 'the memmap is walked and each page unmapped from its file', entries: walk('page-walk', THREAD) },
  { name: 'proposal:page-table-walk', over: '7.2', release: null, summary: 'the page tables of all processes are walked', entries: walk('page-table-walk', THREAD) },
  { name: 'proposal:inode-walk-before-dead', over: '7.2', release: null, summary: 'all inodes are unmapped, then the device is marked dead: the wrong order', entries: { ...walk('inode-walk', THREAD), 'fsdax.removal-design-order': { value: 'unmap-then-dead', source: 'no posting: the order that litmus tests must refuse' } } },
  { name: 'proposal:inode-walk-locked', over: '7.2', release: null, summary: 'all inodes are unmapped after the death of the device, faults hold dax_read_lock until their entry is there, and the DAX entries are dropped', entries: { ...walk('inode-walk', THREAD), ...LOCKED, ...DROPS } },
  {
    name: 'proposal:removal-refused', over: '7.2', release: null, summary: 'unbind says EBUSY while a file system holds the device',
    entries: { 'fsdax.remove-waits-for-holder': { value: true, source: '<20260107153332.64727-8-john@groves.net>' }, 'bus.unbind-can-fail': { value: true, source: 'no posting: ->remove() cannot fail in any release' } },
  },
  { name: 'proposal:removal-waits', over: '7.2', release: null, summary: 'unbind waits until no file system holds the device', entries: { 'fsdax.remove-waits-for-holder': { value: true, source: '<20260107153332.64727-8-john@groves.net>' } } },
  { name: 'proposal:xfs-count-clamped', over: '7.2', release: null, summary: '7.2 with the length of the XFS notification computed right', entries: { 'fsdax.xfs-notify-block-count': { value: 'clamped', source: 'no posting known; as 6.12' } } },
  { name: 'proposal:gup-no-grace-period', over: '7.2', release: null, summary: 'GUP-fast without the grace period of an interrupts-off section', entries: { 'gup.irqs-off-grace-period': { value: false, source: 'no posting: shows what the grace period is for' } } },
  { name: 'proposal:gup-no-recheck', over: '7.2', release: null, summary: 'GUP-fast that does not read the entry again', entries: { 'gup.fast-rechecks-pte': { value: false, source: 'no posting: shows what the second read is for' } } },
];
