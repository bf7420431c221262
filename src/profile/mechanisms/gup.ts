/** Page references and pins of device memory: mm/gup.c, mm/memremap.c, io_uring/rsrc.c. Rows "B n" are those of docs/kernel-truth. */
import type { Declarations } from '../mechanism.ts';

export const GUP = {
  'gup.memunmap-references': {
    allowed: ['per-page', 'bulk'],
    default: 'bulk',
    meaning: 'how memunmap_pages() gives back the pagemap references of fsdax and generic pages: each when its last page reference goes, or all in one go whatever the pages\' counts are',
    source: 'mm/memremap.c, 5.18: "mm: remove the extra ZONE_DEVICE struct page refcount"; measured: B 2',
  },
  'gup.fast-takes-pgmap': {
    allowed: [false, true],
    default: false,
    meaning: 'GUP-fast takes a live reference on the pagemap (get_dev_pagemap) before it takes a device page',
    source: 'mm/gup.c, gup_fast_pte_range(), 6.17: "mm/gup: remove pXX_devmap usage from get_user_pages()"',
  },
  'gup.irqs-off-grace-period': {
    allowed: [false, true],
    default: true,
    meaning: 'whoever clears a page-table entry waits (TLB flush by interrupt, or RCU-freed tables) until no CPU walks with interrupts off before it goes on',
    source: 'mm/gup.c, comment before gup_fast(); arch/x86/mm/tlb.c, 5.2 to 7.2',
  },
  'gup.unmap-visits': {
    allowed: ['in-order', 'any-order'],
    default: 'in-order',
    meaning: 'in which order unmap_mapping_range() comes to the processes that map the same pages: the order in which they mapped them, or any (what is true of every order is then shown at once, and processes are interchangeable)',
    source: 'mm/interval_tree.c, lib/interval_tree.c: equal ranges stand as they were inserted, 5.2 to 7.2',
  },
  'gup.fast-rechecks-pte': {
    allowed: [false, true],
    default: true,
    meaning: 'GUP-fast reads the entry again after it has taken the page and drops the page where the entry has changed',
    source: 'mm/gup.c, gup_pte_range(), 5.2 to 7.2',
  },
  'gup.zone-device-reserved': {
    allowed: [false, true],
    default: true,
    meaning: 'struct pages of ZONE_DEVICE have PG_reserved',
    source: 'mm/mm_init.c, __init_zone_device_page(), 5.2 to 6.12; without it: <20191024120938.11237-1-david@redhat.com>',
  },
  'gup.p2pdma-mmap': {
    allowed: [false, true],
    default: true,
    meaning: 'processes can map p2pdma memory by the sysfs file p2pmem/allocate',
    source: 'drivers/pci/p2pdma.c, p2pmem_alloc_mmap(), 6.2',
  },
  'gup.longterm-leaves-movable': {
    allowed: [false, true],
    default: true,
    meaning: 'FOLL_LONGTERM moves pages out of ZONE_MOVABLE before it pins them',
    source: 'mm/gup.c, 5.13: "mm/gup: migrate pinned pages out of movable zone"; measured: B 3 (c)',
  },
  'gup.longterm-on-fsdax': {
    allowed: [false, true],
    default: false,
    meaning: 'FOLL_LONGTERM is allowed on fsdax pages',
    source: 'mm/gup.c, check_vma_flags(), vma_is_fsdax(); folio_is_longterm_pinnable() (6.15)',
  },
  'gup.io-uring-registers-file-backed': {
    allowed: [false, true],
    default: true,
    meaning: 'IORING_REGISTER_BUFFERS takes file-backed (device-dax) memory; where not, it says EOPNOTSUPP',
    source: 'io_uring/rsrc.c; measured: B 2 (5.10 and 6.1 refuse, 6.12 and 7.2 take it)',
  },
  'gup.vmsplice-longterm': {
    allowed: [false, true],
    default: false,
    meaning: 'vmsplice() takes its pages as FOLL_LONGTERM; false: a plain page reference held as long as the pipe',
    source: 'fs/splice.c, iter_to_pipe(); measured: B 2 and B 3',
  },
  'gup.free-zone-device-page-warns': {
    allowed: [false, true],
    default: false,
    meaning: 'the last put of a device page whose pagemap has no page_free prints a WARNING (mm/memremap.c)',
    source: 'measured: B 2, pin dropped after a rebind (6.1 and 6.12 warn, 7.2 is silent)',
  },
} as const satisfies Declarations;
