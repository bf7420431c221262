/** virtio-mem and virtio-pmem. Source: drivers/virtio/virtio_mem.c, drivers/nvdimm/virtio_pmem.c; device ids of the virtio specification, 5.15 and 5.19. */
import { overlaps, type PhysRange } from '../../range/phys-range.ts';
import { isSystemRam, resourcesNamed, walkResources } from '../address-map/iomem.ts';
import type { Reader } from '../reader.ts';
import type { AddressMap } from '../types/address-map.ts';
import type { VirtioMem, VirtioPmem } from '../types/bus.ts';
import type { MemoryInventory } from '../types/memory.ts';

const DEVICES = '/sys/bus/virtio/devices';
const ID_MEM = 24;
const ID_PMEM = 27;

const devicesWithId = (reader: Reader, id: number): string[] =>
  reader.list(DEVICES).filter((name) => /^virtio\d+$/.test(name) && Number(reader.text(`${DEVICES}/${name}/device`)) === id);

const pciOf = (path: string): string | null => /\/([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\/virtio\d+$/.exec(path)?.[1] ?? null;

export function readVirtioMem(reader: Reader, map: AddressMap, memory: MemoryInventory): VirtioMem[] {
  return devicesWithId(reader, ID_MEM).map((name) => {
    const path = reader.real(`${DEVICES}/${name}`);
    const region = resourcesNamed(map, name)[0];
    const plugged: PhysRange[] = region === undefined ? [] : [...walkResources(region.children)]
      .map((w) => w.resource).filter((r) => isSystemRam(r.name)).map((r) => ({ start: r.start, end: r.end }));
    return {
      name,
      driver: reader.linkName(`${path}/driver`),
      range: region === undefined ? null : { start: region.start, end: region.end },
      plugged,
      blocks: memory.blocks.filter((b) => plugged.some((r) => overlaps(r, b))).map((b) => b.index),
      pci: pciOf(path),
      path,
    };
  });
}

export function readVirtioPmem(reader: Reader): VirtioPmem[] {
  return devicesWithId(reader, ID_PMEM).map((name) => {
    const path = reader.real(`${DEVICES}/${name}`);
    const bus = reader.list(path).find((n) => /^ndbus\d+$/.test(n));
    const region = bus === undefined ? undefined : reader.list(`${path}/${bus}`).find((n) => /^region\d+$/.test(n));
    return { name, driver: reader.linkName(`${path}/driver`), region: region ?? null, pci: pciOf(path), path };
  });
}
