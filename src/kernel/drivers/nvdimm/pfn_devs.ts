/**
 * The info block of a pmem namespace and how two generations of kernels write and read it (drivers/nvdimm/pfn_devs.c,
 * pfn.h, claim.c: 5.2 and 5.10 to 7.2; "7c", "7d").
 *
 * A namespace in fsdax or devdax mode begins with an info block that says how much is left out at its start
 * (`start_pad`) and end (`end_trunc`), where the data begins (`dataoff`, which counts from the base of the *namespace*,
 * not from the padded start) and how many pages there are. Kernels to 5.2 pad a namespace that shares a section with
 * RAM; kernels from 5.3 on never do, but read such blocks. Block I/O adds the padding, the DAX path does not: with a
 * start_pad the two see different bytes.
 */
import { alignDown, alignUp, type PhysRange } from '../../../range/phys-range.ts';
import { MiB } from '../../../range/units.ts';
import { EBUSY, EINVAL, ENXIO, EOPNOTSUPP } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { hex, hex16, KERN_ERR, KERN_INFO } from '../../printk.ts';
import { regionIntersectsRam } from '../../resource.ts';

const KiB8 = 8192;
/** Label area that 5.2 leaves behind the info block (dax_label_reserve). */
const KiB128 = 128 * 1024;
/** Bytes that the memmap needs for each page (MAX_STRUCT_PAGE_SIZE). */
const STRUCT_PAGE = 64;

/** struct nd_pfn_sb as far as it decides anything; bytes. */
export interface InfoBlock {
  /** Minor version: 3 from 4.19, 4 (page sizes) from 5.4. */
  readonly minor: number;
  readonly mode: 'ram' | 'pmem';
  readonly startPad: number;
  readonly endTrunc: number;
  readonly dataoff: number;
  readonly npfns: number;
  readonly align: number;
  /** 0 where the version does not say. */
  readonly pageSize: number;
  readonly pageStructSize: number;
}

export interface PfnInput {
  readonly name: string;
  /** The namespace; bytes, half open. */
  readonly range: PhysRange;
  /** Where the memmap goes: in RAM, or on the device (`pmem`). */
  readonly mode: 'ram' | 'pmem';
  readonly align: number;
  /** Other namespaces of the same region (nd_region_conflict). */
  readonly neighbours?: readonly PhysRange[];
}

/** memremap_compat_align(): 2 MiB on x86-64, a sub-section. */
export const memremapCompatAlign = (k: Kernel): number => Math.max(k.sparse.ppss * k.geo.pageSize, 2 * MiB);

/**
 * A raw namespace (nd_pmem without info block): 0, or -EOPNOTSUPP with "misaligned, unable to map" (5.7 on; kernels
 * before it try).
 */
export function mapRawNamespace(k: Kernel, name: string, range: PhysRange): number {
  const unit = memremapCompatAlign(k);
  if (k.mechanism('section.map-alignment-check') === 'none' || (range.start % unit === 0 && range.end % unit === 0)) return 0;
  k.log.write(KERN_ERR, `nd_pmem ${name}: [mem ${hex(range.start).padEnd(10)}-${hex(range.end - 1)} flags 0x200] misaligned, unable to map`);
  return -EOPNOTSUPP;
}

/** trim_pfn_device (to 5.2): what is left out so that no section is shared with RAM or another namespace. */
function sectionPads(k: Kernel, input: PfnInput): readonly [number, number] {
  const { start, end } = input.range;
  const unit = k.geo.sectionSize;
  const shared = (from: number, to: number): boolean =>
    regionIntersectsRam(k, from, to - from) !== 'disjoint' || (input.neighbours ?? []).some((other) => other.start < to && from < other.end);
  const pad = shared(alignDown(start, unit), end) ? alignUp(start, unit) - start : 0;
  const trunc = shared(start, alignUp(end, unit)) || end % unit !== 0 ? end - alignDown(end, unit) : 0;
  if (pad + trunc > 0) k.log.write(KERN_INFO, `nd_pmem ${input.name}: alignment collision, truncate ${pad + trunc} bytes`);
  return [pad, trunc];
}

/** nd_pfn_init of this kernel: the info block of a new namespace, or -errno. */
export function ndPfnInit(k: Kernel, input: PfnInput): InfoBlock | number {
  return k.mechanism('section.nvdimm-pads') === 'start-pad-end-trunc' ? initPadded(k, input) : initExact(k, input);
}

function initExact(k: Kernel, input: PfnInput): InfoBlock | number {
  const { start, end } = input.range;
  const unit = memremapCompatAlign(k);
  const align = Math.max(input.align, unit);
  if (start % unit !== 0) {
    k.log.write(KERN_ERR, `nd_pmem ${input.name}: namespace0.0: start ${hex16(start)} misaligned to ${hex(unit)}`);
    return -EINVAL;
  }
  const endTrunc = end - alignDown(end, align);
  const npfns = (end - start - KiB8) / k.geo.pageSize;
  const head = input.mode === 'pmem' ? KiB8 + STRUCT_PAGE * Math.floor(npfns) : KiB8;
  const dataoff = alignUp(start + head, align) - start;
  if (dataoff >= end - start - endTrunc) {
    k.log.write(KERN_ERR, `nd_pmem ${input.name}: unable to satisfy requested alignment`);
    return -ENXIO;
  }
  return block(k, input, { startPad: 0, endTrunc, dataoff, npfns: (end - start - dataoff - endTrunc) / k.geo.pageSize, align: input.align });
}

function initPadded(k: Kernel, input: PfnInput): InfoBlock | number {
  const [startPad, endTrunc] = sectionPads(k, input);
  const start = input.range.start + startPad;
  const size = input.range.end - endTrunc - start;
  if (size <= KiB8) return -ENXIO;
  const { pps } = k.sparse;
  const npfns = Math.ceil((size - KiB8) / k.geo.pageSize / pps) * pps;
  const head = KiB8 + KiB128 + (input.mode === 'pmem' ? STRUCT_PAGE * npfns : 0);
  const align = input.mode === 'pmem' ? Math.max(input.align, 2 * MiB) : input.align;
  const dataoff = alignUp(start + head, align) - start;
  if (dataoff >= size) {
    k.log.write(KERN_ERR, `nd_pmem ${input.name}: unable to satisfy requested alignment`);
    return -ENXIO;
  }
  return block(k, input, { startPad, endTrunc, dataoff, npfns: (size - dataoff) / k.geo.pageSize, align: input.align });
}

function block(k: Kernel, input: PfnInput, part: Pick<InfoBlock, 'startPad' | 'endTrunc' | 'dataoff' | 'npfns' | 'align'>): InfoBlock {
  const records = k.mechanism('section.info-block-records-page-size');
  return { minor: records ? 4 : 3, mode: input.mode, pageSize: records ? k.geo.pageSize : 0, pageStructSize: records ? STRUCT_PAGE : 0, ...part };
}

/** What a kernel makes of an info block. Bytes. */
export interface Claimed {
  /** The range that gets struct pages. */
  readonly mapped: PhysRange;
  /** First byte of the data as block I/O reads it, and as the DAX path maps it. */
  readonly blockData: number;
  readonly daxData: number;
  readonly npfns: number;
}

/** nd_pfn_validate and __nvdimm_setup_pfn: the claim, or -errno. Blocks older than 1.4 are taken at this kernel's page size. */
export function ndPfnClaim(k: Kernel, name: string, range: PhysRange, sb: InfoBlock): Claimed | number {
  const refuse = (text: string, errno: number): number => {
    k.log.write(KERN_ERR, `nd_pmem ${name}: ${text}`);
    return -errno;
  };
  if (k.mechanism('section.info-block-records-page-size') && sb.minor >= 4) {
    if (sb.pageSize !== k.geo.pageSize) return refuse(`init failed, page size mismatch ${sb.pageSize}`, EOPNOTSUPP);
    if (sb.pageStructSize < STRUCT_PAGE) return refuse(`init failed, struct page size mismatch ${sb.pageStructSize}`, EOPNOTSUPP);
  }
  const base = range.start + sb.startPad;
  if ((base + sb.dataoff) % Math.max(sb.align, k.geo.pageSize) !== 0) return refuse(`bad offset: ${hex(sb.dataoff)} dax disabled align: ${hex(sb.align)}`, ENXIO);
  const unit = memremapCompatAlign(k);
  if (k.mechanism('section.map-alignment-check') === 'refused') {
    if (base % unit !== 0) return refuse('resource start misaligned', EOPNOTSUPP);
    if ((range.end - sb.endTrunc) % unit !== 0) return refuse('resource end misaligned', EOPNOTSUPP);
  }
  if (sb.dataoff >= range.end - range.start) return refuse('pfn array size exceeds capacity of namespace', EBUSY);
  const mapped = { start: base, end: range.end - sb.endTrunc };
  return { mapped, blockData: base + sb.dataoff, daxData: range.start + sb.dataoff, npfns: sb.npfns };
}

/** Usable bytes of a claim: what the block device has. */
export const usableBytes = (k: Kernel, claimed: Claimed): number => claimed.npfns * k.geo.pageSize;
