/** CXL regions: a region is served by one endpoint decoder for each position, and goes down with any of the memdevs behind them. */
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
  return {
    name,
    range: rangeOf(reader.unsigned(`${path}/resource`), size),
    size,
    mode: reader.text(`${path}/mode`) || null,
    committed: reader.flag(`${path}/commit`),
    interleaveWays: reader.unsigned(`${path}/interleave_ways`),
    interleaveGranularity: reader.unsigned(`${path}/interleave_granularity`),
    targets: targetsOf(reader, path, ports),
    daxDevices: daxDevicesOf(reader, path),
    nvdimmRegion: nvdimmRegionOf(reader, path),
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
 * The nvdimm region that a pmem region feeds hangs on the nvdimm bridge, not below the CXL region; what ties them is the
 * address.
 */
function nvdimmRegionOf(reader: Reader, path: string): string | null {
  if (!reader.list(path).some((n) => /^pmem_region\d+$/.test(n))) return null;
  const start = reader.unsigned(`${path}/resource`);
  for (const name of reader.list('/sys/bus/nd/devices').filter((n) => /^region\d+$/.test(n))) {
    const nd = reader.real(`/sys/bus/nd/devices/${name}`);
    if (nd.includes('/nvdimm-bridge') && start !== null && reader.unsigned(`${nd}/resource`) === start) return name;
  }
  return null;
}
