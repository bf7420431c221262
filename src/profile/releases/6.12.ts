/** 6.12, measured on 6.12.107. */
import type { ProfileEntries } from '../build.ts';

export const V6_12: ProfileEntries = {
  name: '6.12',
  release: [6, 12],
  summary: 'MF_MEM_PRE_REMOVE: XFS with rmapbt unmaps its files at removal; file systems are shut down with their disk',
  // MF_MEM_PRE_REMOVE came with 6.8.
  standsFrom: [6, 8],
  entries: {
    'fsdax.xfs-notify-block-count': { value: 'clamped', source: 'measured: A matrix, 6.12 xfs: SIGBUS and unmapped' },
    'fsdax.syncfs-tells-shutdown': { value: 'xfs', source: 'fs/ext4/super.c 6.12, ext4_sync_fs(): 0 after a shutdown; seen in the lab: truth-a-forced-ext4' },
    'fsdax.mapping-counts': { value: 'none', source: 'fs/dax.c 6.12: pfn_t, no page counts' },
    'fsdax.zap-reads-page': { value: 'no', source: 'measured: A matrix, holder with stale map exits while unbound: clean' },
    'fsdax.fault-splits-pmd-reads-page': { value: false, source: 'measured: A 1, write by a stale holder: SIGBUS' },
    'fsdax.wp-fault-reads-pte-page': { value: false, source: 'measured: B 6, virtio-pmem, write SIGBUS' },
    'fsdax.evict-entries': { value: 'disassociate', source: 'measured: A 2, OOPS in dax_disassociate_entry' },
    'fsdax.smaps-reads-dax-pmd-page': { value: false, source: 'measured: B 1b, smaps ok (Rss 0)' },
    'fsdax.walk-reads-dax-pte-page': { value: false, source: 'measured: B 1b, pagemap of a 4 KiB-mapped holder readable' },
    'gup.fast-takes-pgmap': { value: true, source: 'mm/gup.c 6.12, gup_fast_pte_range()' },
    'gup.free-zone-device-page-warns': { value: true, source: 'measured: B 2, WARNING at mm/memremap.c:461' },
    'kvm.reference-test': { value: 'reserved-and-not-zone-device', source: 'virt/kvm/kvm_main.c 6.12, kvm_is_reserved_pfn() and kvm_pfn_to_refcounted_page()' },
    'ram.kmem-says-truncated': { value: false, source: 'measured: B 3' },
    'dax.fsdev-driver': { value: false, source: 'drivers/dax 6.12: no fsdev.c' },
    'section.kpageflags-of-device-pages': { value: 'nopage', source: 'measured: B 4' },
    'bus.virtio-pmem-rebind': { value: 'returns', source: 'measured: B 6' },
    'bus.cxl-region-lock': { value: false, source: 'drivers/cxl/core/region.c 6.12: no CXL_REGION_F_LOCK' },
    'ram.kpageflags-ksm-on-anon': { value: true, source: 'measured: B surprises, 10' },
  },
};
