/**
 * ACPI memory devices and the blocks behind them. Source: drivers/acpi/acpi_memhotplug.c, drivers/acpi/glue.c: binding a
 * block leaves `physical_nodeN` links in the ACPI device and `firmware_node` in the block.
 */
import { MEMORY } from '../memory/blocks.ts';
import type { Reader } from '../reader.ts';
import type { AcpiMemoryDevice } from '../types/bus.ts';
import type { MemoryInventory } from '../types/memory.ts';

const DEVICES = '/sys/bus/acpi/devices';

export function readDimms(reader: Reader, memory: MemoryInventory): AcpiMemoryDevice[] {
  const names = reader.list(DEVICES).filter((name) => name.startsWith('PNP0C80:'));
  if (names.length === 0) return [];
  const byFirmwareNode = firmwareNodes(reader, memory);
  return names.map((name) => {
    const path = reader.real(`${DEVICES}/${name}`);
    const linked = reader.list(path).filter((n) => n.startsWith('physical_node')).map((n) => /^memory(\d+)$/.exec(reader.linkName(`${path}/${n}`) ?? '')?.[1]).filter((n) => n !== undefined).map(Number);
    const blocks = [...new Set([...linked, ...(byFirmwareNode.get(name) ?? [])])].sort((a, b) => a - b);
    const wanted = new Set(blocks);
    const covered = memory.blocks.filter((b) => wanted.has(b.index));
    return {
      name,
      status: reader.integer(`${path}/status`),
      blocks,
      range: covered.length === 0 ? null : { start: covered[0]!.start, end: covered.at(-1)!.end },
      ejectable: reader.list(path).includes('eject'),
      path,
    };
  });
}

function firmwareNodes(reader: Reader, memory: MemoryInventory): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const block of memory.blocks) {
    const name = reader.linkName(`${MEMORY}/memory${block.index}/firmware_node`);
    if (name !== null) found.set(name, [...(found.get(name) ?? []), block.index]);
  }
  return found;
}
