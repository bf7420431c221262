/** The kernel log of the live machine: /dev/kmsg, else syslog(2). */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { isMissing, missing, type Fact } from '../fact.ts';
import type { KernelLog, LogLine } from '../host.ts';
import { parseKmsgRecord, parseSyslog } from '../kmsg.ts';
import { absence, errnoOf, quietly } from './absence.ts';
import { native } from './native.ts';

const KMSG = '/dev/kmsg';
/** The kernel hands out at most 8 KiB for one record and refuses a smaller buffer (kernel/printk/printk.c). */
const RECORD = 16384;
const SYSLOG_ACTION_READ_ALL = 3;
const SYSLOG_ACTION_SIZE_BUFFER = 10;

export class LiveKernelLog implements KernelLog {
  private fd: number | undefined;
  private readonly lines: LogLine[] = [];
  private readonly record = Buffer.allocUnsafeSlow(RECORD);

  since(after: number): Fact<readonly LogLine[]> {
    const failed = this.update();
    return failed ?? this.lines.filter((line) => line.sequence > after);
  }

  mark(): Fact<number> {
    const failed = this.update();
    return failed ?? this.lines.at(-1)?.sequence ?? -1;
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private update(): ReturnType<typeof absence> | undefined {
    const opened = quietly<Fact<number>>(() => (this.fd ??= openSync(KMSG, constants.O_RDONLY | constants.O_NONBLOCK)), (error) => absence(error, KMSG));
    return isMissing(opened) ? this.updateBySyslog(opened) : this.drain(opened);
  }

  private drain(fd: number): ReturnType<typeof absence> | undefined {
    for (;;) {
      const length = quietly<number | string>(() => readSync(fd, this.record, 0, RECORD, null), errnoOf);
      if (length === 'EAGAIN' || length === 0) return undefined;
      // Records were overwritten before we came: the next read goes on with the oldest that is kept.
      if (length === 'EPIPE') continue;
      if (typeof length === 'string') return missing(length === 'EPERM' ? 'denied' : 'unreadable', KMSG, length);
      const line = parseKmsgRecord(this.record.subarray(0, length));
      if (line !== undefined) this.lines.push(line);
    }
  }

  /** No sequence numbers there: lines are counted, and the last one that we know is found again in the new text. */
  private updateBySyslog(reason: ReturnType<typeof absence>): ReturnType<typeof absence> | undefined {
    const size = native().klogctl(SYSLOG_ACTION_SIZE_BUFFER, Buffer.alloc(0), 0);
    const buffer = Buffer.alloc(size > 0 ? size : 0);
    const length = size > 0 ? native().klogctl(SYSLOG_ACTION_READ_ALL, buffer, size) : -1;
    if (length < 0) return reason;
    const last = this.lines.at(-1);
    const all = parseSyslog(buffer.toString('utf8', 0, length));
    const known = last === undefined ? -1 : all.findLastIndex((line) => line.seconds === last.seconds && line.text === last.text);
    const first = (last?.sequence ?? -1) + 1;
    for (const [i, line] of all.slice(known + 1).entries()) this.lines.push({ ...line, sequence: first + i });
    return undefined;
  }
}
