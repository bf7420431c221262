/** Facts that contradict each other, or that an operator would otherwise overlook. */
import { formatBytes, formatRange, geometryOf } from '../range/units.ts';
import { isMissing } from '../host/fact.ts';
import { overlaps, rangeSize } from '../range/phys-range.ts';
import { isPersistent, walkResources } from './address-map/iomem.ts';
import type { Parts } from './devices/draft.ts';
import type { Reader } from './reader.ts';
import type { AddressMap } from './types/address-map.ts';
import type { Device } from './types/device.ts';

export function noteOddities(reader: Reader, map: AddressMap, parts: Parts): void {
  const nodes = parts.memory.nodes;
  for (const dax of parts.dax) {
    if (dax.driver === 'kmem' && dax.targetNode !== null && nodes.length > 0 && !nodes.some((n) => n.id === dax.targetNode)) {
      reader.note('disagreement', `${dax.name} is bound to kmem for node ${dax.targetNode}, which does not exist on this machine (nodes ${nodes.map((n) => n.id).join(', ')})`, dax.name);
    }
    if ((dax.lostBytes ?? 0) > 0) {
      reader.note('kmem-loss', `kmem takes whole memory blocks only: ${formatBytes(dax.lostBytes!)} of the ${formatBytes(dax.size ?? 0)} of ${dax.name} are not used`, dax.name);
    }
    if (dax.driver === 'kmem' && dax.blocks.length === 0 && map.resources.length > 0 && parts.memory.blockSize !== null && dax.ranges.length > 0) {
      reader.note('disagreement', `${dax.name} is bound to kmem and none of its memory blocks is there`, dax.name);
    }
  }
  leakedRam(reader, map, parts);
  geometry(reader);
}

/** `System RAM (kmem)` below a dax device that is not bound to kmem: left by an unbind while blocks were online, until reboot. */
function leakedRam(reader: Reader, map: AddressMap, parts: Parts): void {
  const visit = (resources: AddressMap['resources'], owner: string | null): void => {
    for (const r of resources) {
      if (r.name === 'System RAM (kmem)' && owner !== null && parts.dax.find((d) => d.name === owner)?.driver !== 'kmem') {
        reader.note('region-leaked', `${formatRange(r)} is still System RAM of ${owner}, which is not bound to kmem any more: the range is lost until a reboot`, owner);
      }
      visit(r.children, r.name);
    }
  };
  visit(map.resources, null);
}

/** Persistent memory that firmware tells of and no device stands for: its driver is not loaded, or a capture left it out. */
export function noteUnclaimed(reader: Reader, map: AddressMap, devices: readonly Device[]): void {
  const claimed = devices.filter((d) => d.kind !== 'memory-block').flatMap((d) => d.ranges);
  const loose = [...walkResources(map.resources)].map((w) => w.resource).filter((r) => isPersistent(r.name) && !claimed.some((range) => overlaps(range, r)));
  if (loose.length === 0) return;
  const absence = ['/sys/bus/nd/devices', '/sys/bus/dax/devices'].map((path) => reader.host.files.list(path)).find(isMissing);
  const why = absence?.missing === 'not-captured' ? `${absence.path} is not in the capture` : 'the driver of its bus (nfit, nd_e820, of_pmem) may not be loaded';
  for (const r of loose) reader.note('unclaimed', `${formatRange(r)} (${formatBytes(rangeSize(r))}) is ${r.name} in /proc/iomem, and no device is known for it: ${why}`, formatRange(r));
}

function geometry(reader: Reader): void {
  const { arch, pageSize } = reader.host.identity;
  if (typeof arch === 'string' && typeof pageSize === 'number' && geometryOf(arch, pageSize) === null) {
    reader.note('unknown-geometry', `Section sizes of ${arch} with pages of ${formatBytes(pageSize)} are not known here: nothing is said about sections`);
  }
}
