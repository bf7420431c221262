/** Sections and sub-sections: mm/sparse.c, mm/memremap.c, drivers/nvdimm/pfn_devs.c. Rows "B n" are those of docs/kernel-truth. */
import type { Declarations } from '../mechanism.ts';

export const SECTION = {
  'section.hotplug-unit': {
    allowed: ['section', 'sub-section'],
    default: 'sub-section',
    meaning: 'the smallest range that devm_memremap_pages() can add without touching its neighbours: a section (128 MiB on x86-64) or a sub-section (2 MiB)',
    source: 'mm/sparse.c, section_activate(), 5.3: "mm/sparsemem: support sub-section hotplug"',
  },
  'section.nvdimm-pads': {
    allowed: ['start-pad-end-trunc', 'none'],
    default: 'none',
    meaning: 'whether libnvdimm pads a namespace to section boundaries where System RAM or another region shares the section (start_pad, end_trunc in the info block)',
    source: 'drivers/nvdimm/pfn_devs.c, 5.3: "libnvdimm/pfn: stop padding pmem namespaces to section alignment"',
  },
  'section.map-alignment-check': {
    allowed: ['none', 'refused'],
    default: 'refused',
    meaning: 'whether mapping a range whose start or end is no multiple of 2 MiB (or the architecture\'s minimum) is refused ("misaligned, unable to map", EOPNOTSUPP)',
    source: 'drivers/nvdimm/namespace_devs.c, nvdimm_namespace_common_probe(), 5.7: "libnvdimm/namespace: Enforce memremap_compat_align()"; measured: B 4, layout B',
  },
  'section.mixed-region-check': {
    allowed: ['aligned-to-section', 'exact'],
    default: 'exact',
    meaning: 'the range over which devm_memremap_pages() looks for System RAM before "attempted on mixed region": widened to whole sections, or as asked',
    source: 'kernel/memremap.c 5.2 (align_start, align_size); mm/memremap.c 5.3 and later',
  },
  'section.region-align-attribute': {
    allowed: [false, true],
    default: true,
    meaning: 'nvdimm regions have the attribute align: 16 MiB by default, sizes must be multiples of it',
    source: 'drivers/nvdimm/region_devs.c, 5.7: "libnvdimm/region: Introduce an \'align\' attribute"; measured: B 4, labels',
  },
  'section.early-keeps-usage': {
    allowed: [false, true],
    default: true,
    meaning: 'sections made at boot keep their mem_section_usage and memmap when device memory inside them goes',
    source: 'mm/sparse.c, section_deactivate(), early_section(), 5.3',
  },
  'section.pfn-valid': {
    allowed: ['section', 'sub-section-unless-early'],
    default: 'sub-section-unless-early',
    meaning: 'what pfn_valid() looks at: the section alone, or also the sub-section map except in sections made at boot',
    source: 'include/linux/mmzone.h, pfn_valid() and pfn_section_valid(), 5.3: "mm/sparsemem: introduce a SECTION_IS_EARLY flag" and "mm/sparsemem: support sub-section hotplug"',
  },
  'section.info-block-records-page-size': {
    allowed: [false, true],
    default: true,
    meaning: 'the info block says page size and struct page size, and a namespace with others is refused',
    source: 'drivers/nvdimm/pfn_devs.c, nd_pfn_validate(), 5.4: "libnvdimm/pfn_dev: Add page size and struct page size to pfn superblock" (version 1.4)',
  },
  'section.taint-zone-device': {
    allowed: [false, true],
    default: true,
    meaning: 'pfn_to_online_page() knows sections that hold device pages beside RAM (SECTION_TAINT_ZONE_DEVICE) and looks at their pages one by one',
    source: 'mm/memory_hotplug.c, pfn_to_online_page(), 5.12: "mm: teach pfn_to_online_page() about ZONE_DEVICE section collisions" (1f90a3477df3)',
  },
  'section.usage-freed-by-rcu': {
    allowed: [false, true],
    default: true,
    meaning: 'section_deactivate() frees mem_section_usage only after readers of pfn_valid() are through (kfree_rcu); where false, at once',
    source: 'mm/sparse.c, section_deactivate(), 6.8: "mm/sparsemem: fix race in accessing memory_section->usage" (5ec8e8ea8b77, CVE-2023-52489); stable kernels took it later, and the older profiles are those of the release without it',
  },
  'section.activate-reverts': {
    allowed: [false, true],
    default: true,
    meaning: 'section_activate() deactivates the sub-sections again when their memmap cannot be had',
    source: 'mm/sparse.c, section_activate(), 5.3 to 6.12: section_deactivate() after populate_section_memmap() failed',
  },
  'section.add-pages-reverts': {
    allowed: [false, true],
    default: false,
    meaning: 'when a later section of a range fails, __add_pages() removes the sections that it has added already; where false it returns the error and leaves them',
    source: 'mm/memory_hotplug.c, __add_pages(), 5.2 to 6.12: the loop breaks where sparse_add_section() fails, and the error is returned as it is',
  },
  'section.region-align-without-mappings': {
    allowed: ['fixed', 'taken'],
    default: 'taken',
    meaning: 'what a write to align of a region without DIMMs (e820) says: ENXIO, or as for any other region',
    source: 'drivers/nvdimm/region_devs.c, align_store(), 6.1: "libnvdimm/region: Allow setting align attribute on regions without mappings"; the lab: truth-b-layouts',
  },
  'section.kpageflags-of-device-pages': {
    allowed: ['reserved-if-early', 'nopage', 'zero'],
    default: 'zero',
    meaning: 'what /proc/kpageflags shows for device pages below the end of RAM',
    source: 'fs/proc/page.c; measured: B 4, last rows',
  },
  'section.kpageflags-above-ram': {
    allowed: ['eof', 'nopage'],
    default: 'eof',
    meaning: 'what /proc/kpageflags gives for frames above the end of RAM: the end of the file, or NOPAGE',
    source: 'fs/proc/page.c, get_max_dump_pfn(); measured: B 4, last rows',
  },
} as const satisfies Declarations;
