/** `unseat map` for people: the picture, its legend, the list of what lies where, and shared sections. */
import type { PhysicalMap } from '../../machine/address-map/physical-map.ts';
import { MEMORY_KINDS } from '../../machine/address-map/segments.ts';
import { rangeSize } from '../../range/phys-range.ts';
import { formatBytes, formatRange } from '../../range/units.ts';
import { drawMap, LOOKS } from './map-picture.ts';
import type { Page } from './scan.ts';
import { item, table, wrap } from './table.ts';

export function mapText(map: PhysicalMap, page: Page): string {
  const { lines, used } = drawMap(map, page);
  return [
    heading(map, page),
    lines.length === 0 ? '  No memory is known here.' : lines.join('\n'),
    legend(map, used, page),
    places(map, page),
    collisions(map, page),
    map.notes.length === 0 ? '' : [page.style('bold', 'Notes'), ...map.notes.map((n) => item(n.text, page.width))].join('\n'),
  ].filter((part) => part !== '').join('\n\n');
}

function heading(map: PhysicalMap, page: Page): string {
  const units = [map.sectionSize === null ? 'sections not known' : `section ${formatBytes(map.sectionSize)}`, map.blockSize === null ? 'no memory blocks' : `memory block ${formatBytes(map.blockSize)}`];
  const source = map.source === 'iomem' ? '' : '; addresses are not shown to this user or not captured: System RAM from its memory blocks only';
  return wrap(`${map.host.label}: physical address map (${units.join(', ')})${source}`, page.width).map((line) => page.style('bold', line)).join('\n');
}

function legend(map: PhysicalMap, used: ReadonlySet<keyof typeof LOOKS>, page: Page): string {
  const shown = (Object.keys(LOOKS) as (keyof typeof LOOKS)[]).filter((kind) => used.has(kind));
  const lines = shown.map((kind) => {
    const total = map.segments.filter((s) => s.kind === kind).reduce((sum, s) => sum + rangeSize(s), 0);
    const { mark, style, says } = LOOKS[kind];
    return `  ${style === null ? mark : page.style(style, mark)}  ${says}${total > 0 ? `, ${formatBytes(total)}` : ''}`;
  });
  return [...lines, ...(map.segments.some((s) => s.device !== null) ? ['  [  a device begins here'] : [])].join('\n');
}

/** Memory only, in address order; the kernel's own pieces of System RAM are in the picture. */
function places(map: PhysicalMap, page: Page): string {
  const memory = map.segments.filter((s) => MEMORY_KINDS.has(s.kind) && s.kind !== 'kernel');
  const rows: string[][] = [];
  for (const s of memory) {
    const last = rows.at(-1);
    const cells = [formatRange(s), formatBytes(rangeSize(s)), s.device ?? '-', s.names.join(' / ')];
    // Boot memory in pieces around the kernel image reads better as what it is: one stretch of RAM.
    if (last && s.kind === 'ram' && last[3] === cells[3] && last[2] === '-' && joined(map, s.start)) {
      const start = parseInt(last[0]!.split('-')[0]!, 16);
      last[0] = formatRange({ start, end: s.end });
      last[1] = formatBytes(s.end - start);
    } else rows.push(cells);
  }
  return rows.length === 0 ? '' : [page.style('bold', 'What lies where'), ...table(['RANGE', 'SIZE', 'DEVICE', 'IN IOMEM AS'], rows, { width: page.width, indent: 2, right: [1], style: (text, row) => (row < 0 ? page.style('dim', text) : text) })].join('\n');
}

/** True when the byte before `address` is a piece of the kernel inside System RAM. */
const joined = (map: PhysicalMap, address: number): boolean => map.segments.some((s) => s.kind === 'kernel' && s.end === address);

function collisions(map: PhysicalMap, page: Page): string {
  if (map.collisions.length === 0) return '';
  const texts = map.collisions.map((c) => {
    const owners = c.owners.map((o) => `${o.name} ${o.ranges.map(formatRange).join(' and ')}`).join('; ');
    return `section ${c.section} (${formatRange(c)}) is shared by ${owners}: ${c.says}`;
  });
  return [page.style('bold', 'Shared sections'), ...texts.map((text) => item(text, page.width))].join('\n');
}
