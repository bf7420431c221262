/**
 * The tree of a capture: what an archive or a directory holds, by name. Nothing of it is ever written to a disk, and
 * nothing outside of it can be reached through it.
 */
import type { FileKind } from '../host.ts';

export interface TreeNode {
  readonly kind: FileKind;
  /** st_mode with its type bits. */
  readonly mode: number;
  /** Unique in the tree; stands in for an inode number. */
  readonly ino: number;
  /** `major:minor` of a char or block node. */
  readonly rdev?: string;
  /** Target of a link, as stored. */
  readonly target?: string;
  /** Bytes of a file; a string where they could not be read (an errno name). */
  data(): Uint8Array | string;
  /** Entries of a directory; empty for everything else. */
  children(): ReadonlyMap<string, TreeNode>;
}

const NO_BYTES = new Uint8Array(0);
const NO_CHILDREN: ReadonlyMap<string, TreeNode> = new Map();

export const TYPE_BITS: Record<FileKind, number> = {
  fifo: 0o010000, char: 0o020000, directory: 0o040000, block: 0o060000, file: 0o100000, link: 0o120000, socket: 0o140000,
};

export class MemoryNode implements TreeNode {
  readonly kind: FileKind;
  readonly mode: number;
  readonly ino: number;
  readonly rdev?: string;
  readonly target?: string;
  private readonly bytes: Uint8Array;
  readonly entries: Map<string, MemoryNode> | null;

  constructor(kind: FileKind, ino: number, mode: number, more: { bytes?: Uint8Array; target?: string; rdev?: string } = {}) {
    this.kind = kind;
    this.ino = ino;
    this.mode = TYPE_BITS[kind] | (mode & 0o7777);
    if (more.target !== undefined) this.target = more.target;
    if (more.rdev !== undefined) this.rdev = more.rdev;
    this.bytes = more.bytes ?? NO_BYTES;
    this.entries = kind === 'directory' ? new Map() : null;
  }

  data(): Uint8Array {
    return this.bytes;
  }

  children(): ReadonlyMap<string, MemoryNode> {
    return this.entries ?? (NO_CHILDREN as ReadonlyMap<string, MemoryNode>);
  }
}

/** The child of a directory by a path without links, `.` or `..`; undefined where there is none. */
export function childAt(node: TreeNode, path: string): TreeNode | undefined {
  let at: TreeNode | undefined = node;
  for (const name of path.split('/')) {
    if (name === '') continue;
    at = at?.children().get(name);
    if (at === undefined) return undefined;
  }
  return at;
}

/** The text of a small file of the tree (Latin-1 kept out: UTF-8), or undefined where it is none. */
export function textAt(node: TreeNode, path: string): string | undefined {
  const data = childAt(node, path)?.data();
  return data instanceof Uint8Array ? Buffer.from(data).toString('utf8') : undefined;
}
