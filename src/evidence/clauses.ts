/** The clauses of the systems this project is about, in their order, and why some cannot be seen on a stock kernel in QEMU. */
export const CLAUSES: Readonly<Record<string, string>> = {
  '1a': 'removal always runs to its end', '1b': 'dev_pagemap_failure() as three patches', '1c': 'merged history as variants', '1d': 'memory_failure() on DAX',
  '1e': 'after the memmap is gone', '1f': 'fsdax itself', '1g': 'memmap on another removable device',
  '2a': 'GUP-fast and slow GUP', '2b': 'transient and long-term pins', '2c': 'an elevated reference keeps a page, by pagemap type', '2d': "KVM's question", '2e': 'pfn_valid()',
  '2f': 'MMIO and PageReserved', '2g': 'HMM and p2pdma fall off the bus', '2h': 'coordinated removal',
  '3a': 'inode walk', '3b': 'page walk', '3c': 'page-table walk', '3d': 'file-system reverse map', '3e': 'data, metadata, log, several devices', '3f': 'costs and collateral',
  '4a': 'the window', '4b': 'the next owner', '4c': 're-faults', '4d': 'the wrong device pulled',
  '5a': 'one inode to unmap', '5b': 'removal that waits for pins or not', '5c': 'a VMA that comes back to life', '5d': 'the character device across unbind and bind',
  '6a': 'add, online, use, offline, remove', '6b': 'dax_kmem', '6c': 'virtio-mem', '6d': 'DIMM ejection', '6e': 'memmap_on_memory', '6f': 'CXL decoder under online memory',
  '7a': 'sections and sub-sections', '7b': 'neighbours in one section', '7c': 'the generation before', '7d': 'namespace metadata', '7e': 'adds with and without blocks', '7f': 'an add that fails half way', '7g': 'several namespaces in one section',
  '8a': 'blocks', '8b': 'one zone, one node', '8c': 'holes', '8d': 'sub-sections missing or device', '8e': 'struct pages never initialised',
  '9a': 'software unbind', '9b': 'native hotplug', '9c': 'CXL memdev with regions', '9d': 'surprise removal', '9e': 'ACPI slots and ejects',
};

/** Why no kernel in the lab can show a clause. */
export const NO_REAL_KERNEL: Readonly<Record<string, string>> = {
  '1b': 'proposed in 2021 and merged in other form: no stock kernel has it',
  '1g': 'needs two NVDIMMs and a namespace whose memmap lies on the other: ndctl makes none',
  '2a': 'the interleaving cannot be provoked from user space', '2c': 'private, coherent and public pagemaps need GPU drivers and their cards', '2d': 'the lab emulates: KVM has no hardware support in it',
  '2e': 'pfn_valid() is not visible from user space', '2f': 'PageReserved tests are read from the sources of one kernel; user space sees their results only', '2g': 'needs a GPU or p2pdma hardware',
  '2h': 'proposed; no stock kernel waits in this way', '3a': 'proposed; no stock kernel walks inodes at removal', '3b': 'proposed; no stock kernel walks pfns at removal', '3c': 'proposed; no stock kernel walks page tables at removal',
  '3f': 'costs are counted in the simulated kernel; under emulation times mean nothing', '4a': 'the window is a few instructions wide', '4d': 'QEMU has no NVMe-like persistent memory that can be pulled',
  '5d': 'seen by hand (docs/kernel-truth.md, part B, 1); it damages the kernel of the guest for all later steps',
  '6e': 'needs memory_hotplug.memmap_on_memory at boot and two devices (docs/kernel-truth.md, part B, 5, has one)', '7c': 'from the sources of 5.2: no such kernel in the lab', '7d': 'info blocks of 5.2 cannot be written by a newer kernel',
  '7e': 'whether memory blocks come with an add is decided inside the kernel', '7f': 'an allocation cannot be made to fail on a stock kernel', '8a': 'blocks of many sections need tens of gigabytes of RAM',
  '8e': 'stock kernels initialise every struct page', '9d': 'QEMU cannot drop a link without the button',
};

/** Why a clause has no litmus test: it is no matter of order. */
export const NO_ORDER_CLAUSE: Readonly<Record<string, string>> = {
  '2f': 'no order: PG_reserved is set when struct pages are made and never changes, and MMIO without them cannot be pinned at any time; what KVM makes of the bit is 2d',
  '7d': 'no order: an info block is read once, under the device lock, before there is anything that a second thread could meet',
};

/** Litmus tests that issue 6 asks for by name. */
export const ASKED: readonly (readonly [string, readonly string[]])[] = [
  ['fault against removal', ['fsdax-fault-unbind', 'design-reader', 'xfs-write-fault-notify']],
  ['GUP-fast against unmap and memmap teardown, with the grace period', ['gup-grace-period', 'gup-fsdax-munmap', 'truncate-gup']],
  ['... and without', ['gup-no-grace-period', 'truncate-gup', 'truncate-gup-no-recheck']],
  ['dead-then-unmap against unmap-then-dead', ['devdax-unbind', 'devdax-unbind-idle']],
  ['two removers', ['two-removers']],
  ['rebind to a new owner', ['devdax-rebind', 'devdax-rebind-write', 'fsdax-stale-write-rebind']],
  ['truncate against notify', ['xfs-truncate-notify']],
  ['fork against unmap', ['fork-unmap', 'fork-unmap-file']],
  ['private mapping COW against failure', ['cow-failure', 'cow-unbind']],
  ['reflinked page', ['reflink-failure', 'reflink-cow-race']],
  ['long-term pin against device-dax removal', ['devdax-pin-kept', 'devdax-pin-dropped', 'devdax-pin-races-unbind']],
  ['KVM fault against removal under each reference test', ['kvm-fault-devdax', 'kvm-fault-unbind']],
  ['offline against allocation and pinning', ['offline-alloc', 'offline-longterm', 'offline-get-put', 'offline-pinned']],
  ['online against remove', ['online-remove', 'kmem-unbind-udev', 'add-remove-race']],
  ['sub-section add against remove in one section', ['subsection-add-remove']],
  ['pfn walker against sub-section removal', ['pfn-walk-remove', 'pfn-walk-boot-section']],
  ['half-failed add', ['half-failed-add', 'add-fails']],
  ['block online against pmem add in its section', ['block-online-pmem-add', 'online-walk-device', 'offline-device-subsection']],
  ['kmem unbind against udev onlining', ['kmem-unbind-udev']],
  ['CXL decoder torn down under online memory', ['cxl-commit-online', 'cxl-teardown-reads', 'cxl-teardown-alloc', 'cxl-unbind-online']],
  ['stale device-dax mapping against the next bind', ['devdax-rebind']],
  ['pin against unbind (5.10 waits, 6.1 does not)', ['gup-put-unbind', 'devdax-pin-kept', 'devdax-pin-vmsplice']],
  ['XFS notification against a re-faulting reader', ['xfs-refault']],
  ['accesses in the window from unplug to invalidation', ['window-cpu', 'window-dma', 'window-notified', 'wrong-device-pulled']],
  ['an inode walk against inodes that appear and go', ['inode-appears', 'inode-goes']],
  ['hotplug button against surprise removal', ['slot-surprise', 'slot-button', 'slot-button-cancel']],
  ['our own protocol, with holders, latecomers and crashes', ['removal-detach', 'removal-latecomer', 'removal-fork', 'removal-crash', 'removal-kill', 'removal-continue-early']],
  ['... and each of its steps left out or swapped', ['removal-no-stop', 'removal-stop-late', 'removal-no-detach', 'removal-no-confirm', 'removal-lazy-umount', 'removal-no-umount', 'removal-unbind-first', 'removal-fork-by-pid', 'removal-kill-forked']],
];
