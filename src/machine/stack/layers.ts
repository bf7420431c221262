/** What uses directories and files of a mounted file system without being a process: overlays, NFS exports, loop devices on files. */
import { isMissing } from '../../host/fact.ts';
import type { Reader } from '../reader.ts';
import type { BlockDevice, Mount, NfsExport, OverlayLayer } from '../types/stack.ts';
import { byteString } from '../../host/names.ts';
import { unescapeOctal } from './escapes.ts';
import { mountHolding } from './mounts.ts';

/** `lowerdir=a:b` (since 6.5 also `lowerdir+=a`, `datadir+=a`), `upperdir=`, `workdir=`; a colon in a name is escaped by a backslash. */
export function parseLayers(superOptions: readonly string[]): { readonly role: OverlayLayer['role']; readonly directory: string }[] {
  const layers: { role: OverlayLayer['role']; directory: string }[] = [];
  for (const option of superOptions) {
    const at = option.indexOf('=');
    const key = option.slice(0, at).replace(/\+$/, '');
    const value = option.slice(at + 1);
    if (key === 'upperdir' || key === 'workdir') layers.push({ role: key === 'upperdir' ? 'upper' : 'work', directory: unescapeColon(value) });
    else if (key === 'lowerdir' || key === 'datadir') for (const directory of value.match(/(?:\\.|[^:\\])+/gs) ?? []) layers.push({ role: 'lower', directory: unescapeColon(directory) });
  }
  return layers;
}

const unescapeColon = (text: string): string => text.replace(/\\(.)/gs, '$1');

export function readOverlays(mounts: readonly Mount[]): OverlayLayer[] {
  return mounts.filter((m) => m.fsType === 'overlay').flatMap((mount) => parseLayers(mount.superOptions).map((layer) => ({
    namespaceId: mount.namespaceId, mountPoint: mount.mountPoint, ...layer, overlayDev: mount.dev,
    onDev: layer.directory.startsWith('/') ? (holdingAnywhere(mounts, mount.namespaceId, layer.directory)?.dev ?? null) : null,
  })));
}

/**
 * The names are those at the time of the mount, often in another namespace (the container engine's): the namespace with
 * the longest mount point above the directory is taken, the overlay's own first.
 */
function holdingAnywhere(mounts: readonly Mount[], own: number, directory: string): Mount | null {
  let best = mountHolding(mounts, own, directory);
  if (best !== null && best.mountPoint !== '/') return best;
  for (const id of new Set(mounts.map((m) => m.namespaceId))) {
    const other = mountHolding(mounts, id, directory);
    if (other !== null && (best === null || other.mountPoint.length > best.mountPoint.length)) best = other;
  }
  return best;
}

/** A line of nfsd's exports or of etab: the directory, then clients with their options. */
export function parseExportLine(line: string): { readonly directory: string; readonly clients: string[] } | null {
  if (line.startsWith('#') || line.trim() === '') return null;
  const [directory, ...rest] = line.trim().split(/\s+/);
  return directory === undefined || !directory.startsWith('/') ? null : { directory: unescapeOctal(directory), clients: rest.map((c) => unescapeOctal(c.replace(/\(.*$/, ''))) };
}

export function readExports(reader: Reader, mounts: readonly Mount[]): NfsExport[] {
  const found = new Map<string, NfsExport>();
  const first = mounts[0]?.namespaceId;
  for (const file of ['/proc/fs/nfsd/exports', '/var/lib/nfs/etab']) {
    const data = reader.host.files.read(file);
    if (isMissing(data)) continue;
    for (const line of byteString(data).split('\n').map(parseExportLine)) {
      if (line === null) continue;
      const onDev = first === undefined ? null : (mountHolding(mounts, first, line.directory)?.dev ?? null);
      const before = found.get(line.directory);
      found.set(line.directory, { directory: line.directory, clients: [...new Set([...(before?.clients ?? []), ...line.clients])], onDev, file: before?.file ?? file });
    }
  }
  return [...found.values()];
}

/** Adds to each file system's device the loop devices whose backing file lies on it, and the other way round. */
export function tieLoops(blocks: readonly BlockDevice[], mounts: readonly Mount[]): BlockDevice[] {
  const first = mounts[0]?.namespaceId;
  const below = new Map<string, string>();
  for (const loop of blocks.filter((b) => b.backingFile !== null)) {
    const dev = first === undefined ? null : mountHolding(mounts, first, loop.backingFile!.replace(/ \(deleted\)$/, ''))?.dev;
    const disk = blocks.find((b) => b.dev === dev);
    if (disk && disk.name !== loop.name) below.set(loop.name, disk.name);
  }
  if (below.size === 0) return [...blocks];
  return blocks.map((b) => ({
    ...b,
    below: below.has(b.name) ? [...new Set([...b.below, below.get(b.name)!])] : b.below,
    above: [...new Set([...b.above, ...[...below].filter(([, disk]) => disk === b.name).map(([loop]) => loop)])],
  }));
}
