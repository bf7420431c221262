/**
 * What `unseat capture` takes: what the inventory reads, and no more. Contents of user files, environments and memory
 * are never taken.
 */

/** Files of proc, one by one. */
export const PROC_FILES: readonly string[] = [
  'iomem', 'cmdline', 'version', 'modules', 'meminfo', 'zoneinfo', 'swaps', 'mounts', 'filesystems',
  'self/mountinfo', 'net/protocols', 'fs/nfsd/exports', 'sys/kernel/osrelease', 'sys/kernel/version', 'sys/kernel/arch', 'sys/kernel/tainted',
  'sys/kernel/kexec_loaded', 'sys/kernel/yama/ptrace_scope', 'sys/vm/memory_failure_early_kill', 'sys/vm/memory_failure_recovery',
].map((name) => `/proc/${name}`);

/** Files of each process. */
export const PROCESS_FILES = ['stat', 'status', 'cmdline', 'comm', 'cgroup', 'maps'] as const;

/** Directories taken with everything below them, links as links. */
export const TREES: readonly string[] = [
  '/sys/devices/system/memory', '/sys/devices/system/node', '/sys/devices/virtual/memory_tiering', '/sys/bus/pci/slots', '/sys/kernel/mm/hugepages', '/sys/kernel/mm/numa',
  '/etc/udev/rules.d', '/run/udev/rules.d', '/usr/local/lib/udev/rules.d', '/usr/lib/udev/rules.d', '/lib/udev/rules.d', '/etc/daxctl.conf.d', '/usr/share/daxctl/daxctl.conf.d',
];

/** Buses whose devices and drivers are taken whole: the devices' own directories with everything below. */
export const WHOLE_BUSES: readonly string[] = ['nd', 'dax', 'cxl', 'virtio'];

/** Buses of which the list of devices is taken, and of some devices the directory without what is below it. */
export const FLAT_BUSES: readonly { readonly bus: string; readonly devices: RegExp }[] = [
  { bus: 'pci', devices: /./ },
  { bus: 'acpi', devices: /^(PNP0C80|ACPI0012|ACPI0016|ACPI0017):/ },
];

/** Lists of links to block devices, whose directories are taken whole. */
export const BLOCK_LISTS: readonly string[] = ['/sys/block', '/sys/class/block'];

export const MODULES = /^(memory_hotplug|kmem|dax|dax_\w+|device_dax|nd_\w+|libnvdimm|nfit|cxl_\w+|virtio_mem|virtio_pmem|pciehp|acpiphp|acpi_memhotplug|kexec|numa_balancing)$/;

export const CGROUP_ROOT = '/sys/fs/cgroup';
export const CGROUP_FILES = /^(cgroup\.procs|cgroup\.controllers|cpuset\.mems(\.effective)?|memory\.(max|current|high|numa_stat|swap\.(max|current)))$/;

/** Looked for by name where a whole directory would be too much. */
export const SINGLE_FILES: readonly string[] = [
  '/var/lib/nfs/etab',
  ...['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system']
    .flatMap((directory) => ['daxdev-reconfigure@.service', 'ndctl-monitor.service', 'cxl-monitor.service'].map((unit) => `${directory}/${unit}`)),
];

/** Not taken: device memory and registers, and what acts when it is touched. */
export const LEFT_OUT_FILES = /^(config|rom|resource\d+(_wc)?|remove|rescan|reset)$/;
/** Not taken: what no inventory reads, and much of it. */
export const LEFT_OUT_DIRECTORIES = /^(power|trace|mq|iosched|integrity|hwmon|msi_irqs|ptp|net|nvme|host\d+)$/;

export const PAGE_FILES: readonly string[] = ['/proc/kpageflags', '/proc/kpagecount'];

/** Memory that drivers have added as System RAM: the blocks whose page flags a plan asks for (kernel/resource.c names). */
export const ADDED_RAM = /^\s*([0-9a-f]+)-([0-9a-f]+) : System RAM \((kmem|virtio_mem)\)$/gm;

export const PRIVACY_NOTE = [
  'The archive holds: the physical address map, kernel command line and log, names, command lines, mappings and open file',
  'names of all processes, mount tables, device serials and udev rules. It holds no file contents of users, no environment',
  'variables and no memory. Look through it before you give it away; --anonymize replaces names, serials and addresses.',
] as const;
