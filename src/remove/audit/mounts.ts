/** File systems and swap whose device is gone. */
import type { Host } from '../../host/host.ts';
import { displayName } from '../../host/names.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Finding } from './audit.ts';
import { goneDevices } from './processes.ts';

export function auditMounts(host: Host, machine: Machine): Finding[] {
  const isGone = goneDevices(host);
  const mounts = machine.mounts.filter((m) => isGone(m.dev)).map<Finding>((m) => ({
    kind: 'dead-mount', weight: 'left', subject: `${displayName(m.mountPoint)} in mount namespace ${m.namespaceId}`,
    text: `${m.fsType} of ${displayName(m.source)} (${m.dev}) is mounted, and its device is gone${m.shutdown ? '; the file system is shut down' : ''}.`,
    warning: 'Do not unmount it now: where a file was in use when the device went, umount crashes the kernel.', next: 'Bind the device again first, then unmount.',
  }));
  const swaps = machine.swaps.filter((s) => s.deleted).map<Finding>((s) => ({
    kind: 'dead-swap', weight: 'left', subject: displayName(s.path), text: `Swap of ${s.usedBytes} bytes in use on a device that is gone; swapoff cannot find it any more.`,
    warning: null, next: 'Only a reboot takes it away; processes whose pages are there get I/O errors.',
  }));
  return [...mounts, ...swaps];
}
