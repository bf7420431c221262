/**
 * The cxl bus in sysfs (Documentation/ABI/testing/sysfs-bus-cxl; drivers/cxl/core/{port,hdm,region,memdev}.c, 7.2): one root
 * with its window, the port of the host bridge, an endpoint for each card, and regions with the decoders that serve them.
 */
import { busDevices, deviceDriver, driverCore } from '../drivers/base/bus.ts';
import { cxlRegions, MEMDEV, regionCommitted, regionEnd, regionStart, REGION, REGION_MODE, regionTargets } from '../drivers/cxl/cxl.ts';
import { commitStore } from '../drivers/cxl/region.ts';
import type { Kernel } from '../kernel.ts';
import type { Path } from '../state/path.ts';
import { attribute, directory, link, type DirectoryNode, type Node } from './vfs.ts';
import type { CardPlace, CxlPlaces, World } from './world.ts';

const hex = (n: number): string => `0x${n.toString(16)}`;
const up = (path: string): string => path.split('/').filter((p) => p !== '').slice(1).map(() => '..').join('/');
const isThere = (k: Kernel, bus: string, device: number): boolean => device !== 0 && busDevices(k, bus).includes(device);

/** The host bridge of a machine that says nothing of its own: as QEMU has it. */
export const USUAL_CXL: CxlPlaces = { root: '/sys/devices/platform/ACPI0017:00/root0', port: 'port1', decoders: 4, window: null };

const rootOf = (world: World): CxlPlaces => world.hotplug?.cxl ?? USUAL_CXL;
const pciPath = (card: CardPlace): string => card.pciPath ?? `/sys/devices/pci0000:0c/0000:0c:0${card.index}.0/${card.pci}`;
export const memdevPath = (card: CardPlace): string => `${pciPath(card)}/${card.name}`;
const endpointName = (card: CardPlace): string => card.endpoint ?? `endpoint${card.index + 2}`;
const numberOf = (port: string): string => /\d+$/.exec(port)?.[0] ?? '0';
const pciOf = (k: Kernel, card: CardPlace): number => k.heap.load(card.memdev + MEMDEV.pci);
const memOf = (k: Kernel, card: CardPlace): number => k.heap.load(card.memdev + MEMDEV.dev);

function driverLink(k: Kernel, path: string, bus: string, device: number): Record<string, Node> {
  const driver = deviceDriver(k, device);
  return driver === 0 ? {} : { driver: link(`${up(path)}/bus/${bus}/drivers/${driverCore(k).driver(driver).name}`) };
}

/** Real directories of what is on the cxl or pci bus now, by name. */
export function cxlPlaces(world: World, bus: 'cxl' | 'pci'): Map<string, string> {
  const { k } = world;
  const places = new Map<string, string>();
  const cards = world.hotplug?.cards ?? [];
  for (const card of cards) if (bus === 'pci' && isThere(k, 'pci', pciOf(k, card))) places.set(card.pci, pciPath(card));
  const { root, port, decoders } = rootOf(world);
  if (bus === 'pci' || (cards.length === 0 && world.hotplug?.cxl === undefined)) return places;
  places.set('root0', root).set('decoder0.0', `${root}/decoder0.0`);
  const putPort = (name: string, path: string): void => {
    places.set(name, path);
    for (let i = 0; i < decoders; i += 1) places.set(`decoder${numberOf(name)}.${i}`, `${path}/decoder${numberOf(name)}.${i}`);
  };
  putPort(port, `${root}/${port}`);
  for (const card of cards) {
    if (isThere(k, 'cxl', memOf(k, card))) {
      places.set(card.name, memdevPath(card));
      putPort(endpointName(card), `${root}/${port}/${endpointName(card)}`);
    }
    if (card.region !== 0) places.set(card.regionName, `${root}/decoder0.0/${card.regionName}`);
  }
  return places;
}

/** Every file of the cxl bus and of the cards' PCI functions, by full path. */
export function cxlPaths(world: World): Map<string, Node> {
  const { k } = world;
  const paths = new Map<string, Node>();
  const put = (path: string, entries: Readonly<Record<string, Node>>): void => { for (const [name, node] of Object.entries(entries)) paths.set(`${path}/${name}`, node); };
  const cards = world.hotplug?.cards ?? [];
  if (cards.length === 0 && world.hotplug?.cxl === undefined) return paths;
  const { root, port, window, decoders } = rootOf(world);
  const window0 = window ?? { start: 0, end: 0 };
  put(root, { uport: link(`${up(root)}${root.replace(/^\/sys/, '').replace(/\/root0$/, '')}`), decoders_committed: attribute(() => 0) });
  put(`${root}/decoder0.0`, decoder({ devtype: 'cxl_decoder_root', start: window0.start, size: window0.end - window0.start }));
  put(`${root}/${port}`, portFiles(k, numberOf(port), cxlRegions(k).reverse(), decoders, () => ({ devtype: 'cxl_decoder_switch' })));
  for (const card of cards) {
    if (isThere(k, 'pci', pciOf(k, card))) put(pciPath(card), { class: attribute(() => '0x050210'), vendor: attribute(() => '0x8086'), device: attribute(() => '0x0d93'), subsystem: link(`${up(pciPath(card))}/bus/pci`), ...driverLink(k, pciPath(card), 'pci', pciOf(k, card)) });
    if (isThere(k, 'cxl', memOf(k, card))) {
      put(memdevPath(card), memdevFiles(k, card));
      const path = `${root}/${port}/${endpointName(card)}`;
      const modeOf = (region: number): string => (region === 0 ? 'none' : k.heap.load(region + REGION.mode) === REGION_MODE.pmem ? 'pmem' : 'ram');
      put(path, { uport: link(`${up(path)}${memdevPath(card).replace(/^\/sys/, '')}`), ...portFiles(k, numberOf(endpointName(card)), servedBy(k, card), decoders, (region) => ({ devtype: 'cxl_decoder_endpoint', mode: modeOf(region) })) });
    }
    if (card.region !== 0) put(`${root}/decoder0.0/${card.regionName}`, regionFiles(world, cards, card));
  }
  return paths;
}

/** Regions that a card has a decoder for, oldest first: the first takes decoder 0. */
const servedBy = (k: Kernel, card: CardPlace): number[] => cxlRegions(k).reverse().filter((region) => regionTargets(k, region).includes(card.memdev));

interface DecoderView {
  readonly devtype: string;
  readonly start?: number;
  readonly size?: number;
  readonly region?: string;
  readonly mode?: string;
}

function decoder(view: DecoderView): Record<string, Node> {
  const root = view.devtype === 'cxl_decoder_root';
  return {
    devtype: attribute(() => view.devtype), start: attribute(() => hex(view.start ?? 0)), size: attribute(() => hex(view.size ?? 0)), locked: attribute(() => 0),
    ...(root ? {} : { target_type: attribute(() => 'expander'), region: attribute(() => view.region ?? '') }),
    ...(view.mode === undefined ? {} : { mode: attribute(() => view.mode ?? '') }), interleave_ways: attribute(() => 1), interleave_granularity: attribute(() => 256),
  };
}

/** A port's decoders: the region of each, where it is committed. */
function portFiles(k: Kernel, number: string, regions: readonly number[], decoders: number, kind: (region: number) => Pick<DecoderView, 'devtype' | 'mode'>): Record<string, Node> {
  const files: Record<string, Node> = { decoders_committed: attribute(() => regions.filter((r) => regionCommitted(k, r)).length) };
  for (let i = 0; i < decoders; i += 1) {
    const region = regions[i] ?? 0;
    const on = region !== 0 && regionCommitted(k, region) ? region : 0;
    files[`decoder${number}.${i}`] = directory(decoder({ ...kind(on), ...(on === 0 ? {} : { start: regionStart(k, on), size: regionEnd(k, on) - regionStart(k, on), region: k.names.text(k.heap.load(on + REGION.name)) }) }));
  }
  return files;
}

function memdevFiles(k: Kernel, card: CardPlace): Record<string, Node> {
  const path = memdevPath(card);
  const size = (kind: 'ram' | 'pmem'): DirectoryNode => directory({ size: attribute(() => hex(card.memory === (kind === 'ram' ? 'volatile' : 'persistent') ? card.size : 0)) });
  return {
    serial: attribute(() => card.serial ?? hex(card.index + 1)), ram: size('ram'), pmem: size('pmem'), numa_node: attribute(() => card.numaNode ?? -1), firmware_version: attribute(() => card.firmware ?? 'BWFW VERSION 00'),
    subsystem: link(`${up(path)}/bus/cxl`), ...driverLink(k, path, 'cxl', memOf(k, card)),
  };
}

function regionFiles(world: World, cards: readonly CardPlace[], card: CardPlace): Record<string, Node> {
  const { k } = world;
  const { region } = card;
  const path = `${rootOf(world).root}/decoder0.0/${card.regionName}`;
  const targets = regionTargets(k, region);
  const pmem = k.heap.load(region + REGION.mode) === REGION_MODE.pmem;
  const files: Record<string, Node> = {
    resource: attribute(() => hex(regionStart(k, region))), size: attribute(() => hex(regionEnd(k, region) - regionStart(k, region))), mode: attribute(() => (pmem ? 'pmem' : 'ram')),
    commit: attribute(() => (regionCommitted(k, region) ? 1 : 0), (text) => commitWrite(k, region, text)), interleave_ways: attribute(() => targets.length), interleave_granularity: attribute(() => 256),
    subsystem: link(`${up(path)}/bus/cxl`), ...driverLink(k, path, 'cxl', k.heap.load(region + REGION.dev)), ...(pmem ? { [`pmem_${card.regionName}`]: directory({}) } : {}),
  };
  targets.forEach((memdev, i) => {
    const target = cards.find((c) => c.memdev === memdev);
    const name = target === undefined ? '' : `decoder${numberOf(endpointName(target))}.${servedBy(k, target).indexOf(region)}`;
    files[`target${i}`] = attribute(() => (regionCommitted(k, region) ? name : ''));
  });
  return files;
}

function* commitWrite(k: Kernel, region: number, text: string): Path<number> {
  const rc = yield* k.call(commitStore, region, text.trim() === '1' ? 1 : 0);
  return rc < 0 ? rc : text.length;
}
