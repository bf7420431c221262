/** 6.1, measured on 6.1.176. */
import type { ProfileEntries } from '../build.ts';

export const V6_1: ProfileEntries = {
  name: '6.1',
  release: [6, 1],
  summary: 'XFS is notified and shuts down without unmapping, unbind of device-dax does not look at pins any more',
  // Memunmap_pages() stopped looking at page references with 5.18.
  standsFrom: [5, 18],
  entries: {
    'fsdax.kill-dax-notifies': { value: 'failure', source: 'drivers/dax/super.c 6.1, kill_dax(): dax_holder_notify_failure(dax_dev, 0, U64_MAX, 0)' },
    'fsdax.xfs-notify-at-metadata': { value: 'stop', source: 'fs/xfs/xfs_notify_failure.c 6.1; measured: A matrix, "Corruption of on-disk metadata (0x10)", mapping stays' },
    'fsdax.xfs-notify-block-count': { value: 'clamped', source: 'measured: A matrix, does not spin' },
    'fsdax.xfs-notify-after-shutdown': { value: 'answers', source: 'not measured on 6.1' },
    'fsdax.xfs-pre-remove-freezes': { value: false, source: 'fs/xfs/xfs_notify_failure.c 6.1' },
    'fsdax.mark-dead-shuts-down': { value: false, source: 'measured: A matrix, ext4: no (EIO later)' },
    'fsdax.mapping-counts': { value: 'none', source: 'fs/dax.c 6.1: pfn_t, no page counts' },
    'fsdax.zap-reads-page': { value: 'no', source: 'measured: A matrix, holder with stale map exits while unbound: clean' },
    'fsdax.fault-splits-pmd-reads-page': { value: false, source: 'measured: A 1, write by a stale holder: SIGBUS' },
    'fsdax.wp-fault-reads-pte-page': { value: false, source: 'measured: B 6, virtio-pmem, write SIGBUS' },
    'fsdax.evict-entries': { value: 'disassociate', source: 'measured: A 2, OOPS in dax_disassociate_entry' },
    'fsdax.hwpoison-count-drops-at-unbind': { value: true, source: 'measured: A 7' },
    'fsdax.walk-reads-dax-pte-page': { value: false, source: 'mm/memory.c 6.1, vm_normal_page(): NULL for pte_devmap; measured: B 6' },
    'gup.fast-takes-pgmap': { value: true, source: 'mm/gup.c 6.1, gup_pte_range()' },
    'gup.io-uring-registers-file-backed': { value: false, source: 'measured: B 2, EOPNOTSUPP' },
    'gup.free-zone-device-page-warns': { value: true, source: 'measured: B 2, WARNING at mm/memremap.c:473' },
    'kvm.reference-test': { value: 'reserved-and-not-zone-device', source: 'virt/kvm/kvm_main.c 6.1, kvm_is_reserved_pfn() and kvm_pfn_to_refcounted_page()' },
    'ram.kmem-says-truncated': { value: false, source: 'measured: B 3' },
    'ram.memmap-on-memory-attribute': { value: false, source: 'drivers/dax/bus.c 6.1' },
    'dax.fsdev-driver': { value: false, source: 'drivers/dax 6.1: no fsdev.c' },
    'ram.memmap-on-memory': { value: 'one-block', source: 'mm/memory_hotplug.c 6.1, mhp_supports_memmap_on_memory(): size == memory_block_size_bytes()' },
    'section.usage-freed-by-rcu': { value: false, source: 'mm/sparse.c 6.1, section_deactivate(): kfree(ms->usage)' },
    'section.kpageflags-of-device-pages': { value: 'nopage', source: 'measured: B 4' },
    'bus.cxl-regions': { value: 'pmem', source: 'drivers/cxl/core/region.c 6.1; measured: B 8' },
    'bus.virtio-pmem-rebind': { value: 'returns', source: 'measured: B 6' },
    'bus.cxl-region-lock': { value: false, source: 'drivers/cxl/core/region.c 6.1: no CXL_REGION_F_LOCK' },
    'bus.pciehp-button-text': { value: 'powering', source: 'measured: B 8 (6.1)' },
  },
};
