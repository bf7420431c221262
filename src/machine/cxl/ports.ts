/** CXL ports and their decoders. Source: drivers/cxl/core/port.c, hdm.c. */
import { rangeOf } from '../nvdimm/claimant.ts';
import type { Reader } from '../reader.ts';
import type { CxlDecoder, CxlPort } from '../types/cxl.ts';

const DEVICES = '/sys/bus/cxl/devices';
const KINDS: Readonly<Record<string, CxlDecoder['kind']>> = { cxl_decoder_root: 'root', cxl_decoder_switch: 'switch', cxl_decoder_endpoint: 'endpoint' };

/** A port with what only this room needs: where it hangs. */
export interface PortAt extends CxlPort {
  readonly path: string;
  /** Real path of the device that the port belongs to: of an endpoint, its memdev. */
  readonly uport: string | null;
}

export function readPorts(reader: Reader, names: readonly string[]): PortAt[] {
  return names.filter((name) => /^(root|port|endpoint)\d+$/.test(name)).map((name) => readPort(reader, name)).sort((a, b) => (a.depth ?? 0) - (b.depth ?? 0) || a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function readPort(reader: Reader, name: string): PortAt {
  const path = reader.real(`${DEVICES}/${name}`);
  const ancestors = path.split('/').filter((part) => /^(root|port|endpoint)\d+$/.test(part));
  const uport = `${path}/uport`;
  const committed = reader.unsigned(`${path}/decoders_committed`);
  return {
    name,
    parent: ancestors.at(-2) ?? null,
    depth: ancestors.length - 1,
    decoders: reader.list(path).filter((n) => /^decoder\d+\.\d+$/.test(n)).map((n) => readDecoder(reader, `${path}/${n}`, n, name, committed)).sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })),
    path,
    uport: reader.exists(uport) ? reader.real(uport) : null,
  };
}

function readDecoder(reader: Reader, path: string, name: string, port: string, committed: number | null): CxlDecoder {
  const region = reader.text(`${path}/region`);
  const kind = KINDS[reader.text(`${path}/devtype`) ?? ''] ?? 'unknown';
  const range = rangeOf(reader.unsigned(`${path}/start`), reader.unsigned(`${path}/size`));
  return {
    name, kind, port, range,
    locked: reader.flag(`${path}/locked`),
    committed: kind === 'root' || committed === null ? null : range !== null && Number(name.split('.')[1]) < committed,
    targetType: reader.text(`${path}/target_type`),
    mode: reader.text(`${path}/mode`),
    region: region === null || region === '' ? null : region,
    interleaveWays: reader.unsigned(`${path}/interleave_ways`),
    interleaveGranularity: reader.unsigned(`${path}/interleave_granularity`),
  };
}
