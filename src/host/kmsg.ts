/** The two forms in which the kernel hands out its log (Documentation/ABI/testing/dev-kmsg, syslog(2)). */
import type { LogLine } from './host.ts';

/**
 * One record of /dev/kmsg: `prefix,sequence,microseconds,flags[,...];text`, then lines of ` KEY=value`. The low three
 * bits of the prefix are the level. Undefined where it does not have that form.
 */
export function parseKmsgRecord(bytes: Uint8Array): LogLine | undefined {
  const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const head = /^(\d+),(\d+),(\d+),[^;\n]*;([^\n]*)/.exec(record);
  if (head === null) return undefined;
  const [, prefix = '', sequence = '', microseconds = '', text = ''] = head;
  return { level: Number(prefix) & 7, sequence: Number(sequence), seconds: Number(microseconds) / 1e6, text: decode(text) };
}

/** Bytes that do not print are written as `\xNN`, the backslash itself too. */
function decode(text: string): string {
  const bytes = text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Lines as syslog(2) and `dmesg` print them: `<6>[    1.234567] text`, the level and the time each optional. */
export function parseSyslog(text: string, firstSequence = 0): LogLine[] {
  const lines: LogLine[] = [];
  let level = 6;
  let seconds = 0;
  for (const line of text.split('\n')) {
    const head = /^(?:<(\d+)>)?(?:\[ *(\d+\.\d+)\] ?)?(.*)$/.exec(line);
    if (line === '' || head === null) continue;
    if (head[1] !== undefined) level = Number(head[1]) & 7;
    if (head[2] !== undefined) seconds = Number(head[2]);
    lines.push({ level, seconds, text: head[3] ?? '', sequence: firstSequence + lines.length });
  }
  return lines;
}
