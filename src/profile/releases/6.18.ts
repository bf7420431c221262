/** 6.18, measured on 6.18.15 (fsdax only); the rest is from sources between 6.12 and 7.2. */
import type { ProfileEntries } from '../build.ts';

export const V6_18: ProfileEntries = {
  name: '6.18',
  release: [6, 18],
  summary: 'DAX mappings count folios; XFS\'s notification computes a wrong length',
  // Folio counts of DAX mappings came with 6.15.
  standsFrom: [6, 15],
  entries: {
    'fsdax.xfs-notify-block-count': { value: 'wraps', source: 'measured: A 1, 6.18.15 spins' },
    'fsdax.mapping-counts': { value: 'folio', source: 'fs/dax.c 6.15' },
    'ram.kmem-says-truncated': { value: true, source: 'the lab, 6.18.15: truth-b-kmem-facts' },
    'ram.kpageflags-ksm-on-anon': { value: true, source: 'the lab, 6.18.15: truth-b-kmem-facts' },
    'dax.fsdev-driver': { value: false, source: 'drivers/dax/fsdev.c came with 7.0' },
    'section.kpageflags-of-device-pages': { value: 'zero', source: 'the lab, 6.18.15: truth-b-block-rules' },
    'bus.virtio-pmem-rebind': { value: 'returns', source: 'not measured on 6.18; taken over from 6.12' },
    'bus.cxl-region-lock': { value: false, source: 'drivers/cxl/core/region.c 6.18: no CXL_REGION_F_LOCK' },
  },
};
