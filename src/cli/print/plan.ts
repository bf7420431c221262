/**
 * `unseat plan` for people. The first screen decides: who holds it, what a bare removal would do, which way is safe;
 * the steps of one way follow.
 */
import { displayName } from '../../host/names.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Device } from '../../machine/types/device.ts';
import { fdName } from '../../machine/holders/apart.ts';
import type { Holder, ProcessHolder } from '../../machine/types/holder.ts';
import { formatBytes, formatRange } from '../../range/units.ts';
import type { Forecast } from '../../steps/forecast.ts';
import type { RemovalPlan, WayPlan } from '../../steps/removal-plan.ts';
import { blindness } from '../../plan/facts/sight.ts';
import { blockersText, stepsText, waysText } from './plan-steps.ts';
import { EFFECTS, type Severity } from './plan-words.ts';
import type { Page } from './scan.ts';
import { item, table, wrap } from './table.ts';

export interface PlanView {
  readonly machine: Machine;
  readonly device: Device;
  /** Devices whose holders are shown: the device's leaves. */
  readonly leaves: readonly Device[];
  readonly plan: RemovalPlan;
  /** Ways whose steps are printed. */
  readonly shown: readonly WayPlan[];
  /** Print the source of each line of the forecast. */
  readonly sources: boolean;
}

export function planText(v: PlanView, page: Page): string {
  const blocked = v.plan.ways.filter((w) => !w.possible);
  return [
    heading(v, page),
    verdict(v, page),
    section('Held by', holders(v, page), page),
    section('Ways', waysText(v.plan, page), page),
    ...forecasts(v, page),
    section('What stands in the way', blockersText(blocked, page), page),
    ...v.shown.map((w) => section(`Steps: ${w.way}${w.possible ? '' : ' (once nothing stands in the way)'}`, stepsText(w, page), page)),
    section('Known defects of this kernel', v.plan.knownBad.map((k) => item(`${k.effect}${v.sources ? ` [${k.source}]` : ''}`, page.width)), page),
    section('Cannot be seen', v.plan.unseen.map((u) => item(u, page.width)), page),
  ].filter((part) => part !== '').join('\n\n');
}

const section = (title: string, lines: readonly string[], page: Page): string => (lines.length === 0 ? '' : [page.style('bold', title), ...lines].join('\n'));

function heading({ device, machine, plan }: PlanView, page: Page): string {
  const where = device.ranges.length === 1 && device.ranges[0] ? `, ${formatRange(device.ranges[0])}` : '';
  const kernel = `${machine.host.label}: Linux ${plan.kernel.release ?? '?'} (${plan.kernel.says})`;
  return [...wrap(`${device.name}: ${device.kind}, ${formatBytes(device.size)}${where}, ${displayName(device.use)}`, page.width).map((l) => page.style('bold', l)), ...wrap(kernel, page.width)].join('\n');
}

/** One or two sentences to decide with. */
function verdict(v: PlanView, page: Page): string {
  const [unbind] = v.plan.forecasts;
  const worst = worstOf(unbind);
  const { noun, order } = BARE[v.device.kind] ?? UNBIND;
  const refused = unbind?.effects.find((e) => e.effect === 'veto' && e.certainty === 'certain');
  const blind = unbind?.effects.some((e) => e.effect === 'clean' && e.certainty === 'possible') ?? false;
  const bare = refused ? `A bare ${noun} is refused: ${refused.because}.`
    : blind ? `Whether a bare ${noun} does harm cannot be told: not everybody who may hold it was seen.`
    : worst === null ? `A bare ${noun}: nothing is known that would go wrong.`
    : worst.sure ? `Do not just ${order}: ${worst.says}.` : `A bare ${noun} is a risk: it is possible that ${worst.says}.`;
  const way = v.plan.ways.find((w) => w.possible);
  const name = typedName(v.machine, v.device);
  const doubt = v.leaves.some((l) => l.blocks.length > 0) && unbind?.effects.some((e) => e.effect === 'veto' && e.certainty !== 'certain');
  const safe = way === undefined ? 'No way is open now; see what stands in the way.'
    : way.way !== 'graceful' ? `Let the holders go, then: unseat remove ${name}; or now: unseat remove ${name} --${way.way}`
    : doubt ? `It can be tried: unseat remove ${name} (rolled back where a page will not move)` : `It can go now: unseat remove ${name}`;
  const color = worst === null && !refused ? (blind ? 'yellow' : 'green') : 'red';
  return [...wrap(bare, page.width).map((l) => page.style(color, l)), ...wrap(safe, page.width)].join('\n');
}

interface BareWords {
  readonly noun: string;
  readonly order: string;
  readonly event: string;
}

/** What a bare removal is called: for most devices an unbind. */
const UNBIND: BareWords = { noun: 'unbind', order: 'unbind it', event: 'its driver were just unbound' };
const BARE: Partial<Record<Device['kind'], BareWords>> = {
  'memory-block': { noun: 'offline', order: 'offline it', event: 'it were just offlined' },
  'dimm': { noun: 'eject', order: 'eject it', event: 'it were just ejected' },
  'pci-slot': { noun: 'power-off', order: 'switch it off', event: 'the slot were just switched off' },
};

/** What to type for it: its name, or `cxl:region0`, `slot:2` where the name alone is another's too or says too little. */
function typedName(machine: Machine, device: Device): string {
  const rivals = machine.devices.filter((d) => d.name === device.name || d.aliases.includes(device.name));
  if (rivals.length === 1 && !/^\d+$/.test(device.name)) return displayName(device.name);
  return device.aliases.find((a) => a === `cxl:${device.name}` || a === `nvdimm:${device.name}` || a === `slot:${device.name}`) ?? device.id;
}

const RANK: readonly Severity[] = ['crash', 'harm', 'loss'];

/** How many effects the first sentence names. */
const WORST = 3;

/**
 * The worst things in words, those that are not merely possible first of all; null where there are none. That somebody else's data
 * is exposed is always among them: a crash is noticed, this is not.
 */
function worstOf(f: Forecast | undefined): { readonly sure: boolean; readonly says: string } | null {
  const lines = (f?.effects ?? []).filter((e) => RANK.includes(EFFECTS[e.effect].severity));
  const sure = lines.filter((e) => e.certainty !== 'possible');
  const list = (sure.length > 0 ? sure : lines).map((e) => EFFECTS[e.effect]).sort((a, b) => RANK.indexOf(a.severity) - RANK.indexOf(b.severity));
  const all = [...new Set(list.map((e) => e.says))];
  const exposed = EFFECTS['next-owner-exposed'].says;
  const words = all.slice(0, all.includes(exposed) && !all.slice(0, WORST).includes(exposed) ? WORST - 1 : WORST);
  if (words.length < WORST && words.length < all.length) words.push(exposed);
  if (words.length === 0) return null;
  const more = all.length > words.length ? `; ${all.length - words.length} more below` : '';
  return { sure: sure.length > 0, says: `${words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`}${more}` };
}

/** As many as fit a screen. */
const MOST_HOLDERS = 24;

function holders(v: PlanView, page: Page): string[] {
  const list = v.leaves.flatMap((leaf) => (v.machine.holders[leaf.id] ?? []).filter((h) => h.kind !== 'memory-block').map((h) => ({ leaf, h })));
  const blocks = new Set(v.leaves.flatMap((l) => l.blocks));
  const online = v.machine.memory.blocks.filter((b) => blocks.has(b.index) && b.state !== 'offline');
  const ram = online.length === 0 ? [] : [`  ${online.length} memory block(s) online: ${online.length > 4 ? `memory${online[0]?.index} to memory${online.at(-1)?.index}` : online.map((b) => `memory${b.index}`).join(', ')}; whoever has pages there`];
  const blind = [...new Set(v.leaves.map((l) => blindness(v.machine, l)).filter((b) => b !== null))];
  if (list.length === 0) return ram.length > 0 ? ram : [item(blind.length > 0 ? `nobody was seen to hold it, but: ${blind.join('; ')}` : 'nobody was seen to hold it', page.width, '', 2)];
  const rows = list.slice(0, MOST_HOLDERS).map(({ leaf, h }) => [whoIs(h), v.leaves.length > 1 ? leaf.name : '', whatHolds(h)]);
  return [...table(['WHO', v.leaves.length > 1 ? 'DEVICE' : '', 'HOLDS IT BY'], rows, { width: page.width, indent: 2, style: (text, row) => (row < 0 ? page.style('dim', text) : text) }), ...(list.length > MOST_HOLDERS ? [`  and ${list.length - MOST_HOLDERS} more; --json names everybody`] : []), ...ram];
}

function whoIs(h: Holder): string {
  switch (h.kind) {
    case 'process': return `pid ${h.pid} (${displayName(h.comm)})${h.vm ? ' VM' : ''}`;
    case 'mount': return `mount ${displayName(h.mountPoint)}`;
    case 'stack': return h.block;
    case 'swap': return `swap ${displayName(h.path)}`;
    case 'memory-block': return `memory${h.index}`;
    case 'memmap': return h.describes;
  }
}

function whatHolds(h: Holder): string {
  switch (h.kind) {
    case 'process': return processHolds(h);
    case 'mount': return `${h.fsType}${h.dax ? `, dax=${h.dax}` : ''}, mount namespace ${h.namespaceId}`;
    case 'stack': return `stacked on it: ${displayName(h.what)}`;
    case 'swap': return `${formatBytes(h.usedBytes)} swapped out to it`;
    case 'memory-block': return `online${h.zone ? `, zone ${h.zone}` : ''}${h.node === null ? '' : `, node ${h.node}`}`;
    case 'memmap': return 'its struct pages live on it';
  }
}

function processHolds(p: ProcessHolder): string {
  const maps = p.mappings.map((m) => `maps ${formatBytes(m.end - m.start)} of ${displayName(m.file)}${m.deleted ? ' (deleted)' : ''} (${m.perms})`);
  const files = p.files.map((f) => `${fdName(f)} ${displayName(f.file)}`);
  const pins = p.pins.map((pin) => `${pin.certainty === 'seen' ? 'PINNED' : 'perhaps pinned'} by ${pin.kind} (${displayName(pin.evidence)})`);
  const rest = [p.cwd === null ? null : 'its working directory', p.root === null ? null : 'its root', p.unit === null ? null : `unit ${p.unit}`].filter((x) => x !== null);
  return [...short(maps), ...short(files), ...pins, ...rest].join('; ');
}

const short = (list: readonly string[]): string[] => (list.length > 3 ? [...list.slice(0, 3), `and ${list.length - 3} more`] : [...list]);

function forecasts(v: PlanView, page: Page): string[] {
  const [unbind, pull] = v.plan.forecasts;
  if (unbind === undefined || pull === undefined) return [];
  const same = JSON.stringify(unbind.effects) === JSON.stringify(pull.effects);
  const title = `If ${(BARE[v.device.kind] ?? UNBIND).event}`;
  return [
    section(same ? `${title}, or the hardware pulled` : title, effects(unbind, v, page), page),
    ...(same ? [] : [section('If the hardware were just pulled', effects(pull, v, page), page)]),
  ];
}

const COLOR = { crash: 'red', harm: 'red', loss: 'yellow', none: 'green' } as const;

function effects(f: Forecast, v: PlanView, page: Page): string[] {
  const rows = f.effects.map((e) => [e.effect, e.certainty, `${e.whom}: ${e.because}${v.sources ? ` [${e.source}]` : ''}`]);
  return table(['EFFECT', 'HOW SURE', 'WHOM AND WHY'], rows, {
    width: page.width, indent: 2,
    style: (text, row, column) => (row < 0 ? page.style('dim', text) : column === 0 ? page.style(COLOR[EFFECTS[f.effects[row]?.effect ?? 'clean'].severity], text) : text),
  });
}
