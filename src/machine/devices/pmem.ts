/** Devices made from nvdimm namespaces and regions. */
import type { Device, DeviceKind } from '../types/device.ts';
import type { NvdimmBus, NvdimmNamespace, NvdimmRegion } from '../types/nvdimm.ts';
import { blockUse } from './block-use.ts';
import { draft, type Parts } from './draft.ts';

export const namespaceId = (parts: Parts, n: NvdimmNamespace): string => {
  const dax = daxOf(parts, n);
  return dax ? `${daxKind(dax.driver)}:${dax.name}` : `${kindOf(n)}:${n.name}`;
};

export const daxKind = (driver: string | null): DeviceKind => (driver === null ? 'unbound' : driver === 'kmem' ? 'kmem' : 'devdax');

const daxOf = (parts: Parts, n: NvdimmNamespace): Parts['dax'][number] | undefined => (n.chardev === null ? undefined : parts.dax.find((d) => d.name === n.chardev));

function kindOf(n: NvdimmNamespace): DeviceKind {
  if (n.driver === null) return 'unbound';
  return n.mode === 'fsdax' ? 'fsdax' : n.mode === 'sector' ? 'btt' : n.mode === 'devdax' ? 'devdax' : 'raw-pmem';
}

const MODE_WORDS: Readonly<Record<string, string>> = { raw: 'raw', fsdax: 'fsdax', devdax: 'devdax', sector: 'sector (btt)', unknown: 'unknown mode' };

/** Namespaces that are no dax device; those are made by dax.ts, which knows more of them. */
export function namespaceDevices(parts: Parts): Device[] {
  return parts.nvdimm.flatMap((bus) => bus.regions.flatMap((region) => region.namespaces.filter((n) => !daxOf(parts, n)).map((n) => namespaceDevice(parts, region, n))));
}

function namespaceDevice(parts: Parts, region: NvdimmRegion, n: NvdimmNamespace): Device {
  const use = blockUse(parts, n.block);
  const mode = MODE_WORDS[n.mode] ?? n.mode;
  return draft(kindOf(n), n.block ?? n.name, {
    aliases: [n.name, claimantAlias(parts, n), ...use.aliases, n.uuid],
    ranges: n.range ? [n.range] : n.dataRange ? [n.dataRange] : [],
    size: n.size,
    use: n.driver === null ? `not in use: ${mode}, no driver bound` : (use.words ?? `${mode}, not mounted`),
    deviceNumbers: use.deviceNumbers,
    nodes: [n.numaNode],
    driver: n.driver,
    path: `${region.path}/${n.bindName}`,
  }, n.name);
}

/** `pfn0.0`; the nd device `dax0.0` only under `nd:dax0.0` where a device of the dax bus has that name and is another one. */
export function claimantAlias(parts: Parts, n: NvdimmNamespace): string | null {
  if (n.holder === null) return null;
  return n.chardev !== n.holder && parts.dax.some((d) => d.name === n.holder) ? `nd:${n.holder}` : n.holder;
}

export function regionDevices(parts: Parts): Device[] {
  return parts.nvdimm.flatMap((bus) => bus.regions.map((region) => regionDevice(parts, bus, region)));
}

function regionDevice(parts: Parts, bus: NvdimmBus, region: NvdimmRegion): Device {
  const count = region.namespaces.length;
  return draft('nvdimm-region', region.name, {
    aliases: [`nvdimm:${region.name}`, `nd:${region.name}`, ...region.dimms, ...(bus.regions.length === 1 ? [bus.name] : [])],
    ranges: region.range ? [region.range] : [],
    size: region.size,
    use: count === 0 ? 'no namespace' : `${count} namespace(s)`,
    nodes: [region.numaNode],
    contains: region.namespaces.map((n) => namespaceId(parts, n)),
    driver: 'nd_region',
    path: region.path,
  });
}
