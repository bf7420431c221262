/** nvdimm buses and regions. Source: drivers/nvdimm/bus.c, region_devs.c; Documentation/ABI/testing/sysfs-bus-nvdimm, sysfs-bus-nfit. */
import { numbered, type Reader } from '../reader.ts';
import type { NvdimmBus, NvdimmRegion } from '../types/nvdimm.ts';
import { rangeOf } from './claimant.ts';
import { readNamespaces } from './namespace.ts';

export function readNvdimm(reader: Reader): NvdimmBus[] {
  return busPaths(reader).map((path) => ({
    name: path.split('/').at(-1)!,
    provider: reader.text(`${path}/provider`),
    regions: numbered(reader.list(path), 'region').map((n) => readRegion(reader, `${path}/region${n}`)),
    path,
  }));
}

/**
 * Real directories of the buses. Trees of other tools may lack /sys/bus/nd and still hold the devices: then the buses
 * are found as ancestors of pmem disks and dax devices.
 */
function busPaths(reader: Reader): string[] {
  const paths = new Set<string>();
  const add = (path: string): void => {
    const bus = /^(.*\/ndbus\d+)(?:\/|$)/.exec(reader.real(path))?.[1];
    if (bus !== undefined) paths.add(bus);
  };
  const devices = reader.list('/sys/bus/nd/devices');
  for (const name of devices.filter((n) => n.startsWith('ndbus'))) add(`/sys/bus/nd/devices/${name}`);
  if (devices.length === 0) {
    for (const name of reader.list('/sys/bus/dax/devices')) add(`/sys/bus/dax/devices/${name}`);
    for (const name of reader.list('/sys/class/block').filter((n) => n.startsWith('pmem'))) add(`/sys/class/block/${name}`);
  }
  return [...paths].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

function readRegion(reader: Reader, path: string): NvdimmRegion {
  const name = path.split('/').at(-1)!;
  const size = reader.unsigned(`${path}/size`);
  return {
    name,
    type: typeOf(reader, path),
    range: rangeOf(reader.unsigned(`${path}/resource`), size),
    size,
    align: reader.unsigned(`${path}/align`),
    numaNode: reader.integer(`${path}/numa_node`),
    dimms: dimmsOf(reader, path),
    persistenceDomain: reader.text(`${path}/persistence_domain`) || null,
    namespaces: readNamespaces(reader, path, name),
    path,
  };
}

/** `devtype` is nd_pmem, nd_volatile or (to 5.16) nd_blk. */
function typeOf(reader: Reader, path: string): string {
  const devtype = reader.text(`${path}/devtype`);
  return devtype?.startsWith('nd_') ? devtype.slice(3) : 'unknown';
}

/** `mappingN` reads `nmem0,offset,size,position`. */
function dimmsOf(reader: Reader, path: string): string[] {
  const names = numbered(reader.list(path), 'mapping').map((n) => reader.text(`${path}/mapping${n}`)?.split(',')[0] ?? '');
  return [...new Set(names.filter((name) => name !== ''))];
}
