/**
 * PROCMAP_QUERY (fs/proc/task_mmu.c, 6.11 and later): asks for mappings by number, file-backed ones only, and prints
 * no text. It is used to pass over processes that have nothing of a device; names come from the text of maps.
 */
import { closeSync, openSync } from 'node:fs';
import type { WantLine } from '../maps.ts';
import { native } from './native.ts';

/** _IOWR('f', 17, struct procmap_query), 104 bytes. */
const PROCMAP_QUERY = 0xc0686611;
const SIZE = 104;
/** Offsets of the fields of struct procmap_query. */
const AT = { size: 0, flags: 8, address: 16, start: 24, end: 32, inode: 64, major: 72, minor: 76 } as const;
const COVERING_OR_NEXT_VMA = 0x10;
const FILE_BACKED_VMA = 0x20;

export class ProcmapQuery {
  private readonly bytes = Buffer.alloc(SIZE);
  private readonly view = new DataView(this.bytes.buffer, this.bytes.byteOffset, SIZE);
  private lacking = false;

  /**
   * Whether any mapping of the process is wanted. Undefined where this cannot tell (an older kernel, no address space):
   * the text of maps can. Throws the error of node:fs when maps cannot be opened.
   */
  any(pid: number, want: WantLine): boolean | undefined {
    if (this.lacking) return undefined;
    const fd = openSync(`/proc/${pid}/maps`, 'r');
    try {
      return this.walk(fd, want);
    } finally {
      closeSync(fd);
    }
  }

  private walk(fd: number, want: WantLine): boolean | undefined {
    const { view } = this;
    this.bytes.fill(0);
    for (let [low, high] = [0, 0]; ; [low, high] = [view.getUint32(AT.end, true), view.getUint32(AT.end + 4, true)]) {
      view.setUint32(AT.size, SIZE, true);
      view.setUint32(AT.flags, COVERING_OR_NEXT_VMA | FILE_BACKED_VMA, true);
      view.setUint32(AT.address, low, true);
      view.setUint32(AT.address + 4, high, true);
      if (native().ioctl(fd, PROCMAP_QUERY, this.bytes) !== 0) {
        const errno = native().errno();
        if (errno === 'ENOENT') return false;
        this.lacking ||= errno === 'ENOTTY' || errno === 'EINVAL';
        return undefined;
      }
      if (want(view.getUint32(AT.major, true), view.getUint32(AT.minor, true), this.wide(AT.inode), this.wide(AT.start), this.wide(AT.end))) return true;
    }
  }

  private wide(at: number): number {
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 0x1_0000_0000;
  }
}
