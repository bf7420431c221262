/** device-dax: drivers/dax/bus.c, device.c, super.c. Rows "B n" are those of docs/kernel-truth. */
import type { Declarations } from '../mechanism.ts';

export const DAX = {
  'dax.unbind-unmaps': {
    allowed: [false, true],
    default: true,
    meaning: 'kill_dev_dax() takes every mapping of the device\'s inode out of the page tables (unmap_mapping_range)',
    source: 'drivers/dax/bus.c, kill_dev_dax(); measured: B 1',
  },
  'dax.unbind-order': {
    allowed: ['dead-then-unmap', 'unmap-then-dead'],
    default: 'dead-then-unmap',
    meaning: 'kill_dev_dax() first marks the device dead (kill_dax, with its grace period) and then unmaps, or the other way round',
    source: 'drivers/dax/bus.c, kill_dev_dax(), 5.2 to 7.2',
  },
  'dax.remove-waits-for-users': {
    allowed: [false, true],
    default: false,
    meaning: 'the driver\'s remove waits until nobody has the device node open or mapped',
    source: 'drivers/dax/device.c, 5.2 to 7.2: no such wait',
  },
  'dax.fault-checks': {
    allowed: ['alive', 'alive-and-same-bind'],
    default: 'alive',
    meaning: 'what a fault on a device-dax VMA checks: that the dax device is alive now, or also that the VMA was made under this bind',
    source: 'drivers/dax/device.c, dev_dax_huge_fault() with check_vma() and dax_alive(), 5.10 to 7.2; measured: B 1',
  },
  'dax.bind-initialises-cdev': {
    allowed: ['again', 'once'],
    default: 'again',
    meaning: 'the character device is initialised anew by every bind, under inodes that are still open, or once for the device',
    source: 'drivers/dax/device.c, dev_dax_probe(), cdev_init(); measured: B 1, follow-up damage',
  },
  'dax.unbind-runs-memory-failure': {
    allowed: [false, true],
    default: false,
    meaning: 'unbind runs memory_failure() over the device to wake the holders of pins',
    source: 'no mainline release; proposed as dev_pagemap_failure(), <161604048257.1463742.1374527716381197629.stgit@dwillia2-desk3.amr.corp.intel.com>',
  },
  'dax.unbind-revokes-longterm-pins': {
    allowed: [false, true],
    default: false,
    meaning: 'holders of long-term pins are asked to give them up at unbind',
    source: 'no mainline release',
  },
  'dax.fsdev-driver': {
    allowed: [false, true],
    default: true,
    meaning: 'the fsdev_dax driver exists (famfs mode)',
    source: 'drivers/dax/fsdev.c, 7.0',
  },
} as const satisfies Declarations;
