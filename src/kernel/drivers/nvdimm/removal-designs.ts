/**
 * What nd_pmem's remove may do before the disk goes. No release does anything; the designs are those that were proposed:
 * dev_pagemap_failure() (Dan Williams, 2021, <161604048257.1463742.1374527716381197629.stgit@dwillia2-desk3.amr.corp.intel.com>)
 * as its three patches, ->corrupt_range(), an inode walk, a page walk, a page-table walk.
 */
import type { Kernel } from '../../kernel.ts';
import type { Path } from '../../state/path.ts';

/** Runs the design of the profile for the namespace `pmem` whose dax device is `dax`. */
export function* removalDesign(_k: Kernel, _pmem: number, _dax: number): Path {
  return 0;
}
