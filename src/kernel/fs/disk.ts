/**
 * What a file system has on its medium: the files that a later mount finds. It outlives unbind, rebind and the super
 * block. A file whose metadata never reached the log is lost when the file system was shut down without a flush.
 */
import type { Kernel } from '../kernel.ts';
import { Slab } from '../state/slab.ts';
import { kfree, kmalloc } from '../mm/slab.ts';
import { extentTableWords, INODE, INODE_REG, newInode, SB, SB_NOLOGFLUSH, sbAddInode, sbHas } from './inode.ts';

/** Words of a file on the medium. `logged`: its metadata is in the log or beyond. */
export const DISKFILE = { name: 0, pages: 1, extents: 2, domain: 3, logged: 4, next: 5, words: 6 } as const;

class DiskFiles {
  readonly slab: Slab;
  constructor(k: Kernel) {
    this.slab = new Slab(k.heap, 'file on the medium', DISKFILE.words);
  }
}
const makeDiskFiles = (k: Kernel): DiskFiles => new DiskFiles(k);

function copyExtents(k: Kernel, from: number): number {
  const words = extentTableWords(k.heap.load(from + 1));
  const table = kmalloc(k.heap, words);
  for (let i = 0; i < words; i += 1) k.heap.store(table + i, k.heap.load(from + i));
  return table;
}

/** The file's inode is on the medium `list` (a word that heads the list) from now on. */
export function diskAdd(k: Kernel, list: number, inode: number): void {
  const file = k.part(makeDiskFiles).slab.alloc();
  k.heap.store(file + DISKFILE.name, k.heap.load(inode + INODE.name));
  k.heap.store(file + DISKFILE.pages, k.heap.load(inode + INODE.pages));
  k.heap.store(file + DISKFILE.extents, copyExtents(k, k.heap.load(inode + INODE.extents)));
  k.heap.store(file + DISKFILE.domain, k.heap.load(inode + INODE.domain));
  k.heap.store(file + DISKFILE.next, k.heap.load(list));
  k.heap.store(list, file);
  k.heap.store(inode + INODE.synced, file);
}

/** The log has the inode's metadata. */
export function diskLogged(k: Kernel, inode: number): void {
  const file = k.heap.load(inode + INODE.synced);
  if (file === 0) return;
  k.heap.store(file + DISKFILE.logged, 1);
  if (!k.concurrent) logExtents(k, file, inode);
}

/** Which blocks are written, and how long the file is, since the log last had them. */
function logExtents(k: Kernel, file: number, inode: number): void {
  const [now, before] = [k.heap.load(inode + INODE.extents), k.heap.load(file + DISKFILE.extents)];
  k.heap.store(file + DISKFILE.pages, k.heap.load(inode + INODE.pages));
  const words = extentTableWords(k.heap.load(now + 1));
  if (words === extentTableWords(k.heap.load(before + 1)) && Array.from({ length: words }, (_, i) => i).every((i) => k.heap.load(now + i) === k.heap.load(before + i))) return;
  kfree(k.heap, before, extentTableWords(k.heap.load(before + 1)));
  k.heap.store(file + DISKFILE.extents, copyExtents(k, now));
}

/** Unlinked: a later mount finds it no more. */
export function diskRemove(k: Kernel, list: number, inode: number): void {
  const file = k.heap.load(inode + INODE.synced);
  let link = list;
  while (k.heap.load(link) !== file && k.heap.load(link) !== 0) link = k.heap.load(link) + DISKFILE.next;
  if (file !== 0 && k.heap.load(link) === file) k.heap.store(link, k.heap.load(file + DISKFILE.next));
  k.heap.store(inode + INODE.synced, 0);
}

/** What a shutdown without a log flush takes with it. */
export function diskLoseUnlogged(k: Kernel, sb: number, list: number): void {
  if (!sbHas(k, sb, SB_NOLOGFLUSH)) return;
  for (let link = list; k.heap.load(link) !== 0;) {
    const file = k.heap.load(link);
    if (k.heap.load(file + DISKFILE.logged) === 0) k.heap.store(link, k.heap.load(file + DISKFILE.next));
    else link = file + DISKFILE.next;
  }
}

/** Makes the inodes of a new mount from what is on the medium. */
export function diskLoad(k: Kernel, list: number, sb: number): void {
  for (let file = k.heap.load(list); file !== 0; file = k.heap.load(file + DISKFILE.next)) {
    const inode = newInode(k, INODE_REG, k.heap.load(file + DISKFILE.pages));
    k.heap.store(inode + INODE.extents, copyExtents(k, k.heap.load(file + DISKFILE.extents)));
    k.heap.store(inode + INODE.name, k.heap.load(file + DISKFILE.name));
    k.heap.store(inode + INODE.domain, k.heap.load(file + DISKFILE.domain));
    k.heap.store(inode + INODE.synced, file);
    sbAddInode(k, sb, inode);
  }
}

/** The inode of that name in a mounted file system, or 0. */
export function findFile(k: Kernel, sb: number, name: string): number {
  const wanted = k.names.of(name);
  for (let inode = k.heap.load(sb + SB.inodes); inode !== 0; inode = k.heap.load(inode + INODE.next)) if (k.heap.load(inode + INODE.name) === wanted) return inode;
  return 0;
}
