/** Files whose statements are mutated: the paths that litmus threads run, and the removal's own steps. */
const KERNEL = [
  'mm/gup', 'mm/memremap', 'mm/memremap-span', 'mm/page_ref', 'mm/pfn', 'mm/physmem', 'mm/walkers', 'mm/collect-procs', 'mm/memory', 'mm/memory-failure', 'mm/memory-failure-run', 'mm/exit', 'mm/mmap', 'mm/fork', 'mm/access', 'mm/pin-holders', 'mm/migrate', 'mm/migrate_device', 'mm/memory_hotplug/add',
  'mm/memory_hotplug/offline', 'mm/memory_hotplug/online', 'mm/memory_hotplug/remove', 'fs/dax', 'fs/dax-fault', 'fs/dax-fault-pmd', 'fs/dax-insert', 'fs/fault', 'fs/truncate', 'fs/super', 'fs/sync', 'fs/corrupt-range', 'fs/multi', 'fs/xfs/notify-failure', 'drivers/dax/super', 'drivers/dax/bus',
  'drivers/dax/device', 'drivers/dax/kmem', 'drivers/nvdimm/pmem', 'drivers/nvdimm/removal-designs', 'drivers/base/dd', 'drivers/base/block-state', 'drivers/base/devm-memory', 'drivers/base/memory', 'drivers/cxl/region', 'drivers/cxl/cxl',
  'drivers/pci/pciehp', 'drivers/pci/acpiphp', 'drivers/pci/p2pdma', 'drivers/acpi/memhotplug', 'drivers/virtio/virtio_mem', 'virt/kvm',
];
export const MUTATED: readonly string[] = [...KERNEL.map((name) => `src/kernel/${name}.ts`), 'src/explore/litmus/paths.ts'];
