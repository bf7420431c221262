/** /proc/PID/fdinfo/N. Source: fs/proc/fd.c, seq_show(); io_uring/fdinfo.c; fs/eventfd.c. */
import type { ByteString } from '../../host/host.ts';

export interface RegisteredBuffer {
  /** User address, bytes. */
  readonly address: number;
  readonly bytes: number;
}

export interface FdInfo {
  /** Open flags, octal digits as the kernel prints them (`0100002`); null where the line is not there. */
  readonly flags: string | null;
  readonly position: number | null;
  readonly mountId: number | null;
  /** Of the open file; since 5.14. */
  readonly ino: number | null;
  /**
   * io_uring: how many slots for registered buffers it has, and the buffers in them. The kernel leaves the list out
   * when it does not get the ring's lock: then `buffers` is shorter than `slots`, empty slots (`<none>`) not counted.
   */
  readonly ioUring: { readonly slots: number; readonly listed: number; readonly buffers: readonly RegisteredBuffer[] } | null;
}

export function parseFdInfo(text: ByteString): FdInfo {
  const lines = text.split('\n');
  const value = (name: string): string | null => lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1).trim() ?? null;
  const integer = (name: string): number | null => {
    const found = value(name);
    return found !== null && /^\d+$/.test(found) ? Number(found) : null;
  };
  const flags = value('flags');
  return {
    flags: flags !== null && /^[0-7]+$/.test(flags) ? flags : null,
    position: integer('pos'),
    mountId: integer('mnt_id'),
    ino: integer('ino'),
    ioUring: ioUringOf(lines),
  };
}

/** `UserBufs:\t2`, then `    0: 0x7f0000000000/2097152` or `    1: <none>`. (UserFiles has lines of the same form before it.) */
function ioUringOf(lines: readonly string[]): FdInfo['ioUring'] {
  const at = lines.findIndex((line) => /^UserBufs:\s*\d+$/.test(line));
  if (at < 0) return null;
  const buffers: RegisteredBuffer[] = [];
  let listed = 0;
  for (const line of lines.slice(at + 1)) {
    const m = /^\s*\d+:\s+(?:0x([0-9a-f]+)\/(\d+)|<none>)\s*$/.exec(line);
    if (m === null) break;
    listed += 1;
    if (m[1] !== undefined) buffers.push({ address: parseInt(m[1], 16), bytes: Number(m[2]) });
  }
  return { slots: Number((lines[at] as string).split(':')[1]), listed, buffers };
}
