/**
 * The named core: cells that continuous integration runs on real kernels in about ten minutes on two CPUs. Each kernel and each kind of
 * device is in it, under its own driver's unbind and under unseat's removal; those of one machine stand together, so that they share a boot.
 */
export const CORE: Readonly<Record<string, readonly string[]>> = {
  'debian:5.10': ['fsdax-ext4-unbind', 'fsdax-ext4-detach', 'devdax-unbind', 'remove-detach-devdax', 'kmem-offline-unbind', 'dimm-eject-used'],
  'debian:6.1': ['fsdax-ext4-unbind', 'fsdax-ext4-detach', 'remove-graceful-ext4', 'remove-kill-ext4', 'devdax-unbind', 'kmem-online-unbind', 'virtio-mem-unbind'],
  'debian:6.12': ['fsdax-ext4-unmount-first', 'fsdax-ext4-detach', 'fsdax-xfs-detach', 'devdax-unbind', 'fsdax-ext4-force', 'remove-kmem', 'cxl-fsdax-unbind', 'virtio-pmem-unbind'],
  'debian:6.18': ['remove-detach-devdax', 'fsdax-ext4-detach', 'devdax-unbind', 'fsdax-xfs-plain', 'cxl-devdax-unbind', 'mixed-section'],
  'debian:7.2': ['fsdax-ext4-detach', 'remove-detach-devdax', 'devdax-unbind', 'fsdax-ext4-unbind', 'fsdax-ext4-exit-unbound', 'kmem-online-unbind', 'remove-kmem', 'cxl-ram-unplug', 'remove-cxl-ram',
    'virtio-mem-unbind', 'dimm-eject-veto', 'block-two-nodes'],
};

export const isCore = (scenario: string, kernel: string): boolean => CORE[kernel]?.includes(scenario) === true;
