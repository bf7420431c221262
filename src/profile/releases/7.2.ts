/** 7.2, measured on 7.2.12. The declared defaults describe it; what is listed here is listed because it was measured. */
import type { ProfileEntries } from '../build.ts';

export const V7_2: ProfileEntries = {
  name: '7.2',
  release: [7, 2],
  summary: 'as 6.18; page-table walks and exit look at the folios of DAX mappings',
  // Fsdev_dax came with 7.0.
  standsFrom: [7, 0],
  entries: {
    'fsdax.xfs-notify-block-count': { value: 'wraps', source: 'measured: A 1, 7.2.12 spins' },
    'fsdax.zap-reads-page': { value: 'pmd-and-pte', source: 'measured: A 1, oops at vm_normal_folio_pmd from unmap_vmas' },
    'fsdax.evict-entries': { value: 'break-layout-final', source: 'measured: A 2, OOPS in dax_break_layout_final' },
    'ram.kmem-says-truncated': { value: true, source: 'measured: B 3' },
    'bus.virtio-pmem-rebind': { value: 'name-held', source: 'measured: B 6' },
  },
};
