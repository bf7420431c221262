/**
 * Open files of a task (fs/file.c, fs/open.c): a list of descriptors, each with its inode and, where it is one, the pin
 * holder behind it (a socket, an io_uring, a pipe: mm/pin-holders.ts).
 */
import { ENOENT } from '../errno.ts';
import { releasePinHolder } from '../mm/pin-holders.ts';
import type { Kernel } from '../kernel.ts';
import { Slab } from '../state/slab.ts';
import type { Path } from '../state/path.ts';
import { filesTask, TASK } from '../task.ts';
import { ihold, INODE } from './inode.ts';
import { iput } from './super.ts';

/** Words of a descriptor. `holder`: object of a pin holder, `binds`: how often the device had been bound when opened. */
export const FD = { number: 0, inode: 1, next: 2, flags: 3, holder: 4, binds: 5, words: 6 } as const;

export const O_DIRECT = 1;
export const O_RDONLY = 2;

class Files {
  readonly slab: Slab;
  constructor(k: Kernel) {
    this.slab = new Slab(k.heap, 'file', FD.words);
  }
}
const makeFiles = (k: Kernel): Files => new Files(k);

/** Descriptors of a task, lowest first, as addresses. */
export function* fdsOf(k: Kernel, task: number): Generator<number> {
  for (let fd = k.heap.load(filesTask(k, task) + TASK.files); fd !== 0; fd = k.heap.load(fd + FD.next)) yield fd;
}

/** Installs a descriptor at the lowest free number; its address. `inode` 0 for a pin holder that is no file. */
export function fdInstall(k: Kernel, task: number, inode: number, flags = 0, holder = 0): number {
  let number = 3;
  let link = filesTask(k, task) + TASK.files;
  for (let fd = k.heap.load(link); fd !== 0 && k.heap.load(fd + FD.number) === number; link = fd + FD.next, fd = k.heap.load(link)) number += 1;
  const fd = k.part(makeFiles).slab.alloc();
  k.heap.store(fd + FD.number, number);
  k.heap.store(fd + FD.inode, inode);
  k.heap.store(fd + FD.flags, flags);
  k.heap.store(fd + FD.holder, holder);
  k.heap.store(fd + FD.next, k.heap.load(link));
  k.heap.store(link, fd);
  if (inode !== 0) ihold(k, inode);
  return fd;
}

/** close of one descriptor (by address): the pin holder lets its pages go, the inode loses a user. */
export function* fdClose(k: Kernel, task: number, fd: number): Path {
  let link = filesTask(k, task) + TASK.files;
  while (k.heap.load(link) !== fd && k.heap.load(link) !== 0) link = k.heap.load(link) + FD.next;
  if (k.heap.load(link) !== fd) return -ENOENT;
  k.heap.store(link, k.heap.load(fd + FD.next));
  const [inode, holder] = [k.heap.load(fd + FD.inode), k.heap.load(fd + FD.holder)];
  k.part(makeFiles).slab.free(fd);
  if (holder !== 0) yield* k.call(releasePinHolder, holder);
  if (inode !== 0) yield* k.call(iput, inode);
  return 0;
}

/** exit_files: the table of a task goes with the task; a thread that uses that of its process has none. */
export function* fdCloseAll(k: Kernel, task: number): Path {
  for (let fd = k.heap.load(task + TASK.files); fd !== 0; fd = k.heap.load(task + TASK.files)) yield* k.call(fdClose, task, fd);
  return 0;
}

/** fork: the child shares every open file. Pin holders stay with the parent's descriptor table entry. */
export function fdCopy(k: Kernel, parent: number, child: number): void {
  for (const fd of fdsOf(k, parent)) if (k.heap.load(fd + FD.holder) === 0) fdInstall(k, child, k.heap.load(fd + FD.inode), k.heap.load(fd + FD.flags));
}

export const fdInode = (k: Kernel, fd: number): number => k.heap.load(fd + FD.inode);
export const inodeKind = (k: Kernel, inode: number): number => k.heap.load(inode + INODE.kind);
