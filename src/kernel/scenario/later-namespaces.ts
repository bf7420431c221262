/**
 * Namespaces that a scenario makes and destroys by steps, on regions where nothing lies at the start: sizes and alignments as ndctl and
 * the kernel take them, and legacy ranges as they are found at boot. What is made here is mapped, but nothing is mounted on it.
 */
import type { PhysRange } from '../../range/phys-range.ts';
import { MiB } from '../../range/units.ts';
import type { Namespace } from '../../scenario/layout.ts';
import { alignStore, attachBtt, ndRegion, sizeStore, type NdRegion } from '../drivers/nvdimm/region_devs.ts';
import { mapRawNamespace, ndPfnClaim, ndPfnInit, usableBytes } from '../drivers/nvdimm/pfn_devs.ts';
import { EINVAL, ENODEV, ENOENT, ENXIO } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { MEMORY_DEVICE, memremapPages, memunmapPages } from '../mm/memremap.ts';
import { allocResource, insertResource, IORESOURCE_MEM } from '../resource.ts';
import { runStraight } from '../state/path.ts';
import type { BuiltScenario } from './built.ts';
import { placeDevices } from './place-devices.ts';

interface Made {
  readonly range: PhysRange;
  /** 0 for what is not mapped (a BTT that failed). */
  readonly pgmap: number;
  /** Bytes that can be used, and where they begin. */
  readonly usable: number;
  readonly start: number;
}

/** What is written to a seed (pfnN.0) before it is bound. */
type Seed = Map<string, string>;

interface Region {
  readonly number: number;
  readonly on: string;
  readonly range: PhysRange;
  readonly legacy: boolean;
  readonly nd: NdRegion;
  readonly made: Map<string, Made>;
  readonly seed: Seed;
  /** The range as it was found; null where it is not mapped as a raw namespace. */
  raw: Made | null;
}

const known = new WeakMap<BuiltScenario, readonly Region[]>();

/** Regions without a namespace at the start, in the order of the machine. */
export function regionsOf(built: BuiltScenario): readonly Region[] {
  const found = known.get(built) ?? findRegions(built);
  known.set(built, found);
  return found;
}

function findRegions(built: BuiltScenario): Region[] {
  const { machine } = built.scenario;
  const { k } = built.world;
  const fixed = new Set(machine.namespaces.filter((n) => !n.later).map((n) => n.on));
  const all = placeDevices(machine).regions.map((region, number) => ({ number, ...region }));
  return all.filter((r) => !fixed.has(r.on)).map(({ number, on, range, legacy }): Region => {
    if (!legacy) insertResource(k, k.resources.root, allocResource(k, range.start, range.end - 1, 'Persistent Memory', IORESOURCE_MEM));
    const region: Region = { number, on, range, legacy, nd: ndRegion(range.end - range.start, legacy ? 0 : 1), made: new Map(), seed: new Map(), raw: null };
    if (legacy) region.raw = mapRaw(k, region);
    return region;
  });
}

function mapRaw(k: Kernel, { range, number }: Region): Made | null {
  if (mapRawNamespace(k, `namespace${number}.0`, range) < 0) return null;
  return mapped(k, range, range.start, range.end - range.start);
}

function mapped(k: Kernel, range: PhysRange, start: number, usable: number): Made | null {
  const pgmap = memremapPages(k, { startPfn: range.start / k.geo.pageSize, endPfn: range.end / k.geo.pageSize, dataPfn: start / k.geo.pageSize, type: MEMORY_DEVICE.fsdax });
  return pgmap < 0 ? null : { range, pgmap, usable, start };
}

/** The bytes that can be used, or null where ndctl or the kernel refuses. */
export function createLater(built: BuiltScenario, spec: Namespace): number | null {
  const { k } = built.world;
  const region = regionsOf(built).find((r) => r.on === spec.on);
  if (region === undefined) return null;
  const size = spec.size ?? region.range.end - region.range.start;
  if (sizeStore(region.nd, size) < 0) return null;
  const range = region.legacy ? region.range : room(region, size);
  if (range === null) return null;
  // A range without labels is made over; in RAM its pages lie as they did.
  if (region.legacy && region.raw !== null) runStraight(memunmapPages(k, region.raw.pgmap));
  region.raw = null;
  const made = madeOf(k, region, range, spec);
  if (made !== null) region.made.set(spec.name, made);
  return made === null || made.pgmap === 0 ? null : made.usable;
}

function madeOf(k: Kernel, region: Region, range: PhysRange, spec: Namespace): Made | null {
  const size = range.end - range.start;
  if (spec.mode === 'sector') return { range, pgmap: attachBtt(size, '1.1') < 0 ? 0 : mapped(k, range, range.start, size)?.pgmap ?? 0, usable: size, start: range.start };
  if (spec.mode === 'raw' || (region.legacy && spec.mode === 'fsdax' && spec.map === 'mem')) return mapped(k, range, range.start, size);
  return byInfoBlock(k, `pfn${region.number}.${region.made.size}`, range, spec.map === 'dev' ? 'pmem' : 'ram', spec.align ?? 2 * MiB);
}

function byInfoBlock(k: Kernel, name: string, range: PhysRange, mode: 'ram' | 'pmem', align: number): Made | null {
  const block = ndPfnInit(k, { name, range, mode, align });
  const claimed = typeof block === 'number' ? block : ndPfnClaim(k, name, range, block);
  return typeof claimed === 'number' ? null : mapped(k, claimed.mapped, claimed.blockData, usableBytes(k, claimed));
}

/** The first gap between what was made, in the order of addresses. */
function room({ range, made }: Region, size: number): PhysRange | null {
  let start = range.start;
  for (const taken of [...made.values()].map((m) => m.range).sort((a, b) => a.start - b.start)) {
    if (start + size <= taken.start) break;
    start = Math.max(start, taken.end);
  }
  return start + size <= range.end ? { start, end: start + size } : null;
}

export function destroyLater(built: BuiltScenario, spec: Namespace): boolean {
  const region = regionsOf(built).find((r) => r.on === spec.on);
  const made = region?.made.get(spec.name);
  if (made === undefined) return false;
  if (made.pgmap !== 0) runStraight(memunmapPages(built.world.k, made.pgmap));
  region?.made.delete(spec.name);
  return true;
}

/** Files of such a region: text, or an errno below 0; null for a path that is none of theirs. */
export function laterFile(built: BuiltScenario, path: string, text?: string): string | number | null {
  const [, device = '', name = ''] = /^\/sys\/(?:bus\/nd\/devices|class\/block)\/([a-z]+\d+(?:\.\d+)?)\/([a-z]+)$/.exec(path) ?? [];
  const bind = path === '/sys/bus/nd/drivers/nd_pmem/bind' && text !== undefined ? text : '';
  const number = Number(/^[a-z]+(\d+)/.exec(bind || device)?.[1] ?? -1);
  const region = regionsOf(built).find((r) => r.number === number);
  if (region === undefined) return null;
  if (bind !== '') return bindBy(built.world.k, region, bind);
  if (device.startsWith('region')) return name === 'align' ? align(built.world.k, region, text) : null;
  if (device.startsWith('pmem')) return region.raw === null ? -ENOENT : String(region.raw.usable / 512);
  if (!device.startsWith('pfn')) return null;
  if (text !== undefined) {
    region.seed.set(name, text);
    return text.length;
  }
  const made = region.made.get(device);
  return made === undefined ? -ENXIO : name === 'size' ? String(made.usable) : name === 'resource' ? `0x${made.start.toString(16)}` : null;
}

function align(k: Kernel, { nd }: Region, text: string | undefined): string | number {
  if (text === undefined) return `0x${nd.align.toString(16)}`;
  const rc = alignStore(nd, Number(text), k.mechanism('section.region-align-without-mappings'));
  return rc < 0 ? rc : text.length;
}

/** bind_store: what a probe that failed makes of the write, as everywhere. */
function bindBy(k: Kernel, region: Region, name: string): number {
  const rc = probed(k, region, name);
  return rc < 0 && !k.mechanism('bus.bind-returns-probe-error') ? -ENODEV : rc;
}

function probed(k: Kernel, region: Region, name: string): number {
  if (name.startsWith('namespace')) {
    const rc = mapRawNamespace(k, name, region.range);
    if (rc >= 0) region.raw = mapRaw(k, region);
    return rc < 0 ? rc : name.length;
  }
  const { seed } = region;
  if (!seed.has('namespace')) return -ENODEV;
  const made = byInfoBlock(k, name, region.range, seed.get('mode') === 'pmem' ? 'pmem' : 'ram', Number(seed.get('align') ?? 2 * MiB));
  if (made === null) return -EINVAL;
  region.made.set(name, made);
  return name.length;
}
