/** Units of the kernel's memory model, in bytes, and the words people use for sizes. */
export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const TiB = 1024 * GiB;

/** Sub-sections are 2 MiB wherever SPARSEMEM_VMEMMAP is used (SUBSECTION_SHIFT, include/linux/mmzone.h, since 5.3). */
export const SUBSECTION_SIZE = 2 * MiB;

/** Page and section sizes by architecture (SECTION_SIZE_BITS in arch/<arch>/include/asm/sparsemem.h). */
export interface MemoryGeometry {
  /** Bytes of a base page. */
  readonly pageSize: number;
  /** Bytes of a SPARSEMEM section. */
  readonly sectionSize: number;
  /** Bytes that a PMD entry maps. */
  readonly pmdSize: number;
  /** Bytes that a PUD entry maps. */
  readonly pudSize: number;
}

const X86_64: MemoryGeometry = { pageSize: 4 * KiB, sectionSize: 128 * MiB, pmdSize: 2 * MiB, pudSize: GiB };

/**
 * Geometry by `uname -m` and page size in bytes. Returns null for an architecture or page size that is not known here;
 * callers say so and do without section arithmetic.
 */
export function geometryOf(arch: string, pageSize: number): MemoryGeometry | null {
  if (arch === 'x86_64' && pageSize === 4 * KiB) return X86_64;
  if (arch === 'aarch64' && pageSize === 4 * KiB) return { pageSize, sectionSize: 128 * MiB, pmdSize: 2 * MiB, pudSize: GiB };
  if (arch === 'aarch64' && pageSize === 16 * KiB) return { pageSize, sectionSize: 128 * MiB, pmdSize: 32 * MiB, pudSize: 64 * GiB };
  if (arch === 'aarch64' && pageSize === 64 * KiB) return { pageSize, sectionSize: 512 * MiB, pmdSize: 512 * MiB, pudSize: 4 * TiB };
  if (arch === 'ppc64le') return { pageSize, sectionSize: 16 * MiB, pmdSize: pageSize === 64 * KiB ? 2 * MiB : 16 * MiB, pudSize: GiB };
  if (arch === 's390x' && pageSize === 4 * KiB) return { pageSize, sectionSize: 128 * MiB, pmdSize: MiB, pudSize: 2 * GiB };
  if (arch === 'riscv64' && pageSize === 4 * KiB) return { pageSize, sectionSize: 128 * MiB, pmdSize: 2 * MiB, pudSize: GiB };
  return null;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** A size for people: `126 MiB`, `1.5 GiB`, `510 MiB`. At most two decimals, exact where it can be. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const text = Number.isInteger(value) ? String(value) : value.toFixed(2).replace(/\.?0+$/, '');
  return `${text} ${UNITS[unit]}`;
}

/** A physical address as the kernel prints it in messages: `0x100000000`. */
export const formatAddress = (address: number): string => `0x${address.toString(16)}`;

/** A half-open range as people read it, with the last byte included: `0x100000000-0x11fffffff`. */
export const formatRange = (r: { start: number; end: number }): string => `${formatAddress(r.start)}-${formatAddress(Math.max(r.start, r.end - 1))}`;

/**
 * Parses `512M`, `1GiB`, `0x46000000`, `33554432`. Units are powers of 1024 as in the kernel's `memparse()`.
 * Returns null where the text is no size or exceeds 2^53-1.
 */
export function parseSize(text: string): number | null {
  const m = /^(0x[0-9a-f]+|\d+(?:\.\d+)?)\s*([kmgtp])?(?:i?b)?$/i.exec(text.trim());
  if (!m) return null;
  const scale = m[2] ? 1024 ** ('kmgtp'.indexOf(m[2].toLowerCase()) + 1) : 1;
  const value = Number(m[1]) * scale;
  return Number.isSafeInteger(value) ? value : null;
}
