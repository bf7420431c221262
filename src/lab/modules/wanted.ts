/** Which kernel modules a scenario's guest needs. Names that a kernel lacks are left out there; what then fails says so itself. */
import type { Scenario } from '../../scenario/scenario.ts';

/** Without these no guest can report. virtio_pci comes first: the others find their devices only then. */
export const BASE = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p'] as const;

/** Such a scenario needs a guest in which no page was poisoned before. */
export const countsPoison = (s: Scenario): boolean => s.steps.some((step) => step.verb === 'get' && /HardwareCorrupted/.test(step.argument.lines ?? ''));

export function wantedModules(s: Scenario): string[] {
  const m = s.machine;
  const wanted: string[] = [...BASE];
  const nd = m.nvdimms.length + m.memmapPmem.length + m.virtioPmem.length + m.cxl.filter((c) => c.memory === 'persistent').length > 0;
  if (m.nvdimms.length > 0) wanted.push('nfit');
  if (m.memmapPmem.length > 0) wanted.push('nd_e820');
  if (m.virtioPmem.length > 0) wanted.push('virtio_pmem');
  if (nd) wanted.push('nd_pmem', 'nd_btt', 'dax_pmem', 'device_dax');
  if (m.cxl.length > 0) wanted.push('cxl_acpi', 'cxl_port', 'cxl_mem', 'cxl_pmem', 'cxl_pci', 'dax_cxl', 'dax_hmem', 'device_dax');
  if (s.systemRam.length > 0 || m.modules.includes('kmem')) wanted.push('kmem');
  if (m.virtioMem.length > 0) wanted.push('virtio_mem');
  if (m.disks.length > 0) wanted.push('virtio_blk');
  // ext4 and XFS ask for crc32c through a crypto alias, which no dependency shows.
  // Both file systems always, so that scenarios of either can share a boot.
  if (nd || s.filesystems.length > 0) wanted.push('crc32c_generic', 'crc32c_intel', 'libcrc32c', 'ext4', 'xfs');
  if (s.steps.some((step) => step.verb === 'unpoison')) wanted.push('hwpoison_inject');
  return [...new Set(wanted)];
}
