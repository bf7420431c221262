/** Taking file systems, swap and stacked devices off the device. */
import { displayName } from '../../host/names.ts';
import type { MountHolder } from '../../machine/types/holder.ts';
import type { Way } from '../../steps/reason.ts';
import type { PlanContext } from '../context.ts';
import { DEADLINE, draft, type Draft } from './draft.ts';
import { confirm, shutdownFirst } from './let-go.ts';

export function takeOff(c: PlanContext, way: Way): Draft[] {
  if (way === 'force') return [...swapOff(c), ...shutdowns(c)];
  const off = [...swapOff(c), ...unmounts(c), ...apart(c)];
  return off.length === 0 ? [] : [...off, ...confirm(c, false)];
}

const swapOff = (c: PlanContext): Draft[] => [...new Set(c.leaves.flatMap((l) => l.swaps).map((s) => s.path))].map((path) =>
  draft({ kind: 'swap-off', path }, `swapoff ${displayName(path)}`, 'after the unbind the swap could not be removed any more', { needs: 'CAP_SYS_ADMIN', deadlineMs: 600_000 }));

function shutdowns(c: PlanContext): Draft[] {
  return shutdownFirst(c).map((m) => draft({ kind: 'shutdown-filesystem', namespaceId: m.namespaceId, mountPoint: m.mountPoint, flag: 1 }, `shut XFS on ${displayName(m.mountPoint)} down (XFS_IOC_GOINGDOWN, flag 1: log flushed)`,
    "after the unmap and a sync, never before: this kernel's own notification would spin at the unbind", { needs: 'CAP_SYS_ADMIN' }));
}

function unmounts(c: PlanContext): Draft[] {
  return c.mounts.map((m) => draft({ kind: 'unmount', namespaceId: m.namespaceId, mountPoint: m.mountPoint }, `umount ${displayName(m.mountPoint)}${elsewhere(c, m)}`,
    'before the unbind: umount of a file system whose device is gone can crash the kernel', { needs: 'CAP_SYS_ADMIN', deadlineMs: DEADLINE.unmount }));
}

const elsewhere = (c: PlanContext, m: MountHolder): string => (new Set(c.mounts.map((x) => x.namespaceId)).size > 1 ? ` in mount namespace ${m.namespaceId}` : '');

/** Topmost first: the inventory lists a stack from below. */
function apart(c: PlanContext): Draft[] {
  return c.leaves.flatMap((l) => [...l.stack].reverse()).flatMap((s) => {
    const command = commandFor(c, s.block);
    if (command === null) return [];
    const [program, ...args] = command;
    return [draft({ kind: 'deactivate', block: s.block, program: program ?? '', args }, command.join(' '), `${s.block} is stacked on the device`, { needs: 'CAP_SYS_ADMIN', deadlineMs: DEADLINE.unmount })];
  });
}

function commandFor(c: PlanContext, block: string): string[] | null {
  const found = c.machine.blockDevices.find((b) => b.name === block);
  if (block.startsWith('loop')) return ['losetup', '--detach', `/dev/${block}`];
  if (block.startsWith('md')) return ['mdadm', '--stop', `/dev/${block}`];
  if (block.startsWith('dm-')) return ['dmsetup', 'remove', found?.label ?? `/dev/${block}`];
  return null;
}
