/**
 * How much stands in a pipe of another process. The descriptor is borrowed by pidfd_getfd(2) (5.6): opening the pipe anew
 * would make us one of its readers, and a writer could then miss that its last reader has gone.
 */
import { closeSync, constants } from 'node:fs';
import type { ProcessRef } from '../../actions.ts';
import { missing } from '../../fact.ts';
import type { Fact } from '../../fact.ts';
import { native } from '../native.ts';
import { readStat } from './proc.ts';

/** include/uapi/asm-generic/ioctls.h; of a pipe: the bytes that can be read (fs/pipe.c, pipe_ioctl()). */
const FIONREAD = 0x541b;

/** PIDFD_THREAD (6.9): a pidfd of one thread, whose own table of descriptors is then borrowed from. */
const PIDFD_THREAD = constants.O_EXCL;

export function pipeBytes({ pid, startTime }: ProcessRef, fd: number, thread?: number): Fact<number> {
  const path = `/proc/${thread ?? pid}/fd/${fd}`;
  const c = native();
  const failed = (): Fact<number> => missing(c.errno() === 'ESRCH' ? 'vanished' : c.errno() === 'EPERM' ? 'denied' : 'unreadable', path, c.errno());
  const pidfd = thread === undefined ? c.pidfdOpen(pid) : c.pidfdOpen(thread, PIDFD_THREAD);
  if (pidfd < 0) return failed();
  try {
    if (startTimeOf(pid) !== startTime) return missing('vanished', path, 'the start time no longer fits');
    const borrowed = c.pidfdGetfd(pidfd, fd);
    if (borrowed < 0) return failed();
    try {
      const bytes = new Uint8Array(4);
      return c.ioctl(borrowed, FIONREAD, bytes) < 0 ? failed() : new DataView(bytes.buffer).getUint32(0, true);
    } finally {
      closeSync(borrowed);
    }
  } finally {
    closeSync(pidfd);
  }
}

function startTimeOf(pid: number): number | null {
  try {
    return readStat(pid)?.startTime ?? null;
  } catch {
    return null;
  }
}
