/** The kernel log of a capture: `dmesg` text, with or without levels, or records of /dev/kmsg. */
import { isMissing, missing, type Fact } from '../fact.ts';
import type { KernelLog, LogLine } from '../host.ts';
import { parseKmsgRecord, parseSyslog } from '../kmsg.ts';

/**
 * Lines in order. Records of /dev/kmsg carry their own sequence numbers (their ` KEY=value` lines are left out); in `dmesg` text lines are
 * counted from 0, and where `dmesg` left the levels out every line is KERN_INFO.
 */
export function parseKernelLog(text: string): readonly LogLine[] {
  if (!/^\d+,\d+,\d+,/.test(text)) return parseSyslog(text);
  return text.split('\n').flatMap((line) => parseKmsgRecord(Buffer.from(line, 'utf8')) ?? []);
}

export class CaptureLog implements KernelLog {
  private readonly lines: Fact<readonly LogLine[]>;

  constructor(text: string | undefined) {
    this.lines = text === undefined ? missing('not-captured', '/dev/kmsg') : parseKernelLog(text);
  }

  since(after: number): Fact<readonly LogLine[]> {
    return isMissing(this.lines) ? this.lines : this.lines.filter((line) => line.sequence > after);
  }

  mark(): Fact<number> {
    return isMissing(this.lines) ? this.lines : (this.lines.at(-1)?.sequence ?? -1);
  }
}
