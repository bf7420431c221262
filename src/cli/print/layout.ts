/** `unseat layout` for people: one part for each kernel generation, one line for each mode of each range. */
import type { NamespaceVerdict } from '../../plan/layout/namespaces.ts';
import type { GenerationVerdict, LayoutReport, ModeVerdict, RangeVerdict } from '../../plan/layout/types.ts';
import { rangeSize } from '../../range/phys-range.ts';
import { formatAddress, formatBytes, formatRange } from '../../range/units.ts';
import type { Page } from './scan.ts';
import { item, table } from './table.ts';

export function layoutText(report: LayoutReport, namespaces: readonly NamespaceVerdict[] | null, page: Page): string {
  const units = `sections of ${formatBytes(report.sectionSize)}, sub-sections of ${formatBytes(report.subSectionSize)}, memory blocks of ${formatBytes(report.blockSize)}`;
  const clashes = report.overlaps.map((o) => item(page.style('red', `${o.a.text} and ${o.b.text} both claim ${formatRange(o.common)}`), page.width));
  return [
    [page.style('bold', 'Ranges'), ...report.ranges.map((r) => `  ${r.kind.padEnd(8)} ${formatRange(r)}  ${formatBytes(rangeSize(r))}`), `  ${units}`, ...clashes].join('\n'),
    ...report.generations.map((g) => generation(g, page)),
    ...(namespaces === null ? [] : [namespacesText(namespaces, page)]),
  ].join('\n\n');
}

const kernels = (g: GenerationVerdict): string => (g.profiles.length === 1 ? `Linux ${g.profiles[0]}` : `Linux ${g.profiles[0]} to ${g.profiles.at(-1)}`);
const FITS = { yes: ['green', 'fits'], partly: ['yellow', 'fits in part'], no: ['red', 'does not fit'] } as const;

function generation(g: GenerationVerdict, page: Page): string {
  const lines = [page.style('bold', kernels(g))];
  for (const r of g.ranges) lines.push(...rangeLines(r, page));
  for (const b of g.blocks) lines.push(item(`memory${b.index} (${formatRange(b)}) cannot go offline: ${b.because}`, page.width));
  if (lines.length === 1) lines.push('  nothing to say: no pmem, and every block is all RAM');
  return lines.join('\n');
}

function rangeLines(r: RangeVerdict, page: Page): string[] {
  const [color, word] = FITS[r.fits];
  const sections = r.sections[0] === r.sections[1] ? `section ${r.sections[0]}` : `sections ${r.sections[0]} to ${r.sections[1]}`;
  const rows = r.modes.map((m) => [m.mode, m.by, m.works ? formatBytes(m.usable ? rangeSize(m.usable) : 0) : 'refused', details(m)]);
  return [
    `  ${formatRange(r.range)} (${r.region}, ${sections}): ${page.style(color, word)}`,
    ...table(['MODE', 'BY', 'USABLE', 'DETAILS'], rows, { width: page.width, indent: 4, style: (text, row) => (row < 0 ? page.style('dim', text) : text) }),
    ...neighbours(r, page),
    ...asRam(r, page),
  ];
}

function details(m: ModeVerdict): string {
  const at = m.usable ? `data at ${formatAddress(m.usable.start)}` : null;
  const lost = [m.lostAtStart > 0 ? `${formatBytes(m.lostAtStart)} lost at the start` : null, m.lostAtEnd > 0 ? `${formatBytes(m.lostAtEnd)} lost at the end` : null];
  const errors = m.errors.map((e) => `${e.from} (${e.code}): ${e.text}`);
  return [at, ...lost, ...errors, m.remark].filter((x) => x !== null).join('; ');
}

function neighbours(r: RangeVerdict, page: Page): string[] {
  return r.neighbours.map((n) => item(`section ${n.section} is shared with ${n.with.kind} ${formatRange(n.with)}${n.sameSubSection ? ', inside one sub-section' : ''}: ${n.collides ? page.style('red', 'they collide') : 'no harm'}`, page.width, '- ', 4));
}

function asRam(r: RangeVerdict, page: Page): string[] {
  const y = r.asRam;
  if (y.from === null) return [];
  const dax = `as System RAM (kmem) ${formatBytes(rangeSize(y.from))} of device-dax yield`;
  const silence = y.lost === 0 ? '' : y.says ? `, the kernel says "${y.says}"` : ', and the kernel does not say so';
  const text = y.range === null
    ? `${dax} nothing: no whole memory block lies inside`
    : `${dax} ${y.blocks} whole block${y.blocks === 1 ? '' : 's'}, ${formatBytes(y.bytes)} (${formatRange(y.range)}); ${formatBytes(y.lost)} are lost${silence}`;
  return [item(text, page.width, '- ', 4)];
}

function namespacesText(list: readonly NamespaceVerdict[], page: Page): string {
  const rows = list.map((v) => [v.error ? '-' : v.name, v.request.mode, formatBytes(v.request.size), v.usable ? formatBytes(rangeSize(v.usable)) : 'refused', v.error ? `${v.error.from} (${v.error.code}): ${v.error.text}` : v.range ? formatRange(v.range) : '']);
  return [page.style('bold', 'Label namespaces, one after the other (5.10 and later)'), ...table(['NAME', 'MODE', 'SIZE', 'USABLE', 'WHERE OR WHY NOT'], rows, { width: page.width, indent: 2, right: [2, 3], style: (text, row) => (row < 0 ? page.style('dim', text) : text) })].join('\n');
}
