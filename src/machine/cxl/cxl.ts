/** CXL as the kernel's cxl bus shows it. Source: drivers/cxl/core/{memdev,port,region,hdm}.c; Documentation/ABI/testing/sysfs-bus-cxl. */
import { overlaps } from '../../range/phys-range.ts';
import { walkResources } from '../address-map/iomem.ts';
import { numbered, type Reader } from '../reader.ts';
import type { AddressMap, Resource } from '../types/address-map.ts';
import type { CxlInventory, CxlMemdev } from '../types/cxl.ts';
import { readPorts } from './ports.ts';
import { readRegions } from './regions.ts';

export const CXL_DEVICES = '/sys/bus/cxl/devices';

export function readCxl(reader: Reader, map: AddressMap): CxlInventory {
  const names = reader.list(CXL_DEVICES);
  const ports = readPorts(reader, names);
  return {
    memdevs: numbered(names, 'mem').map((n) => readMemdev(reader, `mem${n}`)),
    ports: ports.map(({ name, parent, depth, decoders }) => ({ name, parent, depth, decoders })),
    regions: readRegions(reader, names, ports),
    softReserved: softReserved(map),
  };
}

function readMemdev(reader: Reader, name: string): CxlMemdev {
  const path = reader.real(`${CXL_DEVICES}/${name}`);
  return {
    name,
    serial: reader.text(`${path}/serial`),
    ramSize: reader.unsigned(`${path}/ram/size`),
    pmemSize: reader.unsigned(`${path}/pmem/size`),
    numaNode: reader.integer(`${path}/numa_node`),
    pci: /\/([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\/mem\d+$/.exec(path)?.[1] ?? null,
    driver: reader.linkName(`${path}/driver`),
    firmware: reader.text(`${path}/firmware_version`),
    path,
  };
}

/**
 * Ranges that firmware set aside for special purpose memory, and who took them: a CXL window or region inside, an hmem
 * dax device, or nobody. Since 6.18 the cxl driver may remove the `Soft Reserved` line of a range that it serves.
 */
function softReserved(map: AddressMap): CxlInventory['softReserved'] {
  const lines = [...walkResources(map.resources)].map((w) => w.resource);
  const windows = lines.filter((r) => r.name.startsWith('CXL Window'));
  return lines.filter((r) => r.name === 'Soft Reserved').map((r) => {
    const below = [...walkResources(r.children)].map((w) => w.resource);
    const owner = windows.some((w) => overlaps(w, r)) || below.some(isCxl) ? 'cxl' : below.some((b) => /^(hmem|dax\d)/.test(b.name)) ? 'hmem' : 'none';
    return { start: r.start, end: r.end, owner };
  });
}

const isCxl = (r: Resource): boolean => r.name.startsWith('CXL Window') || /^region\d+$/.test(r.name);
