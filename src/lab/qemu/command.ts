/** The QEMU command line for a scenario's machine. Pure: a layout goes in, arguments come out. */
import type { Machine } from '../../scenario/layout.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { LabKernel } from '../kernels.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

export interface QemuPaths {
  readonly initramfs: string;
  /** Unix sockets on which the host listens and to which QEMU connects. */
  readonly channel: string;
  readonly qmp: string;
  readonly console: string;
  /** Directory for disk images. */
  readonly folder: string;
}

export interface QemuOptions {
  readonly accel: 'tcg' | 'kvm';
  /** A shell on this terminal instead of the agent. */
  readonly shell: boolean;
}

/** What the machine has beyond the system's old QEMU. */
export const needsNewQemu = (m: Machine): boolean =>
  m.cxl.length + m.virtioMem.length + m.virtioPmem.length + m.dimms.length > 0 || m.disks.some((d) => d.hotplug !== 'none');

export function qemuArguments(kernel: LabKernel, scenario: Scenario, paths: QemuPaths, options: QemuOptions): string[] {
  const m = scenario.machine;
  return [
    '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none',
    '-machine', machineType(m), '-accel', options.accel === 'kvm' ? 'kvm' : 'tcg,thread=multi',
    // With the hypervisor bit the CXL core refuses to commit decoders.
    '-cpu', m.cxl.length > 0 ? 'max,-hypervisor' : 'max', '-smp', String(m.cpus),
    ...memory(m), ...rootPorts(m), ...nvdimms(m), ...virtioDevices(m, kernel, paths.folder), ...cxl(m), ...disks(m, paths.folder),
    '-fsdev', 'local,id=hostroot,path=/,security_model=none,readonly=on,multidevs=remap', '-device', 'virtio-9p-pci,bus=pcie.0,fsdev=hostroot,mount_tag=hostroot',
    '-kernel', kernel.vmlinuz, '-initrd', paths.initramfs, '-append', commandLine(m),
    ...(options.shell ? ['-serial', 'stdio'] : [
      '-serial', `file:${paths.console}`,
      '-chardev', `socket,id=channel,path=${paths.channel}`, '-device', 'virtio-serial-pci,bus=pcie.0,id=vserial', '-device', 'virtserialport,bus=vserial.0,chardev=channel,name=unseat',
      '-qmp', `unix:${paths.qmp}`,
    ]),
  ];
}

function machineType(m: Machine): string {
  const parts = ['q35'];
  if (m.nvdimms.length > 0) parts.push('nvdimm=on');
  if (m.cxl.length > 0) parts.push('cxl=on', 'cxl-fmw.0.targets.0=cxl.1', 'cxl-fmw.0.size=4G');
  return parts.join(',');
}

export function commandLine(m: Machine): string {
  // Under emulation on a busy machine the timer interrupts of the boot check come late, and the kernel panics over it.
  const words = ['no_timer_check', 'console=ttyS0', 'panic=-1', 'loglevel=5', 'printk.time=1', 'rdinit=/init'];
  for (const range of m.memmapPmem) words.push(`memmap=0x${range.size.toString(16)}!0x${range.at.toString(16)}`);
  if (m.memmapOnMemory) words.push('memory_hotplug.memmap_on_memory=Y');
  return words.join(' ');
}

function memory(m: Machine): string[] {
  const nodes = m.nodes ?? [{ ram: m.ram }];
  const total = nodes.reduce((sum, n) => sum + n.ram, 0);
  const hotplug = m.nvdimms.length + m.dimms.length + m.virtioMem.length + m.virtioPmem.length > 0;
  const args = ['-m', hotplug || m.cxl.length > 0 ? `${total / MiB}M,slots=8,maxmem=${Math.ceil(total / GiB) + 14}G` : `${total / MiB}M`];
  const needsNuma = m.nodes !== undefined || hotplug;
  if (!needsNuma) return args;
  nodes.forEach((n, i) => {
    if (n.ram > 0) args.push('-object', `memory-backend-ram,id=ram${i},size=${n.ram}`);
    args.push('-numa', ['node', `nodeid=${i}`, ...(i === 0 ? [`cpus=0-${m.cpus - 1}`] : []), ...(n.ram > 0 ? [`memdev=ram${i}`] : [])].join(','));
  });
  return args;
}

function nvdimms(m: Machine): string[] {
  return m.nvdimms.flatMap((n) => [
    '-object', `memory-backend-ram,id=mem-${n.name},size=${n.size + n.labels}`,
    '-device', ['nvdimm', `id=${n.name}`, `memdev=mem-${n.name}`, ...(n.labels > 0 ? [`label-size=${n.labels}`] : []), `node=${n.node}`].join(','),
  ]);
}

/** Names of the PCIe root ports, one for each device that may leave through a slot. */
export const portOf = (device: string): string => `port-${device}`;

function rootPorts(m: Machine): string[] {
  const slotted = [...m.virtioMem.map((v) => v.name), ...m.disks.filter((d) => d.hotplug !== 'none').map((d) => d.name)];
  // A virtio-mem card leaves through a native slot, as it was measured.
  const native = m.virtioMem.length > 0 || m.disks.some((d) => d.hotplug === 'pciehp') ? ['-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'] : [];
  return [...native, ...slotted.flatMap((name, i) => ['-device', `pcie-root-port,id=${portOf(name)},chassis=${i + 1},slot=${i + 1},bus=pcie.0`])];
}

function virtioDevices(m: Machine, kernel: LabKernel, folder: string): string[] {
  // The 5.10 driver cannot bind to a device whose unplugged memory is inaccessible.
  const inaccessible = kernel.series.major < 6 ? ',unplugged-inaccessible=off' : '';
  return [
    ...m.virtioMem.flatMap((v) => [
      '-object', `memory-backend-ram,id=mem-${v.name},size=${v.size}`,
      '-device', `virtio-mem-pci,id=${v.name},memdev=mem-${v.name},node=${v.node},requested-size=0,block-size=${v.block},bus=${portOf(v.name)}${inaccessible}`,
    ]),
    // A file: QEMU answers the guest's flush by fsync, which fails on memory without one.
    ...m.virtioPmem.flatMap((v) => ['-object', `memory-backend-file,id=mem-${v.name},size=${v.size},mem-path=${diskImage(folder, v.name)},share=on`, '-device', `virtio-pmem-pci,bus=pcie.0,id=${v.name},memdev=mem-${v.name}`]),
  ];
}

function cxl(m: Machine): string[] {
  if (m.cxl.length === 0) return [];
  return ['-device', 'pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1', ...m.cxl.flatMap((c, i) => {
    const kind = c.memory === 'volatile' ? `volatile-memdev=mem-${c.name}` : `persistent-memdev=mem-${c.name},lsa=lsa-${c.name}`;
    return [
      '-object', `memory-backend-ram,id=mem-${c.name},size=${c.size}`,
      ...(c.memory === 'persistent' ? ['-object', `memory-backend-ram,id=lsa-${c.name},size=${256 * MiB}`] : []),
      '-device', `cxl-rp,port=${i},bus=cxl.1,id=${portOf(c.name)},chassis=0,slot=${i + 2}`,
      '-device', `cxl-type3,bus=${portOf(c.name)},${kind},id=${c.name},sn=0x${i + 1}`,
    ];
  })];
}

export const diskImage = (folder: string, name: string): string => `${folder}/${name}.img`;

function disks(m: Machine, folder: string): string[] {
  return m.disks.flatMap((d) => [
    '-drive', `if=none,id=drive-${d.name},file=${diskImage(folder, d.name)},format=raw${d.bytesPerSecond === undefined ? '' : `,throttling.bps-read=${d.bytesPerSecond}`}`,
    '-device', `virtio-blk-pci,id=${d.name},drive=drive-${d.name},serial=${d.name}${d.hotplug === 'none' ? ',bus=pcie.0' : `,bus=${portOf(d.name)}`}`,
  ]);
}
