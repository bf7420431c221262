/**
 * /proc/PID/maps as text. Format: fs/proc/task_mmu.c, show_map_vma() and show_vma_header_prefix(); the name is printed
 * by seq_path() with only newline escaped (as `\012`), so a backslash in a name stands for itself. A name may hold any
 * other byte, blanks at both ends included, and the kernel appends ` (deleted)` for an unlinked file.
 */
import type { Mapping } from '../processes.ts';
import type { ByteString } from '../host.ts';

/** Decodes `\012` where it stands for a newline. A file that is really named with a backslash and 012 looks the same. */
export const unescapeMapsName = (name: ByteString): ByteString => (name.includes('\\012') ? name.replaceAll('\\012', '\n') : name);

/** Any byte but newline may stand in the name: `.` would stop at a carriage return. */
const LINE = /^([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([-r][-w][-x][-sp]) ([0-9a-f]{1,16}) ([0-9a-f]{2,}):([0-9a-f]{2,}) (\d+)(?: +([\s\S]*))?$/;

/** One line without its newline; null where it is none. */
export function parseMapsLine(line: ByteString): Mapping | null {
  const m = LINE.exec(line);
  if (m === null) return null;
  const [, start, end, perms, offset, major, minor, ino, name] = m as unknown as string[];
  return {
    start: parseInt(start as string, 16),
    end: parseInt(end as string, 16),
    perms: perms as string,
    offset: parseInt(offset as string, 16),
    dev: `${parseInt(major as string, 16)}:${parseInt(minor as string, 16)}`,
    ino: Number(ino),
    name: unescapeMapsName(name ?? ''),
  };
}

export interface ParsedMaps {
  readonly mappings: readonly Mapping[];
  /** Lines that are no mapping, first ones only; empty for what a kernel prints. */
  readonly malformed: readonly string[];
}

/** The whole file, as bytes or as a ByteString. With `keep`, only mappings for which it says yes are kept. */
export function parseMaps(content: Uint8Array | ByteString, keep?: (mapping: Mapping) => boolean): ParsedMaps {
  const text = typeof content === 'string' ? content : Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
  const mappings: Mapping[] = [];
  const malformed: string[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const mapping = parseMapsLine(line);
    if (mapping === null) {
      if (malformed.length < 3) malformed.push(line.slice(0, 120));
    } else if (keep === undefined || keep(mapping)) mappings.push(mapping);
  }
  return { mappings, malformed };
}
