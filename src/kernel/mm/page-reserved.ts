/**
 * Where one named kernel, 5.10, asks PageReserved(), and what that means for a page of device memory (SYSTEMS.md 2f): can
 * such a page get there, and what changes when ZONE_DEVICE pages no longer have the bit
 * (<20191024120938.11237-1-david@redhat.com>, "mm: Don't mark ZONE_DEVICE pages PG_reserved"). From the sources of 5.10 and
 * the descriptions in that series; not run.
 */
export interface ReservedTest {
  readonly file: string;
  readonly where: string;
  /** What the test decides. */
  readonly decides: string;
  /** Whether a page of fsdax or device-dax can get there. */
  readonly dax: 'yes' | 'no' | 'guarded';
  readonly without: string;
}

export const PAGE_RESERVED_KERNEL = '5.10';

export const PAGE_RESERVED_TESTS: readonly ReservedTest[] = [
  { file: 'virt/kvm/kvm_main.c', where: 'kvm_is_reserved_pfn()', decides: 'whether KVM gives references back and sets dirty and accessed bits', dax: 'guarded', without: 'the exception for zone-device pages (5.4) is no longer needed; references are put by the plain test' },
  { file: 'arch/x86/kvm/mmu/spte.c', where: 'kvm_is_mmio_pfn()', decides: 'the memory type of a second-level entry: MMIO is uncached', dax: 'yes', without: 'dax memory stays write-back by e820 and PAT instead of by the reserved bit' },
  { file: 'drivers/vfio/vfio_iommu_type1.c', where: 'is_invalid_reserved_pfn()', decides: 'whether vfio accounts and puts a pinned page', dax: 'yes', without: 'pages pinned by GUP are put; with the bit they are not accounted' },
  { file: 'fs/proc/task_mmu.c', where: 'can_gather_numa_stats()', decides: 'whether numa_maps counts the page', dax: 'no', without: 'nothing: vm_normal_page() gives no page for a devmap entry' },
  { file: 'fs/proc/page.c', where: 'stable_page_flags()', decides: 'KPF_RESERVED in /proc/kpageflags', dax: 'yes', without: 'device pages in early sections read 0 instead of RESERVED (measured: B 4)' },
  { file: 'mm/page_alloc.c', where: 'has_unmovable_pages()', decides: 'whether a block can be isolated for offline', dax: 'guarded', without: 'offline of a block with device pages must be refused by the resource walk (8c), which later kernels do' },
  { file: 'mm/memory_hotplug.c', where: 'count_system_ram_pages_cb()', decides: 'holes of the block to be offlined', dax: 'no', without: 'nothing: the walk goes over System RAM resources' },
  { file: 'kernel/power/snapshot.c', where: 'saveable_page()', decides: 'whether hibernation saves the page', dax: 'no', without: 'nothing: pfn_to_online_page() comes first' },
  { file: 'mm/usercopy.c', where: 'check_page_span()', decides: 'whether a copy may span pages that are no slab', dax: 'yes', without: 'a copy over two device pages is refused unless the test asks for is_zone_device_page' },
  { file: 'arch/powerpc/mm/book3s64/hash_utils.c', where: 'hash_page_do_lazy_icache()', decides: 'whether the instruction cache is flushed before the first execution', dax: 'yes', without: 'code mapped from dax gets its flush' },
  { file: 'arch/x86/mm/ioremap.c', where: '__ioremap_check_ram()', decides: 'whether ioremap() of the range is refused', dax: 'no', without: 'nothing: the walk goes over System RAM' },
  { file: 'mm/migrate.c', where: 'move_pages path, follow_page(FOLL_DUMP)', decides: 'whether a page can be moved by move_pages()', dax: 'no', without: 'nothing: zone-device pages are refused by type' },
];

/** docs/page-reserved.md. */
export function pageReservedDocument(): string {
  const rows = PAGE_RESERVED_TESTS.map((t) => `| \`${t.file}\` | \`${t.where}\` | ${t.decides} | ${t.dax} | ${t.without} |`);
  return [
    `# Who asks PageReserved() in ${PAGE_RESERVED_KERNEL}`,
    '',
    'Generated from `src/kernel/mm/page-reserved.ts` (tests hold the two together). From sources, not run. "guarded": the',
    'caller asks for zone-device pages as well.',
    '',
    '| file | where | what it decides | can a dax page get there | without the bit |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
