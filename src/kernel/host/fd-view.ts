/** What /proc/PID/fd and fdinfo show of a descriptor: files, device nodes, and what pins are made with. */
import { FD } from '../fs/file.ts';
import { HOLDER, holderKind, type PinKind } from '../mm/pin-holders.ts';
import { vmaLeaves } from '../mm/memory.ts';
import { mmOf, vmasOf } from '../mm/mm_struct.ts';
import { levelPages } from '../mm/pgtable.ts';
import { inodeView, namespaceOfTask, type World } from './world.ts';

/** Bit of FD.flags: an io_uring whose lock fdinfo does not get; it shows how many buffers there are, not which. */
export const FD_RING_BUSY = 0x100;

export interface FdView {
  readonly target: string;
  readonly dev?: string;
  readonly ino?: number;
  readonly rdev?: string;
}

/** Link texts as the kernel makes them (fs/pipe.c, io_uring/io_uring.c, drivers/vfio, net/socket.c). */
const TARGETS: Readonly<Record<PinKind, (fd: number) => string>> = {
  io_uring: () => 'anon_inode:[io_uring]', vmsplice: (fd) => `pipe:[${fd}]`, af_xdp: (fd) => `socket:[${fd}]`, o_direct: () => '/dev/vda',
  rdma: () => '/dev/infiniband/uverbs0', vfio: () => 'anon_inode:[vfio-device]',
};

export function fdView(world: World, task: number, fd: number): FdView {
  const { k } = world;
  const inode = k.heap.load(fd + FD.inode);
  if (inode === 0) {
    const holder = k.heap.load(fd + FD.holder);
    return { target: holder === 0 ? `anon_inode:[${fd}]` : TARGETS[holderKind(k, holder)](fd) };
  }
  const view = inodeView(world, inode, namespaceOfTask(world, task));
  return { target: view.path, dev: view.dev, ino: view.ino, ...(view.rdev === undefined ? {} : { rdev: view.rdev }) };
}

export function fdInfoText(world: World, task: number, fd: number): string {
  const { k } = world;
  const plain = 'pos:\t0\nflags:\t0100002\nmnt_id:\t31\n';
  const holder = fd === 0 ? 0 : k.heap.load(fd + FD.holder);
  if (holder === 0 || holderKind(k, holder) !== 'io_uring') return plain;
  const count = k.heap.load(holder + HOLDER.count);
  const busy = (k.heap.load(fd + FD.flags) & FD_RING_BUSY) !== 0;
  const address = busy || count === 0 ? null : addressOf(world, task, k.heap.load(k.heap.load(holder + HOLDER.pfns)));
  return `${plain}UserFiles:\t0\nUserBufs:\t${count > 0 ? 1 : 0}\n${address === null ? '' : `    0: 0x${address.toString(16)}/${count * 4096}\n`}`;
}

/** Where the process maps a page frame now; null where it does not. */
function addressOf(world: World, task: number, pfn: number): number | null {
  const { k } = world;
  const mm = mmOf(k, task);
  if (mm === 0) return null;
  for (const vma of vmasOf(k, mm)) {
    for (const { vpn, leaf } of vmaLeaves(k, vma)) if (pfn >= leaf.pfn && pfn < leaf.pfn + leaf.count * levelPages(leaf.level)) return (vpn + pfn - leaf.pfn) * 4096;
  }
  return null;
}
