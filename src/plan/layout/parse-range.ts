/**
 * RANGE arguments. As in the kernel's memmap= (Documentation/admin-guide/kernel-parameters.txt): `SIZE!START` pmem,
 * `SIZE$START` reserved, `SIZE@START` RAM; as in iomem `START-END`; or `START+SIZE`. A prefix `ram:`, `pmem:` or
 * `reserved:` says the kind; without one, START-END and START+SIZE are pmem.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import { formatAddress, parseSize } from '../../range/units.ts';
import type { LayoutKind, LayoutRange } from './types.ts';

/** Physical addresses end here (52 bits on x86-64 and arm64). */
const ADDRESS_LIMIT = 2 ** 52;
const BY_SIGN: Readonly<Record<string, LayoutKind>> = { '!': 'pmem', '$': 'reserved', '@': 'ram' };

/** Reads one RANGE; throws UnseatError USAGE with what is wrong. `pageSize` in bytes. */
export function parseRange(text: string, pageSize = 4096): LayoutRange {
  const prefix = /^(ram|pmem|reserved):/.exec(text);
  const body = prefix ? text.slice(prefix[0].length) : text;
  const memmap = /^([^!$@]+)([!$@])([^!$@]+)$/.exec(body.replace(/^memmap=/, ''));
  if (memmap) {
    const kind = BY_SIGN[memmap[2] ?? ''];
    if (prefix && prefix[1] !== kind) throw wrong(text, `the prefix says ${prefix[1]}, the sign ${memmap[2]} means ${kind}`);
    return make(text, kind ?? 'pmem', number(text, memmap[3] ?? ''), number(text, memmap[1] ?? ''), pageSize);
  }
  const kind = (prefix?.[1] ?? 'pmem') as LayoutKind;
  const plus = /^([^+-]+)\+([^+-]+)$/.exec(body);
  if (plus) return make(text, kind, number(text, plus[1] ?? ''), number(text, plus[2] ?? ''), pageSize);
  const dash = /^([^+-]+)-([^+-]+)$/.exec(body);
  if (!dash) throw wrong(text, 'it is none of SIZE!START, START-END, START+SIZE');
  const start = hex(text, dash[1] ?? '');
  const end = hex(text, dash[2] ?? '');
  if (end < start) throw wrong(text, 'its end lies before its start');
  // iomem prints the last byte; people also write the first byte after. At page granularity the two cannot be confused.
  return make(text, kind, start, (end + 1) % pageSize === 0 ? end + 1 - start : end - start, pageSize);
}

function make(text: string, kind: LayoutKind, start: number, size: number, pageSize: number): LayoutRange {
  if (size === 0) throw wrong(text, 'it is empty');
  if (start + size > ADDRESS_LIMIT) throw wrong(text, `it ends above ${formatAddress(ADDRESS_LIMIT)}, the highest physical address`);
  if (start % pageSize !== 0 || size % pageSize !== 0) throw wrong(text, `start and size must be multiples of the page size, ${pageSize} bytes`);
  return { kind, start, end: start + size, text };
}

function number(text: string, part: string): number {
  const value = parseSize(part);
  if (value === null || value < 0) throw wrong(text, `"${part}" is no size or address`);
  return value;
}

/** iomem prints hexadecimal without 0x; `100000000-11fffffff` is read as that, `64M` as a size. */
function hex(text: string, part: string): number {
  if (/^[0-9a-f]{6,}$/i.test(part)) return Number.parseInt(part, 16);
  return number(text, part);
}

const wrong = (text: string, cause: string): UnseatError =>
  new UnseatError('USAGE', `"${text}" is no range`, { cause, next: 'Write it as 64M!0x46000000, 0x46000000-0x49ffffff or 0x46000000+64M, with ram:, pmem: or reserved: in front where it matters.' });
