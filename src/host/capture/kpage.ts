/**
 * /proc/kpageflags, /proc/kpagecount and /proc/kpagecgroup of a capture: files `kpageflags-0xPFN.bin` of little-endian
 * 64-bit words from that pfn on. A word of all ones stands where the kernel gave end of file; a file without bytes says
 * that the kernel gave end of file at its pfn.
 */
import { missing, type Fact } from '../fact.ts';
import type { TreeNode } from './tree.ts';

const WORD = 8;

interface Piece {
  readonly firstPfn: number;
  readonly node: TreeNode;
}

export class PageWords {
  private readonly path: string;
  private readonly pieces: readonly Piece[];

  constructor(path: string, directories: readonly TreeNode[]) {
    this.path = path;
    const name = new RegExp(`^${path.slice(path.lastIndexOf('/') + 1)}-0x([0-9a-f]{1,13})\\.bin$`);
    this.pieces = directories.flatMap((directory) => [...directory.children()].flatMap(([entry, node]) => {
      const pfn = name.exec(entry)?.[1];
      return pfn === undefined || node.kind !== 'file' ? [] : [{ firstPfn: parseInt(pfn, 16), node }];
    }));
  }

  get present(): boolean {
    return this.pieces.length > 0;
  }

  /** Reads words as the kernel would: `offset` is 8 times the pfn. 0 bytes is end of file. */
  readAt(offset: number, into: Uint8Array): Fact<number> {
    const pfn = Math.floor(offset / WORD);
    for (const { firstPfn, node } of this.pieces) {
      const data = node.data();
      if (typeof data === 'string') continue;
      const words = Math.floor(data.length / WORD);
      if (words === 0 && pfn === firstPfn) return 0;
      if (pfn < firstPfn || pfn >= firstPfn + words) continue;
      const from = offset - firstPfn * WORD;
      const count = validBytes(data.subarray(0, words * WORD), from, into.length);
      into.set(data.subarray(from, from + count));
      return count;
    }
    return missing('not-captured', this.path, `no words from pfn 0x${pfn.toString(16)} on`);
  }
}

/** Bytes from `from` on, at most `most`, up to the first word of all ones. */
function validBytes(data: Uint8Array, from: number, most: number): number {
  const end = Math.min(data.length, from + most);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = from - (from % WORD); at < end; at += WORD) {
    if (view.getUint32(at, true) === 0xffffffff && view.getUint32(at + 4, true) === 0xffffffff) return Math.max(0, at - from);
  }
  return end - from;
}
