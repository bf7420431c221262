/** /proc/kpageflags as a file: one 64-bit word for each frame (fs/proc/page.ts says what is in it). */
import type { Kernel } from '../kernel.ts';
import { kpageflagReader } from '../fs/proc/page.ts';
import type { FileNode } from './vfs.ts';

export const kpageflags = (k: Kernel): FileNode => ({
  type: 'file',
  read: () => ({ errno: 'EINVAL' }),
  readAt: (offset, into) => {
    const first = Math.floor(offset / 8);
    const wanted = Math.floor(into.length / 8);
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    const reader = kpageflagReader(k);
    const halves: [number, number] = [0, 0];
    let count = 0;
    for (; count < wanted && reader(first + count, halves); count += 1) {
      view.setUint32(count * 8, halves[0], true);
      view.setUint32(count * 8 + 4, halves[1] >>> 0, true);
    }
    return count * 8;
  },
});
