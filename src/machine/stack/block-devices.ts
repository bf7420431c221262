/** Block devices and what is stacked on what. Source: block/genhd.c, drivers/md/dm-sysfs.c, md.c, drivers/block/loop.c, block/holder.c. */
import { isMissing } from '../../host/fact.ts';
import type { Reader } from '../reader.ts';
import type { BlockDevice } from '../types/stack.ts';

const SECTOR = 512;

export function readBlockDevices(reader: Reader): BlockDevice[] {
  const names = reader.list('/sys/class/block');
  const all = names.length > 0 ? names.map((name) => [name, `/sys/class/block/${name}`] as const) : reader.list('/sys/block').map((name) => [name, `/sys/block/${name}`] as const);
  const devices = all.map(([name, path]) => readDevice(reader, name, path));
  const paths = new Map(all.map(([name, path]) => [name, reader.real(path)]));
  return devices.map((device) => ({
    ...device,
    above: sorted([...device.above, ...devices.filter((d) => d.below.includes(device.name)).map((d) => d.name), ...partitionsOf(device.name, paths)]),
  }));
}

const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));

/** Partitions are directories inside their disk's directory. */
const partitionsOf = (disk: string, paths: ReadonlyMap<string, string>): string[] =>
  [...paths].filter(([name, path]) => name !== disk && path.split('/').at(-2) === disk).map(([name]) => name);

function readDevice(reader: Reader, name: string, path: string): BlockDevice {
  const real = reader.real(path);
  const files = reader.list(real);
  const disk = files.includes('partition') ? (real.split('/').at(-2) ?? null) : null;
  const backingFile = files.includes('loop') ? backing(reader, `${real}/loop/backing_file`) : null;
  const sectors = reader.unsigned(`${real}/size`);
  return {
    name,
    dev: reader.text(`${real}/dev`) ?? '0:0',
    kind: kindOf(name, files),
    label: labelOf(reader, real, files, backingFile),
    above: reader.list(`${real}/holders`),
    below: sorted([...reader.list(`${real}/slaves`), ...(disk === null ? [] : [disk])]),
    backingFile,
    sizeBytes: sectors === null ? null : sectors * SECTOR,
    dax: reader.flag(`${real}/queue/dax`),
  };
}

function kindOf(name: string, files: readonly string[]): BlockDevice['kind'] {
  if (files.includes('partition')) return 'partition';
  if (files.includes('dm')) return 'dm';
  if (files.includes('md')) return 'md';
  if (files.includes('loop') || /^loop\d+$/.test(name)) return 'loop';
  if (/^zram\d+$/.test(name)) return 'zram';
  return /^pmem\d/.test(name) ? 'pmem' : 'other';
}

function labelOf(reader: Reader, real: string, files: readonly string[], backingFile: string | null): string | null {
  if (files.includes('dm')) return reader.text(`${real}/dm/name`);
  if (files.includes('md')) return reader.text(`${real}/md/level`);
  return backingFile;
}

function backing(reader: Reader, path: string): string | null {
  const text = reader.host.files.text(path);
  return isMissing(text) || text.trim() === '' ? null : text.trim();
}
