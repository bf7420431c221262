/** How much a capture may hold. A capture is read into memory, so an archive that says more than this is not opened. */
import { UnseatError } from '../../errors/unseat-error.ts';
import { formatBytes } from '../../range/units.ts';

export interface CaptureLimits {
  /** Entries of all kinds. A machine with 65,536 memory blocks has about 1.2 million files below /sys. */
  readonly entries: number;
  /** Bytes of one file. */
  readonly fileBytes: number;
  /** Bytes of everything after decompression, tar headers included. */
  readonly totalBytes: number;
  /** Bytes of one path. PATH_MAX of Linux. */
  readonly pathBytes: number;
}

export const DEFAULT_LIMITS: CaptureLimits = {
  entries: 3_000_000,
  fileBytes: 256 * 1024 * 1024,
  totalBytes: 2 * 1024 * 1024 * 1024,
  pathBytes: 4096,
};

/** The error for an archive that is larger than a capture can sensibly be. */
export function tooLarge(archive: string, what: string, seen: number, limit: number, unit: 'bytes' | 'entries'): UnseatError {
  const show = (n: number): string => (unit === 'bytes' ? `${n} bytes (${formatBytes(n)})` : `${n} entries`);
  return new UnseatError('UNSAFE_CAPTURE', `${what} exceeds what a capture may hold`, {
    subject: archive,
    seen: `${show(seen)}, limit ${show(limit)}`,
    next: 'Do not open this archive unless you know who made it; a capture made by unseat is never this large.',
    data: { seen, limit, unit },
  });
}

/** The error for an archive that would reach outside of itself. */
export function reachesOutside(archive: string, entry: string, why: string): UnseatError {
  return new UnseatError('UNSAFE_CAPTURE', why, {
    subject: archive,
    seen: JSON.stringify(entry),
    next: 'Nothing was unpacked. Make the capture again with names relative to its top directory.',
  });
}

/** The error for an archive that is damaged or is none. */
export function badCapture(archive: string, line: string, cause: string, next?: string): UnseatError {
  return new UnseatError('BAD_CAPTURE', line, {
    subject: archive,
    cause,
    next: next ?? 'Copy the archive again and compare its checksum with the original, or take the capture anew.',
  });
}
