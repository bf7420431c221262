/**
 * Label namespaces carved one after the other out of a region, as `ndctl create-namespace -s SIZE -m MODE -a ALIGN`
 * does, each with what it yields or the error it ends in. A refused one takes no space.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { PhysRange } from '../../range/phys-range.ts';
import { MiB, parseSize, SUBSECTION_SIZE } from '../../range/units.ts';
import { dataRange } from './info-block.ts';
import { misalignedSize, misalignedStart, REGION_ALIGN } from './modes.ts';
import type { LayoutError, LayoutMode } from './types.ts';

export interface NamespaceRequest {
  /** Bytes. */
  readonly size: number;
  readonly mode: LayoutMode;
  /** -a, bytes; null for the default (2 MiB). */
  readonly align: number | null;
}

export interface NamespaceVerdict {
  readonly request: NamespaceRequest;
  readonly name: string;
  readonly range: PhysRange | null;
  readonly usable: PhysRange | null;
  readonly error: LayoutError | null;
}

/** The smallest arena of a BTT (drivers/nvdimm/btt.h, ARENA_MIN_SIZE); the namespace must be larger. */
const BTT_MIN = 16 * MiB;
const MODES: readonly LayoutMode[] = ['raw', 'fsdax-mem', 'fsdax-dev', 'devdax', 'sector'];

/** `16M`, `32M:devdax`, `18M:fsdax-mem:4096`. Throws UnseatError USAGE. */
export function parseNamespace(text: string): NamespaceRequest {
  const [size, mode = 'fsdax-mem', align] = text.split(':');
  const bytes = parseSize(size ?? '');
  const alignment = align === undefined ? null : parseSize(align);
  if (!bytes || !MODES.includes(mode as LayoutMode) || (align !== undefined && !alignment)) {
    throw new UnseatError('USAGE', `"${text}" is no namespace`, { next: `Write SIZE[:MODE[:ALIGN]] with MODE one of ${MODES.join(', ')}, for example 32M:devdax.` });
  }
  return { size: bytes, mode: mode as LayoutMode, align: alignment };
}

/** `regionAlign` is what region/align holds (16 MiB by default; an NVDIMM region takes 2 MiB or 4 KiB as well). */
export function carveNamespaces(region: PhysRange, requests: readonly NamespaceRequest[], pageSize: number, regionAlign = REGION_ALIGN): NamespaceVerdict[] {
  let next = region.start;
  let index = 0;
  return requests.map((request) => {
    const verdict = one(request, `namespace0.${index}`, next, region, pageSize, regionAlign);
    if (verdict.error === null) {
      next += request.size;
      index += 1;
    }
    return verdict;
  });
}

function one(request: NamespaceRequest, name: string, start: number, region: PhysRange, pageSize: number, regionAlign: number): NamespaceVerdict {
  const range = { start, end: start + request.size };
  const fail = (error: LayoutError): NamespaceVerdict => ({ request, name, range: null, usable: null, error });
  const size = misalignedSize('region0', request.size, regionAlign);
  if (size) return fail(size);
  if (range.end > region.end) return fail({ from: 'ndctl', code: 'ENOSPC', text: 'the region has no room left for a namespace of this size' });
  if (request.mode === 'sector') {
    if (request.size <= BTT_MIN) return fail({ from: 'ndctl', code: '237', text: 'btt0.0: failed to enable' });
    return { request, name, range, usable: range, error: null };
  }
  if (request.mode === 'raw') return { request, name, range, usable: range, error: null };
  const misaligned = misalignedStart(name, start);
  if (misaligned) return fail(misaligned);
  const usable = dataRange(range, request.mode === 'fsdax-dev' ? 'dev' : 'mem', request.align ?? SUBSECTION_SIZE, pageSize);
  if (!usable) return fail({ from: 'kernel', code: 'ENXIO', text: `${name} unable to satisfy requested alignment` });
  return { request, name, range, usable, error: null };
}
