/** How a reproducer names devices: as the kernel gives the names on a machine that has nothing else, or looked up by the script. Pure. */
import type { Scenario } from '../../scenario/scenario.ts';

export interface Named {
  /** `/dev/pmem0`, `/dev/dax0.0`; empty for a device without one. */
  readonly block: string;
  /** What is written to `unbind` and `bind`; may be a shell variable. */
  readonly bind: string;
  /** The folder that holds `unbind` and `bind`. */
  readonly driver: string;
}

/** Null for what a script inside the machine cannot take out: DIMMs, disks, slots. */
export function named(s: Scenario, device: string): Named | null {
  const index = s.machine.namespaces.findIndex((n) => n.name === device);
  const spec = s.machine.namespaces[index];
  if (spec === undefined) return hardware(s, device);
  const on = [...s.machine.memmapPmem, ...s.machine.nvdimms, ...s.machine.cxl.filter((c) => c.memory === 'persistent')].findIndex((d) => d.name === spec.on);
  const nth = s.machine.namespaces.slice(0, index).filter((n) => n.on === spec.on).length;
  if (spec.mode === 'devdax') {
    const kmem = s.systemRam.some((r) => r.device === device);
    return { block: `/dev/dax${on}.${nth}`, bind: `dax${on}.${nth}`, driver: `/sys/bus/dax/drivers/${kmem ? 'kmem' : 'device_dax'}` };
  }
  return { block: nth === 0 ? `/dev/pmem${on}` : `/dev/pmem${on}.${nth}`, bind: `${spec.mode === 'fsdax' ? 'pfn' : 'namespace'}${on}.${nth}`, driver: '/sys/bus/nd/drivers/nd_pmem' };
}

function hardware(s: Scenario, device: string): Named | null {
  const cxl = s.machine.cxl.find((c) => c.name === device);
  if (cxl) return { block: cxl.use === 'devdax' ? '/dev/dax0.0' : '', bind: `$${device}`, driver: '/sys/bus/pci/drivers/cxl_pci' };
  if (s.machine.virtioMem.some((v) => v.name === device)) return { block: '', bind: `$${device}`, driver: '/sys/bus/virtio/drivers/virtio_mem' };
  if (s.machine.virtioPmem.some((v) => v.name === device)) return { block: '/dev/pmem0', bind: `$${device}`, driver: '/sys/bus/virtio/drivers/virtio_pmem' };
  return null;
}

/** Lines that bring hardware into use and find the names that differ from machine to machine. */
export function hardwareLines(s: Scenario): string[] {
  const { cxl, virtioMem, virtioPmem } = s.machine;
  return [
    ...cxl.flatMap((c, i) => [
      `${c.name}=$(basename $(dirname $(readlink -f /sys/bus/cxl/devices/mem${i})))`,
      ...(c.use === 'none' ? [] : [`cxl create-region -t ${c.memory === 'volatile' ? 'ram' : 'pmem'} -d decoder0.0 -m mem${i}`]),
      ...(c.use === 'devdax' ? ['echo dax0.0 > /sys/bus/dax/drivers/kmem/unbind', 'echo dax0.0 > /sys/bus/dax/drivers/device_dax/new_id'] : []),
    ]),
    ...virtioMem.map((v) => `${v.name}=$(ls /sys/bus/virtio/drivers/virtio_mem | grep -m 1 '^virtio')`),
    ...virtioPmem.map((v) => `${v.name}=$(ls /sys/bus/virtio/drivers/virtio_pmem | grep -m 1 '^virtio')`),
  ];
}
