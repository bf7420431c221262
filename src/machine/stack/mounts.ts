/** Mounts of every mount namespace, with their DAX state. */
import { isMissing } from '../../host/fact.ts';
import type { MountNamespace } from '../../host/host.ts';
import type { Reader } from '../reader.ts';
import type { BlockDevice, Mount } from '../types/stack.ts';
import { byteString } from '../../host/names.ts';
import { parseMountinfo, parseMountsLine, type MountLine } from './mountinfo.ts';

/** File systems that know DAX. Source: fs/{ext2,ext4,xfs,erofs,fuse}; famfs is DAX only. */
const DAX_ABLE: ReadonlySet<string> = new Set(['ext2', 'ext4', 'xfs', 'erofs', 'virtiofs', 'fuse', 'famfs']);

export function readMounts(reader: Reader, blocks: readonly BlockDevice[]): Mount[] {
  const namespaces = reader.value(reader.host.mounts.all()) ?? [];
  const mounts = namespaces.flatMap((namespace) => mountsOf(reader, namespace));
  return mounts.length > 0 ? mounts : fromProcMounts(reader, blocks);
}

function mountsOf(reader: Reader, namespace: MountNamespace): Mount[] {
  if (isMissing(namespace.mountinfo)) {
    reader.absence(namespace.mountinfo, true);
    return [];
  }
  const { mounts, badLines } = parseMountinfo(byteString(namespace.mountinfo));
  if (badLines > 0) reader.note('malformed', `${badLines} line(s) of the mountinfo of mount namespace ${namespace.id} make no sense`, `mnt:[${namespace.id}]`);
  return mounts.map((line) => ({ namespaceId: namespace.id, seenBy: namespace.pid ?? null, ...line, ...daxState(line) }));
}

/** `dax=always` and the old bare `dax` are super block options; ext4 and xfs print nothing for `inode`, which is the default. */
export function daxState(line: Pick<MountLine, 'fsType' | 'options' | 'superOptions'>): Pick<Mount, 'dax' | 'shutdown'> {
  const options = [...line.superOptions, ...line.options];
  const named = options.find((o) => o === 'dax' || o.startsWith('dax='));
  const dax = named === undefined ? null : named === 'dax' ? 'always' : named.slice('dax='.length);
  return { dax: DAX_ABLE.has(line.fsType) || line.fsType.startsWith('fuse') ? dax : null, shutdown: options.includes('shutdown') };
}

/** Trees that hold only /proc/mounts: device numbers come from the block devices by name. */
function fromProcMounts(reader: Reader, blocks: readonly BlockDevice[]): Mount[] {
  const data = reader.host.files.read('/proc/mounts');
  if (isMissing(data)) {
    reader.absence(data, true);
    return [];
  }
  const lines = byteString(data).split('\n').map(parseMountsLine).filter((line) => line !== null);
  return lines.map((line, index) => {
    const dev = blocks.find((b) => `/dev/${b.name}` === line.source)?.dev ?? '0:0';
    const mount = { id: index, parent: 0, dev, root: '/', superOptions: line.options, ...line };
    return { namespaceId: 0, seenBy: null, ...mount, ...daxState(mount) };
  });
}

/** The mount that holds a path, as the path is seen in one namespace: the longest mount point above it, the last one on a tie. */
export function mountHolding(mounts: readonly Mount[], namespaceId: number, path: string): Mount | null {
  let best: Mount | null = null;
  for (const mount of mounts) {
    if (mount.namespaceId !== namespaceId) continue;
    const above = mount.mountPoint === '/' || path === mount.mountPoint || path.startsWith(`${mount.mountPoint}/`);
    if (above && (best === null || mount.mountPoint.length >= best.mountPoint.length)) best = mount;
  }
  return best;
}
