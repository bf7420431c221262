/** CXL regions and memdevs, and the PCI slots that memory devices sit in. */
import type { Device } from '../types/device.ts';
import { draft, type Parts } from './draft.ts';
import { daxKind } from './pmem.ts';

export function cxlDevices(parts: Parts): Device[] {
  const regions = parts.cxl.regions.map((r) => {
    const dax = r.daxDevices.map((name) => `${daxKind(parts.dax.find((d) => d.name === name)?.driver ?? null)}:${name}`);
    return draft('cxl-region', r.name, {
      aliases: [`cxl:${r.name}`],
      ranges: r.range ? [r.range] : [],
      size: r.size,
      use: `${r.mode ?? 'unknown mode'}, ${r.committed === null ? 'commit state unknown' : r.committed ? 'committed' : 'not committed'}${(r.interleaveWays ?? 1) > 1 ? `, ${r.interleaveWays} ways` : ''}`,
      contains: [...dax, ...(r.nvdimmRegion === null ? [] : [`nvdimm-region:${r.nvdimmRegion}`])],
      driver: 'cxl_region',
      path: r.path,
    });
  });
  const memdevs = parts.cxl.memdevs.map((m) => {
    const serves = parts.cxl.regions.filter((r) => r.targets.some((t) => t.memdev === m.name));
    return draft('cxl-memdev', m.name, {
      aliases: [m.pci, `/dev/cxl/${m.name}`, m.serial === null ? null : `serial:${m.serial}`],
      size: (m.ramSize ?? 0) + (m.pmemSize ?? 0),
      use: serves.length === 0 ? 'in no region' : `serves ${serves.map((r) => r.name).join(', ')}`,
      nodes: [m.numaNode],
      contains: serves.map((r) => `cxl-region:${r.name}`),
      driver: m.driver,
      path: m.path,
    });
  });
  return [...regions, ...memdevs];
}

/** Only slots with memory behind them: pulling another card is not our business. */
export function slotDevices(parts: Parts): Device[] {
  const memory = [
    ...parts.cxl.memdevs.map((m) => ({ id: `cxl-memdev:${m.name}`, path: m.path, size: (m.ramSize ?? 0) + (m.pmemSize ?? 0) })),
    ...parts.virtioMem.map((v) => ({ id: `virtio-mem:${v.name}`, path: v.path, size: v.range ? v.range.end - v.range.start : 0 })),
    ...parts.virtioPmem.map((v) => ({ id: `virtio-pmem:${v.name}`, path: v.path, size: 0 })),
  ];
  return parts.slots.flatMap((slot) => {
    const inside = memory.filter((m) => slot.functions.some((f) => m.path.includes(`/${f}/`)));
    if (inside.length === 0) return [];
    return [draft('pci-slot', `slot:${slot.name}`, {
      aliases: [slot.name, slot.address],
      size: inside.reduce((sum, m) => sum + m.size, 0),
      use: `${slot.driver ?? 'no hotplug driver'}, power ${slot.power === null ? 'unknown' : slot.power ? 'on' : 'off'}`,
      contains: inside.map((m) => m.id),
      driver: slot.driver,
      path: slot.path,
    }, slot.name)];
  });
}
