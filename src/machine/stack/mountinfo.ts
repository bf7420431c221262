/** /proc/PID/mountinfo and /proc/mounts. Source: fs/proc_namespace.c, show_mountinfo(); Documentation/filesystems/proc.rst, 3.5. */
import type { ByteString, DeviceNumber } from '../../host/host.ts';
import { unescapeOctal } from './escapes.ts';

export interface MountLine {
  readonly id: number;
  readonly parent: number;
  readonly dev: DeviceNumber;
  readonly root: ByteString;
  readonly mountPoint: ByteString;
  readonly options: readonly string[];
  readonly fsType: string;
  readonly source: ByteString;
  readonly superOptions: readonly string[];
}

/** One line: `id parent dev root mountpoint options [tags] - type source superoptions`; null for anything else. */
export function parseMountLine(line: ByteString): MountLine | null {
  const fields = line.split(' ');
  const dash = fields.indexOf('-', 6);
  const [id, parent, dev, root, mountPoint, options] = fields;
  const [fsType, source, superOptions] = dash < 0 ? [] : fields.slice(dash + 1);
  if (!/^\d+$/.test(id ?? '') || !/^\d+$/.test(parent ?? '') || !/^\d+:\d+$/.test(dev ?? '') || fsType === undefined || mountPoint === undefined) return null;
  return {
    id: Number(id), parent: Number(parent), dev: dev!,
    root: unescapeOctal(root!), mountPoint: unescapeOctal(mountPoint), options: splitOptions(options ?? ''),
    fsType, source: unescapeOctal(source ?? ''), superOptions: splitOptions(superOptions ?? ''),
  };
}

/** All mounts of a text, and how many lines were none. */
export function parseMountinfo(text: ByteString): { readonly mounts: MountLine[]; readonly badLines: number } {
  const mounts: MountLine[] = [];
  let badLines = 0;
  for (const line of text.split('\n').filter((l) => l !== '')) {
    const mount = parseMountLine(line);
    if (mount) mounts.push(mount);
    else badLines += 1;
  }
  return { mounts, badLines };
}

/** A line of /proc/mounts, which has neither ids nor device numbers. */
export function parseMountsLine(line: ByteString): Pick<MountLine, 'source' | 'mountPoint' | 'fsType' | 'options'> | null {
  const [source, mountPoint, fsType, options] = line.split(' ');
  if (source === undefined || mountPoint === undefined || fsType === undefined || options === undefined) return null;
  return { source: unescapeOctal(source), mountPoint: unescapeOctal(mountPoint), fsType, options: splitOptions(options) };
}

/** Options are separated by commas; a backslash keeps a comma inside a value (overlay's lowerdir). */
export const splitOptions = (text: ByteString): string[] => (text === '' ? [] : (text.match(/(?:\\.|[^,\\])+/gs) ?? [])).map((option) => unescapeOctal(option));
