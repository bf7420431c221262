/**
 * What each mode makes of a pmem range on the generation before sub-section hotplug (5.2): whole sections only,
 * libnvdimm pads. Source: kernel/memremap.c, devm_memremap_pages() and drivers/nvdimm/pfn_devs.c, trim_pfn_device()
 * and nd_pfn_init(), 5.2. None of it was run.
 */
import { alignDown, alignUp, overlaps, type PhysRange } from '../../range/phys-range.ts';
import { INFO_BLOCK, STRUCT_PAGE } from './info-block.ts';
import { resourceText } from './modes.ts';
import type { LayoutError, LayoutMachine, LayoutMode, LayoutRange, ModeVerdict } from './types.ts';

/** `earlier` are the pmem ranges that are mapped before this one (lower addresses probe first). */
export function modesOn52(range: LayoutRange, region: string, all: readonly LayoutRange[], earlier: readonly LayoutRange[], machine: LayoutMachine): readonly ModeVerdict[] {
  const number = region.slice('region'.length);
  const namespace = `namespace${number}.0`;
  const modes = ['fsdax-mem', 'fsdax-dev', 'devdax'] as const;
  return [raw(range, namespace, all, earlier, machine), ...modes.map((mode) => padded(range, mode, `pfn${number}.0`, namespace, all, machine))];
}

/** devm_memremap_pages() widens the range to whole sections and then looks for System RAM and for other pagemaps. */
function raw(range: LayoutRange, namespace: string, all: readonly LayoutRange[], earlier: readonly LayoutRange[], machine: LayoutMachine): ModeVerdict {
  const unit = machine.geometry.sectionSize;
  const wide = { start: alignDown(range.start, unit), end: alignUp(range.end, unit) };
  const base = { mode: 'raw', by: 'boot', lostAtStart: 0, lostAtEnd: 0 } as const;
  const fail = (error: LayoutError): ModeVerdict => ({ ...base, works: false, usable: null, errors: [error], remark: null });
  const edge = earlier.find((r) => overlaps(r, { start: wide.start, end: wide.start + 1 }) || overlaps(r, { start: wide.end - 1, end: wide.end }));
  if (edge) return fail({ from: 'kernel', code: 'ENOMEM', text: `nd_pmem ${namespace}: Conflicting mapping in same section` });
  if (all.some((r) => r.kind === 'ram' && overlaps(r, wide))) {
    return fail({ from: 'kernel', code: 'ENXIO', text: `devm_memremap_pages attempted on mixed region ${resourceText(range)}` });
  }
  const silent = earlier.some((r) => overlaps(r, wide));
  const remark = silent ? 'not refused although a section is shared: __add_pages() passes over EEXIST, and removing one takes the memmap of both' : null;
  return { ...base, works: true, usable: { start: range.start, end: range.end }, errors: [], remark };
}

function padded(range: LayoutRange, mode: LayoutMode, pfn: string, namespace: string, all: readonly LayoutRange[], machine: LayoutMachine): ModeVerdict {
  const unit = machine.geometry.sectionSize;
  const align = machine.geometry.pmdSize;
  const others = all.filter((r) => r !== range && (r.kind === 'ram' || r.kind === 'pmem'));
  const meets = (r: PhysRange): boolean => others.some((o) => overlaps(o, r));
  const pad = meets({ start: alignDown(range.start, unit), end: range.end }) ? alignUp(range.start, unit) - range.start : 0;
  const cut = meets({ start: range.start, end: alignUp(range.end, unit) }) || range.end % align !== 0;
  const truncated = cut ? range.end - Math.min(alignDown(range.end, unit), alignDown(range.end, align)) : 0;
  const data = afterInfoBlock({ start: range.start + pad, end: range.end - truncated }, mode, align, machine);
  const said = pad + truncated > 0 ? `nd_pmem ${pfn}: ${namespace} alignment collision, truncate ${pad + truncated} bytes` : null;
  const base = { mode, by: 'ndctl', lostAtStart: pad, lostAtEnd: truncated } as const;
  if (data) return { ...base, works: true, usable: data, errors: [], remark: said };
  const error: LayoutError = { from: 'kernel', code: 'ENXIO', text: `nd_pmem ${pfn}: ${namespace} unable to satisfy requested alignment` };
  return { ...base, works: false, usable: null, errors: [error], remark: said };
}

function afterInfoBlock(r: PhysRange, mode: LayoutMode, align: number, machine: LayoutMachine): PhysRange | null {
  if (r.end <= r.start) return null;
  const perSection = machine.geometry.sectionSize / machine.geometry.pageSize;
  const pages = alignUp(Math.ceil((r.end - r.start - INFO_BLOCK) / machine.geometry.pageSize), perSection);
  const start = alignUp(r.start + INFO_BLOCK + (mode === 'fsdax-dev' ? pages * STRUCT_PAGE : 0), align);
  return start < r.end ? { start, end: r.end } : null;
}
