/** CXL regions: a region is served by one endpoint decoder for each position, and goes down with any of the memdevs behind them. */
import type { PhysRange } from '../../range/phys-range.ts';
import { rangeOf } from '../nvdimm/claimant.ts';
import { numbered, type Reader } from '../reader.ts';
import type { CxlRegion } from '../types/cxl.ts';
import type { PortAt } from './ports.ts';

const DEVICES = '/sys/bus/cxl/devices';

export function readRegions(reader: Reader, names: readonly string[], ports: readonly PortAt[]): CxlRegion[] {
  return numbered(names, 'region').map((n) => readRegion(reader, `region${n}`, ports));
}

function readRegion(reader: Reader, name: string, ports: readonly PortAt[]): CxlRegion {
  const path = reader.real(`${DEVICES}/${name}`);
  const size = reader.unsigned(`${path}/size`);
  const range = rangeOf(reader.unsigned(`${path}/resource`), size);
  return {
    name,
    range,
    size,
    mode: reader.text(`${path}/mode`) || null,
    committed: reader.flag(`${path}/commit`),
    interleaveWays: reader.unsigned(`${path}/interleave_ways`),
    interleaveGranularity: reader.unsigned(`${path}/interleave_granularity`),
    targets: targetsOf(reader, path, ports),
    daxDevices: daxDevicesOf(reader, path),
    nvdimmRegion: nvdimmRegionOf(reader, range),
    path,
  };
}

function targetsOf(reader: Reader, path: string, ports: readonly PortAt[]): CxlRegion['targets'] {
  const decoders = numbered(reader.list(path), 'target').map((n) => reader.text(`${path}/target${n}`)).filter((d) => d !== null && d !== '');
  return (decoders as string[]).map((decoder) => {
    const endpoint = ports.find((port) => port.decoders.some((d) => d.name === decoder));
    return { decoder, memdev: /\/(mem\d+)$/.exec(endpoint?.uport ?? '')?.[1] ?? null };
  });
}

function daxDevicesOf(reader: Reader, path: string): string[] {
  return reader.list(path).filter((n) => /^dax_region\d+$/.test(n)).flatMap((n) => reader.list(`${path}/${n}`).filter((d) => /^dax\d+\.\d+$/.test(d)));
}

/**
 * The nvdimm region that a pmem region feeds hangs on the nvdimm bridge, not below the CXL region (drivers/cxl/pmem.c); what ties
 * them is the address. Whatever bus it is on: memory that lies in the range goes down with it.
 */
function nvdimmRegionOf(reader: Reader, range: PhysRange | null): string | null {
  if (range === null) return null;
  for (const name of numbered(reader.list('/sys/bus/nd/devices'), 'region').map((n) => `region${n}`)) {
    const start = reader.unsigned(`/sys/bus/nd/devices/${name}/resource`);
    if (start !== null && start >= range.start && start < range.end) return name;
  }
  return null;
}
