/** The host's side of virtio-mem: what `qom-set vmem requested-size` does, and the kworker that answers it. */
import { storeLong } from '../state/long.ts';
import type { Kernel } from '../kernel.ts';
import { virtioMemWork } from '../drivers/virtio/plug.ts';
import { VM } from '../drivers/virtio/virtio_mem.ts';
import { threads } from '../threads.ts';

/** The host asks for `bytes`; the guest's worker runs until it is there, or until nothing moves any more. */
export function requestSize(k: Kernel, vm: number, bytes: number): void {
  storeLong(k.heap, vm + VM.requested, bytes);
  const name = `kworker virtio_mem ${vm}`;
  const worker = threads(k).all.find((thread) => thread.name === name && thread.state === 'waiting');
  if (worker === undefined) threads(k).spawn(name, () => virtioMemWork(k, vm));
  else threads(k).run();
}

/** What QEMU says to device_del: it refuses while some of the memory is plugged. */
export const hostUnplugRefused = (k: Kernel, vm: number): boolean => k.heap.load(vm + VM.plugged) !== 0 || k.heap.load(vm + VM.plugged + 1) !== 0;
