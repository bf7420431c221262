/** The kernel log of a capture: `dmesg` text, with or without levels, or records of /dev/kmsg. */
import { isMissing, missing, type Fact } from '../fact.ts';
import type { KernelLog, LogLine } from '../host.ts';

/** KERN_INFO, for text in which `dmesg` left the levels out. */
const UNKNOWN_LEVEL = 6;

const DMESG = /^(?:<(\d+)>)?\[\s*(\d+\.\d+)\](?:\[[ TC]\d+\])? ?(.*)$/;
const KMSG = /^(\d+),(\d+),(\d+),[^;]*;(.*)$/;

/** Lines in order. A line without a time stamp continues the one before. Sequence numbers count from 0 where the text has none. */
export function parseKernelLog(text: string): LogLine[] {
  const lines: { seconds: number; level: number; text: string; sequence: number }[] = [];
  for (const line of text.split('\n')) {
    const kmsg = KMSG.exec(line);
    const dmesg = kmsg === null ? DMESG.exec(line) : null;
    if (kmsg) lines.push({ seconds: Number(kmsg[3]) / 1e6, level: Number(kmsg[1]) & 7, text: kmsg[4] as string, sequence: Number(kmsg[2]) });
    else if (dmesg) {
      const level = dmesg[1] === undefined ? UNKNOWN_LEVEL : Number(dmesg[1]) & 7;
      lines.push({ seconds: Number(dmesg[2]), level, text: dmesg[3] as string, sequence: (lines.at(-1)?.sequence ?? -1) + 1 });
    } else if (lines.length > 0 && line !== '' && !/^ [A-Z]+=/.test(line)) (lines.at(-1) as { text: string }).text += `\n${line}`;
  }
  return lines;
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
