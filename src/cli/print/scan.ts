/** `unseat scan` for people: what could leave, what carries it, the memory blocks, what acts behind our back, what was not seen. */
import type { Machine } from '../../machine/machine.ts';
import type { Device } from '../../machine/types/device.ts';
import { LONG_TERM, type Certainty, type Holder } from '../../machine/types/holder.ts';
import { formatBytes } from '../../range/units.ts';
import { BLOCK_HEADING, blockCells, blockRows } from './block-list.ts';
import type { Style } from './output.ts';
import { item, table, wrap } from './table.ts';

export interface Page {
  readonly width: number;
  readonly style: (style: Style, text: string) => string;
}

const CARRIERS: ReadonlySet<string> = new Set(['nvdimm-region', 'cxl-region', 'cxl-memdev', 'pci-slot', 'virtio-pmem']);

export function scanText(machine: Machine, page: Page): string {
  const leaf = machine.devices.filter((d) => d.kind !== 'memory-block' && !CARRIERS.has(d.kind));
  const carriers = machine.devices.filter((d) => CARRIERS.has(d.kind));
  return [
    heading(machine, page),
    section('Memory that can leave', leaf.length === 0 ? wrap(nothing(machine), page.width - 2).map((line) => `  ${line}`) : deviceTable(machine, leaf, page), page),
    carriers.length === 0 ? '' : section('What carries it (taking one takes everything in it)', carrierTable(machine, carriers, page), page),
    nodes(machine, page),
    blocks(machine, page),
    list('Acts behind our back', machine.rivals.map((r) => `${r.where}: ${r.effect}`), page),
    list('Notes', machine.notes.map((n) => n.text), page),
    leaf.length + carriers.length === 0 ? '' : wrap(`Next: 'unseat plan ${(leaf[0] ?? carriers[0])!.name}' says who holds it, what a bare removal would do on this kernel, and the safe steps.`, page.width).join('\n'),
  ].filter((part) => part !== '').join('\n\n');
}

function heading(machine: Machine, page: Page): string {
  const { release, arch } = machine.kernel;
  const kernel = release === null ? 'kernel not known' : `Linux ${release}`;
  const taken = machine.host.takenAt === undefined ? '' : `, taken ${machine.host.takenAt}`;
  return wrap(`${machine.host.label}: ${kernel}${arch === null ? '' : ` ${arch}`}${taken}`, page.width).map((line) => page.style('bold', line)).join('\n');
}

function nothing(machine: Machine): string {
  return machine.memory.blocks.length > 0
    ? 'None: no persistent memory, CXL, virtio-mem or hot-plugged memory device. Single memory blocks (below) may go offline.'
    : machine.addressMap.resources.length === 0 && machine.memory.nodes.length === 0 && machine.notes.length > 0 ? 'None was found; nothing at all tells of memory here (see the notes).' : 'None was found.';
}

const section = (title: string, lines: readonly string[], page: Page): string => [page.style('bold', title), ...lines].join('\n');
const list = (title: string, texts: readonly string[], page: Page): string => (texts.length === 0 ? '' : section(title, texts.map((text) => item(text, page.width)), page));

function deviceTable(machine: Machine, devices: readonly Device[], page: Page): string[] {
  const rows = devices.map((d) => [d.name, d.kind, formatBytes(d.size), d.nodes.join(',') || '-', holdersOf(machine, d), d.use]);
  return table(['DEVICE', 'KIND', 'SIZE', 'NODE', 'HELD BY', 'USE'], rows, { width: page.width, indent: 2, right: [2], style: bold(page) });
}

function carrierTable(machine: Machine, devices: readonly Device[], page: Page): string[] {
  const name = new Map(machine.devices.map((d) => [d.id, unmistakable(machine, d)]));
  const rows = devices.map((d) => [name.get(d.id)!, d.kind, formatBytes(d.size), ownState(d), d.contains.map((id) => name.get(id) ?? id).join(', ') || '-']);
  return table(['NAME', 'KIND', 'SIZE', 'STATE', 'HOLDS'], rows, { width: page.width, indent: 2, right: [2], style: bold(page) });
}

/** The name, or the alias that says which one where two devices have the name (`cxl:region0`). */
const unmistakable = (machine: Machine, device: Device): string =>
  machine.devices.some((d) => d !== device && d.name === device.name) ? (device.aliases.find((a) => a.endsWith(`:${device.name}`)) ?? device.id) : device.name;


/** `use` of a container repeats what is inside; the table has a column for that. */
const ownState = (device: Device): string => (device.contains.length === 0 ? device.use : device.use.slice(0, device.use.indexOf(': ') < 0 ? undefined : device.use.indexOf(': ')));

const bold = (page: Page) => (text: string, row: number, column: number): string => (row < 0 ? page.style('dim', text) : column === 0 ? page.style('bold', text) : text);

/** `2 processes, 1 mount`; `?` where no search was made or no process can be seen. */
function holdersOf(machine: Machine, device: Device): string {
  const holders = machine.holders[device.id];
  const blind = machine.notes.some((n) => n.subject === '/proc' && n.absence !== undefined);
  if (holders === undefined || (blind && holders.length === 0)) return '?';
  const counts = new Map<string, number>();
  for (const holder of holders) counts.set(word(holder), (counts.get(word(holder)) ?? 0) + 1);
  const counted = [...counts].map(([what, n]) => `${n} ${what}${n === 1 ? '' : what.endsWith('s') ? 'es' : 's'}`).join(', ') || 'nobody seen';
  return `${counted}${pinned(holders)}`;
}

/** Only pins that last: a removal has to know of them before anything else. `plan` says whose they are, and lists the short ones. */
function pinned(holders: readonly Holder[]): string {
  const pins = holders.flatMap((h) => (h.kind === 'process' ? h.pins : [])).filter((p) => LONG_TERM.includes(p.kind));
  const kinds = (certainty: Certainty): string[] => [...new Set(pins.filter((p) => p.certainty === certainty).map((p) => p.kind))];
  const [seen, possible] = [kinds('seen'), kinds('possible').filter((k) => !kinds('seen').includes(k))];
  return `${seen.length > 0 ? `; pinned by ${seen.join(', ')}` : ''}${possible.length > 0 ? `; perhaps pinned by ${possible.join(', ')}` : ''}`;
}

function word(holder: Holder): string {
  switch (holder.kind) {
    case 'process': return holder.vm === null ? 'process' : 'VM';
    case 'stack': return 'block device';
    case 'swap': return 'swap area';
    case 'memory-block': return 'block';
    default: return holder.kind;
  }
}

function nodes(machine: Machine, page: Page): string {
  const rows = machine.memory.nodes.map((n) => [
    String(n.id), n.total === null ? '?' : formatBytes(n.total), n.free === null ? '?' : formatBytes(n.free), n.hasCpu ? 'yes' : 'no', n.tier ?? '-',
    n.hugePagesTotal === null ? '?' : `${n.hugePagesFree ?? 0} of ${n.hugePagesTotal}`,
    n.zones.filter((z) => z.managedPages > 0 || z.presentPages > 0).map((z) => z.name).join(', ') || '?',
  ]);
  return rows.length === 0 ? '' : section('Nodes', table(['NODE', 'SIZE', 'FREE', 'CPUS', 'TIER', 'HUGE PAGES FREE', 'ZONES'], rows, { width: page.width, indent: 2, right: [1, 2], style: bold(page) }), page);
}

/** True when blocks of a device are online and nobody looked at their pages. */
function unread(machine: Machine): boolean {
  const own = new Set(machine.devices.filter((d) => d.kind !== 'memory-block').flatMap((d) => d.blocks));
  return machine.memory.blocks.some((b) => own.has(b.index) && b.state === 'online' && b.pages === undefined);
}

function blocks(machine: Machine, page: Page): string {
  const rows = blockRows(machine);
  if (rows.length === 0) return '';
  const size = machine.memory.blockSize === null ? '' : ` of ${formatBytes(machine.memory.blockSize)}`;
  const shown = rows.slice(0, 60);
  const lines = table(BLOCK_HEADING, shown.map(blockCells), { width: page.width, indent: 2, right: [2], style: bold(page) });
  if (rows.length > shown.length) lines.push(`  ... and ${rows.length - shown.length} more rows (--json has all)`);
  lines.push(...wrap(`'-' in the last column: nothing is known against it. Pins cannot be seen, and page contents are read for devices only${unread(machine) ? ' (here they were not: --pages)' : ''}.${machine.addressMap.resources.length === 0 ? ' Holes, persistent memory and the kernel image inside blocks are known from /proc/iomem alone, which shows nothing here.' : ''}`, page.width - 2).map((line) => page.style('dim', `  ${line}`)));
  return section(`Memory blocks (${machine.memory.blocks.length}${size})`, lines, page);
}

