/** Memory as System RAM: drivers/dax/kmem.c, mm/memory_hotplug.c, mm/migrate.c. Rows "B n" are those of docs/kernel-truth. */
import type { Declarations } from '../mechanism.ts';

export const RAM = {
  'ram.kmem-remove': {
    allowed: ['none', 'if-offline'],
    default: 'if-offline',
    meaning: 'what kmem\'s remove does: nothing at all (the range is never given back), or remove_memory() of each range, which fails while a block is online',
    source: 'drivers/dax/kmem.c, dev_dax_kmem_remove(), 5.3: "device-dax: hotremove persistent memory that is used like normal RAM"',
  },
  'ram.kmem-keeps-request-when-online': {
    allowed: [false, true],
    default: true,
    meaning: 'where remove_memory() failed, kmem\'s remove leaves the resource claimed: "cannot be hotremoved until the next reboot"',
    source: 'drivers/dax/kmem.c, dev_dax_kmem_remove(); measured: B 3 (a), all versions',
  },
  'ram.whole-device-state': {
    allowed: [false, true],
    default: false,
    meaning: '/sys/bus/dax/devices/daxX.Y/state exists: writing `unplugged` offlines and removes every range or rolls all of it back',
    source: 'Documentation/ABI/testing/sysfs-bus-dax, 7.3-rc1 (posted as <20260712154505.3564379-1-gourry@gourry.net>)',
  },
  'ram.kmem-whole-blocks-only': {
    allowed: [false, true],
    default: true,
    meaning: 'kmem adds only the whole memory blocks inside a dax range (dax_kmem_range() aligns inward to memory_block_size_bytes())',
    source: 'drivers/dax/kmem.c; measured: B 3 (510 MiB gives 384 MiB)',
  },
  'ram.kmem-says-truncated': {
    allowed: [false, true],
    default: true,
    meaning: 'kmem logs "DAX region truncated by N MiB due to alignment"',
    source: 'measured: B 3 (7.2); the lab: 6.18 says it too, 6.12 does not',
  },
  'ram.offline-retries': {
    allowed: ['until-signal'],
    default: 'until-signal',
    meaning: 'offline_pages() migrates again and again until nothing is left or a signal is pending; there is no limit',
    source: 'mm/memory_hotplug.c, offline_pages(); measured: B 3 (c), vmsplice row',
  },
  'ram.unmovable-page-fails-offline': {
    allowed: [false, true],
    default: true,
    meaning: 'a page that cannot move (slab, page table, reserved) makes start_isolate_page_range() fail at once with EBUSY',
    source: 'mm/page_isolation.c, has_unmovable_pages(); measured: B 3 (c), ZONE_NORMAL',
  },
  'ram.hugetlb-migrates': {
    allowed: [false, true],
    default: true,
    meaning: 'offline migrates hugetlb pages to another node',
    source: 'mm/memory_hotplug.c, do_migrate_range(); measured: B 3 (c), hugetlb row',
  },
  'ram.memmap-on-memory': {
    allowed: ['none', 'one-block', 'per-block'],
    default: 'per-block',
    meaning: 'added memory can hold its own memmap: not at all, only when a single block is added, or in each block',
    source: 'mm/memory_hotplug.c, 5.13: "allocate memmap from the added memory range"; 6.8: "split memmap_on_memory requests across memblocks"',
  },
  'ram.virtio-mem-sub-block-mib': {
    allowed: [2, 4],
    default: 2,
    meaning: 'MiB of a virtio-mem sub-block, the smallest range that alloc_contig_range() can take: a pageblock, or MAX_ORDER pages',
    source: 'drivers/virtio/virtio_mem.c, 5.19: "drivers: virtio_mem: use pageblock size as the minimum virtio_mem size"; measured: B 6 (2097152)',
  },
  'ram.remove-memory-online': {
    allowed: ['bug', 'refused'],
    default: 'refused',
    meaning: 'remove_memory() of a block that is online: BUG(), or -EBUSY with "removing memory fails, because memory [..] is onlined"',
    source: 'mm/memory_hotplug.c, __remove_memory(), 5.3: "mm/hotplug: make remove_memory() interface usable"',
  },
  'ram.driver-managed': {
    allowed: [false, true],
    default: true,
    meaning: 'drivers add memory under a name of their own ("System RAM (kmem)"), which firmware maps and kexec do not see',
    source: 'mm/memory_hotplug.c, add_memory_driver_managed(), 5.8',
  },
  'ram.memmap-on-memory-attribute': {
    allowed: [false, true],
    default: true,
    meaning: 'dax devices have the attribute memmap_on_memory',
    source: 'drivers/dax/bus.c, 6.8; Documentation/ABI/testing/sysfs-bus-dax',
  },
  'ram.auto-online': {
    allowed: ['auto_online_blocks'],
    default: 'auto_online_blocks',
    meaning: 'new blocks follow /sys/devices/system/memory/auto_online_blocks',
    source: 'mm/memory_hotplug.c, mhp_default_online_type',
  },
  'ram.kpageflags-of-tails': {
    allowed: ['own-and-active', 'own', 'folio'],
    default: 'folio',
    meaning: 'whose flags /proc/kpageflags shows for a tail page: its own, which has next to none (and PRIVATE in the second page of a huge page in use), or those of the folio',
    source: 'fs/proc/page.c, stable_page_flags(), folio->flags since 6.10: "proc: rewrite stable_page_flags()"; mm/hugetlb.c 5.10, set_page_huge_active(); the lab: truth-b-kmem-facts',
  },
  'ram.kpageflags-ksm-on-anon': {
    allowed: [false, true],
    default: false,
    meaning: '/proc/kpageflags sets KSM on every anonymous page, KSM or not',
    source: 'measured: B surprises, 10 (6.12); the lab: 6.18 does it too, 7.2 does not',
  },
} as const satisfies Declarations;
