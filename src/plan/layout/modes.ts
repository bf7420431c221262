/** What each mode makes of a pmem range on kernels with sub-section hotplug (5.3 and later). */
import { alignDown } from '../../range/phys-range.ts';
import { MiB, SUBSECTION_SIZE } from '../../range/units.ts';
import { dataRange } from './info-block.ts';
import type { LayoutError, LayoutMachine, LayoutMode, LayoutRange, ModeVerdict } from './types.ts';

/** Default of region/align, and what ndctl asks of a start: drivers/nvdimm/region_devs.c (5.7), ndctl check_dax_align(). */
export const REGION_ALIGN = 16 * MiB;

/** `[mem 0x46110000-0x49d10fff flags 0x200]` as %pr prints a resource (lib/vsprintf.c, resource_string()). */
export const resourceText = (r: { start: number; end: number }): string =>
  `[mem 0x${r.start.toString(16).padStart(8, '0')}-0x${(r.end - 1).toString(16).padStart(8, '0')} flags 0x200]`;

const works = (mode: LayoutMode, by: ModeVerdict['by'], usable: { start: number; end: number }, lostAtEnd = 0, remark: string | null = null): ModeVerdict =>
  ({ mode, by, works: true, usable, lostAtStart: 0, lostAtEnd, errors: [], remark });
const refused = (mode: LayoutMode, by: ModeVerdict['by'], ...errors: LayoutError[]): ModeVerdict =>
  ({ mode, by, works: false, usable: null, lostAtStart: 0, lostAtEnd: 0, errors, remark: null });

/** ndctl refuses a size that is no multiple of the region's align (exit status 234). */
export function misalignedSize(region: string, size: number, align: number): LayoutError | null {
  if (size % align === 0) return null;
  return { from: 'ndctl', code: '234', text: `Error: create namespace: ${region}: align setting is 0x${align.toString(16)} size 0x${size.toString(16)} is misaligned` };
}

/** ndctl refuses a start that is no multiple of 16 MiB, whatever the region's align (check_dax_align(), exit 237). */
export function misalignedStart(namespace: string, start: number): LayoutError | null {
  if (start % REGION_ALIGN === 0) return null;
  return { from: 'ndctl', code: '237', text: `${namespace} misaligned to 16M, adjust region alignment and retry` };
}

/** Verdicts for a range that is a region of its own, as memmap= or firmware makes it: region `region`, one namespace. */
export function modesOf(range: LayoutRange, region: string, machine: LayoutMachine): readonly ModeVerdict[] {
  const number = region.slice('region'.length);
  const namespace = `namespace${number}.0`;
  return [raw(range, namespace), ...byNdctl(range, region, namespace, machine), byHand(range, `pfn${number}.0`, namespace, machine)];
}

/** drivers/nvdimm/namespace_devs.c, nvdimm_namespace_common_probe(): start and end must be multiples of 2 MiB. */
function raw(range: LayoutRange, namespace: string): ModeVerdict {
  if (range.start % SUBSECTION_SIZE === 0 && range.end % SUBSECTION_SIZE === 0) return works('raw', 'boot', { start: range.start, end: range.end });
  return refused('raw', 'boot', { from: 'kernel', code: 'EOPNOTSUPP', text: `nd_pmem ${namespace}: ${resourceText(range)} misaligned, unable to map` });
}

function byNdctl(range: LayoutRange, region: string, namespace: string, machine: LayoutMachine): ModeVerdict[] {
  const size = misalignedSize(region, range.end - range.start, REGION_ALIGN);
  const modes = ['fsdax-mem', 'fsdax-dev', 'devdax'] as const;
  if (size) return modes.map((mode) => refused(mode, 'ndctl', size));
  return modes.map((mode) => {
    // On a region without labels fsdax with its struct pages in RAM is the raw namespace itself: no info block.
    if (mode === 'fsdax-mem') return works(mode, 'ndctl', { start: range.start, end: range.end });
    const start = misalignedStart(namespace, range.start);
    if (start) return refused(mode, 'ndctl', start);
    const data = dataRange(range, mode === 'fsdax-dev' ? 'dev' : 'mem', SUBSECTION_SIZE, machine.geometry.pageSize);
    return data ? works(mode, 'ndctl', data, range.end - data.end) : refused(mode, 'ndctl', tooSmall(namespace));
  });
}

/** drivers/nvdimm/pfn_devs.c, nd_pfn_validate() and nd_pfn_init(): the start must be aligned, the tail is dropped. */
function byHand(range: LayoutRange, pfn: string, namespace: string, machine: LayoutMachine): ModeVerdict {
  if (range.start % SUBSECTION_SIZE !== 0) {
    return refused('fsdax-mem', 'sysfs', {
      from: 'kernel', code: 'EINVAL',
      text: `nd_pmem ${pfn}: ${namespace}: start 0x${range.start.toString(16).padStart(16, '0')} misaligned to 0x${SUBSECTION_SIZE.toString(16)}`,
    });
  }
  const data = dataRange(range, 'mem', SUBSECTION_SIZE, machine.geometry.pageSize);
  if (!data) return refused('fsdax-mem', 'sysfs', tooSmall(namespace));
  const lost = range.end - alignDown(range.end, SUBSECTION_SIZE);
  return works('fsdax-mem', 'sysfs', data, lost, lost > 0 ? 'the tail that does not fill a 2 MiB sub-section is dropped without a word' : null);
}

const tooSmall = (namespace: string): LayoutError => ({ from: 'kernel', code: 'ENXIO', text: `${namespace} unable to satisfy requested alignment` });
