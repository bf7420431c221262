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
