/**
 * Mounts by namespace and place (fs/namespace.c, as far as mountinfo shows it). The kernel's super blocks only count their
 * mounts; here is where they are. Kept in the heap: mounts come and go.
 */
import { EBUSY, EINVAL } from '../errno.ts';
import { SB } from '../fs/inode.ts';
import { umount } from '../fs/super.ts';
import type { Kernel } from '../kernel.ts';
import { Slab } from '../state/slab.ts';
import type { Path } from '../state/path.ts';

const MOUNT = { sb: 0, point: 1, namespace: 2, id: 3, options: 4, next: 5, words: 6 } as const;

export interface MountView {
  readonly address: number;
  readonly sb: number;
  readonly point: string;
  readonly namespace: number;
  readonly id: number;
  /** Mount options, comma separated: `rw,relatime`. */
  readonly options: string;
}

export class MountTable {
  private readonly k: Kernel;
  private readonly slab: Slab;
  private readonly head: number;
  private readonly nextId: number;

  constructor(k: Kernel) {
    this.k = k;
    this.slab = new Slab(k.heap, 'mount', MOUNT.words, 16);
    this.head = k.heap.reserve(1);
    this.nextId = k.heap.reserve(1);
    k.heap.store(this.nextId, 31);
  }

  /** Records a mount that the kernel has already counted (`mountFs`, `addMount`). Later mounts come later in the list. */
  add(sb: number, point: string, namespace: number, options: string): void {
    const { heap, names } = this.k;
    const mount = this.slab.alloc();
    heap.store(mount + MOUNT.sb, sb);
    heap.store(mount + MOUNT.point, names.of(point));
    heap.store(mount + MOUNT.namespace, namespace);
    heap.store(mount + MOUNT.id, heap.add(this.nextId, 1) - 1);
    heap.store(mount + MOUNT.options, names.of(options));
    let link = this.head;
    while (heap.load(link) !== 0) link = heap.load(link) + MOUNT.next;
    heap.store(link, mount);
  }

  all(): MountView[] {
    const { heap, names } = this.k;
    const found: MountView[] = [];
    for (let at = heap.load(this.head); at !== 0; at = heap.load(at + MOUNT.next)) {
      found.push({
        address: at, sb: heap.load(at + MOUNT.sb), point: names.text(heap.load(at + MOUNT.point)), namespace: heap.load(at + MOUNT.namespace) >>> 0,
        id: heap.load(at + MOUNT.id), options: names.text(heap.load(at + MOUNT.options)),
      });
    }
    return found;
  }

  /** The topmost mount at a place. */
  at(namespace: number, point: string): MountView | undefined {
    return this.all().filter((m) => m.namespace === namespace && m.point === point).at(-1);
  }

  /** umount2(2): -EINVAL where nothing is mounted, -EBUSY while files are in use; lazy takes it out of sight at once. */
  *unmount(namespace: number, point: string, lazy = false): Path<number> {
    const mount = this.at(namespace, point);
    if (mount === undefined) return -EINVAL;
    if (!lazy && this.all().some((m) => m.namespace === namespace && m.point.startsWith(`${point}/`))) return -EBUSY;
    const rc = yield* this.k.call(umount, mount.sb, lazy ? 1 : 0);
    if (rc === 0) this.drop(mount.address);
    return rc;
  }

  private drop(mount: number): void {
    const { heap } = this.k;
    let link = this.head;
    while (heap.load(link) !== mount) link = heap.load(link) + MOUNT.next;
    heap.store(link, heap.load(mount + MOUNT.next));
    this.slab.free(mount);
  }
}

/** Where a file system can be seen, in the namespace given first: for paths of files. */
export const pointOf = (mounts: MountTable, sb: number, namespace: number): string | undefined => {
  const all = mounts.all().filter((m) => m.sb === sb);
  return (all.find((m) => m.namespace === namespace) ?? all[0])?.point;
};

export const isMounted = (k: Kernel, sb: number): boolean => k.heap.load(sb + SB.mounts) > 0;
