/** Text listings that stand in a capture for what cannot be copied: descriptors, nodes of /dev, files not readable. */
import type { OpenFile } from '../processes.ts';
import type { ByteString } from '../host.ts';
import type { DeviceNode } from './files.ts';

/** `ls -l` (coreutils and BusyBox): mode, links, owner, group, size, three words of date, then the name. */
const FD_LINE = /^l[rwxsStT-]{9}[.+@]?\s+\d+\s+\S+\s+\S+\s+\d+\s+\S+\s+\S+\s+\S+\s+(\d+) -> ([\s\S]*)$/;

/**
 * `ls -l /proc/PID/fd`. A target may hold newlines, which `ls` prints as they are: a line that is no entry belongs to
 * the target before it. The text is a ByteString.
 */
export function parseFdListing(text: ByteString): OpenFile[] {
  const files: { fd: number; target: ByteString }[] = [];
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const entry = FD_LINE.exec(line);
    if (entry) files.push({ fd: Number(entry[1]), target: entry[2] as string });
    else if (files.length > 0) (files.at(-1) as { target: string }).target += `\n${line}`;
  }
  return files;
}

const DEV_LINE = /^([cb])[rwxsStT-]{9}[.+@]?\s+\d+\s+\S+\s+\S+\s+(\d+),\s*(\d+)\s+\S+\s+\S+\s+\S+\s+(\S.*)$/;

/** `ls -l /dev`: char and block nodes by name. Null where the text has none, and is no such listing. */
export function parseDevListing(text: string): Map<string, DeviceNode> | null {
  const nodes = new Map<string, DeviceNode>();
  for (const line of text.split('\n')) {
    const m = DEV_LINE.exec(line);
    if (m) nodes.set(m[4] as string, { kind: m[1] === 'c' ? 'char' : 'block', rdev: `${Number(m[2])}:${Number(m[3])}` });
  }
  return nodes.size === 0 ? null : nodes;
}

/** `unreadable.txt`: a path, then why, as `read Input/output error`, `not-readable mode 200` or `left-out`. */
export function parseUnreadable(text: string): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const line of text.split('\n')) {
    const m = /^(\/.*?) ((?:read|open|not-readable) .*|left-out)$/.exec(line);
    if (m) reasons.set(m[1] as string, m[2] as string);
  }
  return reasons;
}
