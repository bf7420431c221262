/**
 * What no release does when persistent memory goes, and a posting or a design of the 2021 thread would: finding the users and
 * unmapping them, refusing or waiting, and what that needs of memory_failure() and of the fault path.
 */
import type { Declarations } from '../mechanism.ts';

export const FSDAX_DESIGNS = {
  'fsdax.unbind-unmaps-page-cache': {
    allowed: [false, true],
    default: false,
    meaning: 'nd_pmem\'s remove unmaps what processes have mapped from the device, whatever the file system does',
    source: 'drivers/nvdimm/pmem.c, nd_pmem_remove(), 5.10 to 7.2: no such call',
  },
  'fsdax.remove-waits-for-holder': {
    allowed: [false, true],
    default: false,
    meaning: 'unbind refuses or waits while a file system holds the dax device',
    source: 'measured: A 1; proposed in <20260107153332.64727-8-john@groves.net>',
  },
  'fsdax.removal-design': {
    allowed: ['none', 'pagemap-failure', 'reverse-map', 'inode-walk', 'page-walk', 'page-table-walk'],
    default: 'none',
    meaning: 'what nd_pmem does at removal to find and unmap its users: nothing; memory_failure() of every pfn of the pagemap; the file system\'s ->corrupt_range() over its reverse map; unmapping every inode of the file system; page->mapping of every page; the page tables of every process',
    source: 'no release does any; pagemap-failure: <161604048257.1463742.1374527716381197629.stgit@dwillia2-desk3.amr.corp.intel.com>; inode-walk: fs/drop_caches.c, drop_pagecache_sb(), discussed in the same thread',
  },
  'fsdax.removal-design-order': {
    allowed: ['unmap-then-dead', 'dead-then-unmap'],
    default: 'dead-then-unmap',
    meaning: 'whether the design runs in the driver\'s remove, before kill_dax(), or after it and before the memmap goes',
    source: 'dev_pagemap_failure() was called at the pagemap\'s ->kill(), after kill_dax()',
  },
  'fsdax.removal-design-when': {
    allowed: ['in-use', 'always'],
    default: 'in-use',
    meaning: 'whether the design runs only when the dax core finds the device in use by a file system ("remove while mounted")',
    source: 'dev_pagemap_failure(), second patch: the associated dax_device has an elevated reference',
  },
  'fsdax.removal-drops-entries': {
    allowed: [false, true],
    default: false,
    meaning: 'the design also takes the DAX entries out of the mappings, so that a later evict finds none',
    source: 'no release',
  },
  'fsdax.mass-failure-rate-limited': {
    allowed: [false, true],
    default: false,
    meaning: 'memory_failure() of many pages by one caller logs one line, not one for each page',
    source: 'dev_pagemap_failure(), first patch: "mm/memory-failure: Prepare for mass memory_failure()"',
  },
  'fsdax.mass-failure-collects-all': {
    allowed: [false, true],
    default: false,
    meaning: 'memory_failure() by a mass caller collects every process that maps the page, whatever it asked for by PR_MCE_KILL or the sysctl',
    source: 'no release; the posting leaves collect_procs() as it is',
  },
  'fsdax.dax-lock-covers-insert': {
    allowed: [false, true],
    default: false,
    meaning: 'a DAX fault holds dax_read_lock() from dax_direct_access() until the page-table entry is there, so that kill_dax() waits for it',
    source: 'fs/dax.c, dax_iomap_direct_access(): dropped before the entry is inserted, 5.2 to 7.2',
  },
} as const satisfies Declarations;
