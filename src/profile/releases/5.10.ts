/** 5.10, measured on 5.10.223. */
import type { ProfileEntries } from '../build.ts';

export const V5_10: ProfileEntries = {
  name: '5.10',
  release: [5, 10],
  summary: 'no notification at removal, memory_failure() finds no DAX mapping, unbind of device-dax keeps the pagemap until each page is put',
  entries: {
    'fsdax.kill-dax-notifies': { value: 'none', source: 'drivers/dax/super.c 5.10, kill_dax(); measured: A matrix' },
    'fsdax.xfs-registers-holder': { value: false, source: 'fs/xfs 5.10: no xfs_notify_failure.c' },
    'fsdax.xfs-notify-block-count': { value: 'clamped', source: 'fs/xfs 5.10: no notification' },
    'fsdax.mark-dead-shuts-down': { value: false, source: 'measured: A matrix, "fs shut down by the kernel at unbind": no (EIO later)' },
    'fsdax.mapping-counts': { value: 'none', source: 'fs/dax.c 5.10: pfn_t, no page counts' },
    'fsdax.zap-reads-page': { value: 'no', source: 'measured: A matrix, holder with stale map exits while unbound: clean' },
    'fsdax.fault-splits-pmd-reads-page': { value: false, source: 'measured: A 1, write by a stale holder: SIGBUS' },
    'fsdax.evict-entries': { value: 'disassociate', source: 'measured: A 2, OOPS in dax_disassociate_entry' },
    'fsdax.memory-failure-unmaps': { value: false, source: 'measured: A 2, last row' },
    'fsdax.memory-failure-asks-holder': { value: false, source: 'drivers/nvdimm/pmem.c 5.10' },
    'fsdax.walk-reads-dax-pte-page': { value: false, source: 'measured: B 1b, pagemap of a 4 KiB-mapped holder readable' },
    'fsdax.pagemap-reads-dax-pmd-page': { value: true, source: 'fs/proc/task_mmu.c 5.10, pagemap_pmd_range(): page_mapcount(); not run' },
    'gup.memunmap-references': { value: 'per-page', source: 'mm/memremap.c 5.10, memunmap_pages(): put_page() of each; measured: B 2' },
    'gup.fast-takes-pgmap': { value: true, source: 'mm/gup.c 5.10, gup_pte_range()' },
    'gup.longterm-leaves-movable': { value: false, source: 'measured: B 3 (c), "5.10 differs"' },
    'gup.io-uring-registers-file-backed': { value: false, source: 'measured: B 2, register fails EOPNOTSUPP' },
    'ram.kmem-says-truncated': { value: false, source: 'measured: B 3' },
    'ram.memmap-on-memory-attribute': { value: false, source: 'drivers/dax/bus.c 5.10' },
    'dax.fsdev-driver': { value: false, source: 'drivers/dax 5.10: no fsdev.c' },
    'section.kpageflags-of-device-pages': { value: 'reserved-if-early', source: 'measured: B 4' },
    'block.one-zone-check': { value: 'page-walk', source: 'mm/memory_hotplug.c 5.10, test_pages_in_a_zone()' },
    'block.offline-logs': { value: 'info', source: 'measured: B 3 (b), Offlined Pages 32768' },
    'bus.cxl-regions': { value: 'none', source: 'measured: B matrix, row 8' },
    'bus.virtio-pmem-rebind': { value: 'returns', source: 'measured: B 6' },
  },
};
