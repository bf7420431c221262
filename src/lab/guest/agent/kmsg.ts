/** The guest's kernel log, read as it grows. */
import { constants, openSync, readSync } from 'node:fs';

export class KernelLog {
  private readonly fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  private readonly buffer = Buffer.alloc(8192);
  /** Every line since boot that was still kept when it was read. */
  readonly lines: string[] = [];

  /** Lines that came since the last call. */
  fresh(): string[] {
    const from = this.lines.length;
    for (;;) {
      let count: number;
      try {
        count = readSync(this.fd, this.buffer, 0, this.buffer.length, null);
      } catch (error) {
        // EPIPE: the ring buffer overtook the reader, which now stands at the oldest record. EAGAIN: nothing more.
        if ((error as NodeJS.ErrnoException).code === 'EPIPE') continue;
        break;
      }
      if (count === 0) break;
      this.lines.push(...recordLines(this.buffer.toString('utf8', 0, count)));
    }
    return this.lines.slice(from);
  }
}

/** A record is `priority,sequence,time,flags;text`, then lines that begin with a space and are about the record. */
const recordLines = (record: string): string[] => {
  const text = record.slice(record.indexOf(';') + 1).split('\n').filter((line) => line !== '' && !line.startsWith(' '));
  return text;
};
