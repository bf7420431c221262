/**
 * The address map drawn in characters. Memory lies in few places of a huge address space: each run of sections that holds
 * memory is an area of its own with its own scale; what lies between is one line. A cell is a power of two of bytes, a
 * row is 64 cells (32 on a narrow page), so rows begin at round addresses. Letters carry the meaning; colour repeats it.
 */
import type { PhysicalMap } from '../../machine/address-map/physical-map.ts';
import { MEMORY_KINDS, type Segment, type SegmentKind } from '../../machine/address-map/segments.ts';
import { alignDown, alignUp, containsAddress, intersect, rangeSize, union, type PhysRange } from '../../range/phys-range.ts';
import { formatAddress, formatBytes, formatRange, MiB } from '../../range/units.ts';
import type { Style } from './output.ts';
import type { Page } from './scan.ts';
import { wrap } from './table.ts';

interface Look {
  readonly mark: string;
  readonly style: Style | null;
  readonly says: string;
}

export const LOOKS: Readonly<Record<SegmentKind | 'hole' | 'several', Look>> = {
  'ram': { mark: '=', style: null, says: 'System RAM' },
  'kernel': { mark: 'k', style: 'yellow', says: 'kernel image and boot reservations in System RAM' },
  'ram-offline': { mark: 'o', style: 'dim', says: 'System RAM, block offline' },
  'kmem': { mark: 'K', style: 'green', says: 'System RAM on a dax device (kmem)' },
  'virtio-mem': { mark: 'V', style: 'green', says: 'System RAM of virtio-mem' },
  'unplugged': { mark: 'u', style: 'dim', says: 'virtio-mem, not plugged' },
  'pmem': { mark: 'P', style: 'cyan', says: 'persistent memory, namespace in use' },
  'pmem-unbound': { mark: 'n', style: 'dim', says: 'persistent memory, namespace not bound' },
  'pmem-free': { mark: 'p', style: 'dim', says: 'persistent memory without a bound namespace' },
  'lost': { mark: 'l', style: 'red', says: 'dax device, lost to kmem (no whole block)' },
  'info-block': { mark: 'i', style: 'cyan', says: 'info block and memmap of a namespace' },
  'devdax': { mark: 'D', style: 'magenta', says: 'dax character device' },
  'cxl-region': { mark: 'C', style: 'blue', says: 'CXL region' },
  'cxl-window': { mark: 'w', style: 'dim', says: 'CXL window, nothing in it' },
  'soft-reserved': { mark: 's', style: 'blue', says: 'soft reserved' },
  'reserved': { mark: 'r', style: 'dim', says: 'reserved by firmware' },
  'device': { mark: 'd', style: 'dim', says: 'PCI windows and device registers' },
  'hole': { mark: '.', style: 'dim', says: 'nothing' },
  'several': { mark: '#', style: 'red', says: 'several owners in one cell (zoom with --range)' },
};

const MAX_ROWS = 16;
const MIN_CELL = 2 * MiB;

/** Lines of the picture, and the marks that it used. */
export function drawMap(map: PhysicalMap, page: Page): { readonly lines: string[]; readonly used: ReadonlySet<keyof typeof LOOKS> } {
  const used = new Set<keyof typeof LOOKS>();
  const lines: string[] = [];
  let at = map.range?.start ?? 0;
  for (const area of areasOf(map)) {
    if (at < area.start) lines.push(...between(map, { start: at, end: area.start }, page));
    lines.push(...drawArea(map, area, page, used), '');
    at = area.end;
  }
  const end = map.range?.end ?? map.segments.at(-1)?.end ?? at;
  if (at < end) lines.push(...between(map, { start: at, end }, page));
  while (lines.at(-1) === '') lines.pop();
  return { lines, used };
}

/** Runs of sections (of 128 MiB where sections are not known) that hold memory; with a range asked for, the range itself. */
export function areasOf(map: PhysicalMap): PhysRange[] {
  const unit = map.sectionSize ?? map.blockSize ?? 128 * MiB;
  const memory = map.segments.filter((s) => MEMORY_KINDS.has(s.kind));
  if (map.range !== null && rangeSize(map.range) <= MAX_ROWS * 64 * MIN_CELL) return [map.range];
  return union(memory.map((s) => ({ start: alignDown(s.start, unit), end: alignUp(s.end, unit) })))
    .map((r) => (map.range === null ? r : intersect(r, map.range)!)).filter((r) => r !== null);
}

/** What lies outside of areas, in one line: sizes by kind. */
function between(map: PhysicalMap, range: PhysRange, page: Page): string[] {
  const sizes = new Map<SegmentKind, number>();
  for (const s of map.segments) {
    const part = intersect(s, range);
    if (part) sizes.set(s.kind, (sizes.get(s.kind) ?? 0) + rangeSize(part));
  }
  const what = [...sizes].sort((a, b) => b[1] - a[1]).map(([kind, size]) => `${formatBytes(size)} ${LOOKS[kind].says}`);
  return [...wrap(`~ ${formatRange(range)}: ${what.length === 0 ? (map.source === 'iomem' ? 'nothing' : 'not known') : what.join(', ')}`, page.width - 4).map((line, i) => page.style('dim', `  ${i === 0 ? '' : '  '}${line}`)), ''];
}

/** Bytes of a cell: the smallest power of two that shows the area in the rows that there are. A range below 128 MiB is shown finer. */
export function cellSize(area: PhysRange, cells: number): number {
  let cell = rangeSize(area) < cells * MIN_CELL ? 4096 : MIN_CELL;
  while (rangeSize(area) > cell * cells * (rangeSize(area) < cells * MIN_CELL ? 4 : MAX_ROWS)) cell *= 2;
  return cell;
}

function drawArea(map: PhysicalMap, area: PhysRange, page: Page, used: Set<keyof typeof LOOKS>): string[] {
  const cells = page.width >= 80 ? 64 : 32;
  const cell = cellSize(area, cells);
  const row = cell * cells;
  const first = alignDown(area.start, row);
  const label = Math.max(11, formatAddress(area.end).length);
  const title = `${formatRange(area)}  ${formatBytes(rangeSize(area))}, one character is ${formatBytes(cell)}, one row ${formatBytes(row)}`;
  const lines = wrap(title, page.width).map((line, i) => (i === 0 ? line.replace(/^\S+/, (range) => page.style('bold', range)) : line));
  const segments = map.segments.filter((s) => intersect(s, area) !== null);
  let next = 0;
  for (let at = first; at < area.end; at += row) {
    while (next < segments.length && segments[next]!.end <= at) next += 1;
    const near = segments.slice(next, next + endIndex(segments, next, at + row));
    const marks = Array.from({ length: cells }, (_, i): Mark | null => {
      const range = { start: at + i * cell, end: at + (i + 1) * cell };
      if (intersect(range, area) === null) return null;
      const kind = kindOfCell(near, range);
      used.add(kind);
      return { kind, begins: kind !== 'several' && near.some((s) => s.device !== null && s.kind === kind && containsAddress(range, s.start) && rangeSize(s) > cell) };
    });
    lines.push(`${formatAddress(at).padStart(label)} ${coloured(marks, page)}${aside(map, { start: at, end: at + row }, page, label + 1 + cells)}`.trimEnd());
  }
  return lines;
}

/** How many segments from `from` on begin before `end`. */
function endIndex(segments: readonly Segment[], from: number, end: number): number {
  let count = 0;
  while (from + count < segments.length && segments[from + count]!.start < end) count += 1;
  return count;
}

/** The kind that has most of the cell; `several` when two owners have memory in it, which is what must not be overlooked. */
function kindOfCell(segments: readonly Segment[], cell: PhysRange): keyof typeof LOOKS {
  const sizes = new Map<keyof typeof LOOKS, number>();
  const owners = new Set<string>();
  let covered = 0;
  for (const s of segments) {
    const part = intersect(s, cell);
    if (part === null) continue;
    covered += rangeSize(part);
    sizes.set(s.kind, (sizes.get(s.kind) ?? 0) + rangeSize(part));
    if (MEMORY_KINDS.has(s.kind) && s.kind !== 'pmem-free') owners.add(s.device ?? (s.names.find((n) => n.startsWith('System RAM')) ? 'ram' : s.names.at(-1)!));
  }
  if (owners.size > 1) return 'several';
  sizes.set('hole', rangeSize(cell) - covered);
  return [...sizes].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

interface Mark {
  readonly kind: keyof typeof LOOKS;
  /** A device begins in this cell and goes on after it. */
  readonly begins: boolean;
}

/** Where a device begins the letter is a bracket, so that neighbours of one kind can be told apart. */
function coloured(marks: readonly (Mark | null)[], page: Page): string {
  let text = '';
  for (let i = 0; i < marks.length;) {
    const kind = marks[i]?.kind;
    let end = i;
    let run = '';
    for (; end < marks.length && marks[end]?.kind === kind; end += 1) run += kind === undefined ? ' ' : marks[end]!.begins ? '[' : LOOKS[kind].mark;
    const style = kind === undefined ? null : LOOKS[kind].style;
    text += style === null ? run : page.style(style, run);
    i = end;
  }
  return text;
}

/** Beside the row, where the page is wide enough: its memory blocks. */
function aside(map: PhysicalMap, row: PhysRange, page: Page, taken: number): string {
  const blocks = map.blocks.filter((b) => intersect(b, row) !== null);
  if (blocks.length === 0 || page.width < taken + 16) return '';
  const alike = (parts: (b: PhysicalMap['blocks'][number]) => readonly (string | null)[]): string => {
    const seen = [...new Set(blocks.map((b) => parts(b).filter((w) => w !== null).join(' ')))];
    return seen.length === 1 ? (seen[0] ?? '') : '(mixed)';
  };
  const short = alike((b) => [b.state === 'online' ? null : b.state, b.zone]);
  const long = alike((b) => [b.state === 'online' ? null : b.state, b.zone, b.nodes.length === 0 ? null : `n${b.nodes.join('+')}`]);
  const name = blocks.length === 1 ? `  memory${blocks[0]!.index}` : `  memory${blocks[0]!.index}-${blocks.at(-1)!.index}`;
  const text = [`${name} ${long}`, `${name} ${short}`, name].find((t) => t.trimEnd().length <= page.width - taken);
  return text === undefined ? '' : page.style('dim', text.trimEnd());
}
