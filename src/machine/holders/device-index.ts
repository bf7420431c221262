/**
 * Which devices a mapping, an open file or a place belongs to. File systems and block nodes go by number, dax nodes by
 * the number of the character device, and where a capture has names only, by the mount point in the process's own
 * mount namespace.
 */
import { isMissing } from '../../host/fact.ts';
import type { ByteString, DeviceNumber, Host } from '../../host/host.ts';
import type { Mapping, OpenFile, Place } from '../../host/processes.ts';
import type { Device } from '../types/device.ts';
import type { Mount } from '../types/stack.ts';
import { withoutDeleted } from './deleted.ts';

/** Ids of devices. Most things belong to none. */
export type DeviceIds = readonly string[];
const NONE: DeviceIds = [];

export class DeviceIndex {
  /** All numbers, for the host's fast path. */
  readonly numbers: ReadonlySet<DeviceNumber>;
  private readonly byFileSystem = new Map<DeviceNumber, string[]>();
  private readonly byCharNode = new Map<DeviceNumber, string[]>();
  private readonly mounts: MountTable;

  constructor(host: Host, devices: readonly Device[], mounts: readonly Mount[]) {
    const chars = daxNodeNumbers(host);
    const blocks = blockNodeNumbers(host);
    for (const device of devices) {
      for (const number of device.deviceNumbers) {
        const isChar = device.kind === 'devdax' || (chars.has(number) && device.kind !== 'fsdax');
        if (isChar) add(this.byCharNode, number, device.id);
        if (!isChar || (device.kind !== 'devdax' && blocks.has(number))) add(this.byFileSystem, number, device.id);
      }
    }
    this.numbers = new Set([...this.byFileSystem.keys(), ...this.byCharNode.keys()]);
    this.mounts = new MountTable(mounts);
  }

  ofMapping(mapping: Pick<Mapping, 'dev' | 'rdev'>): DeviceIds {
    const byNumber = this.byFileSystem.get(mapping.dev) ?? NONE;
    return mapping.rdev === undefined ? byNumber : both(byNumber, this.byCharNode.get(mapping.rdev) ?? NONE);
  }

  /** `namespace` is the mount namespace of the process, where it is known. */
  ofFile(file: OpenFile, namespace: number | null): DeviceIds {
    const node = file.rdev === undefined ? NONE : this.ofNode(file.rdev, file.target);
    return both(node, this.ofPlace(file, namespace));
  }

  ofPlace(place: Place, namespace: number | null): DeviceIds {
    if (place.dev !== undefined) return this.byFileSystem.get(place.dev) ?? NONE;
    if (namespace === null || !place.target.startsWith('/')) return NONE;
    const dev = this.mounts.deviceAt(namespace, withoutDeleted(place.target));
    return dev === null ? NONE : (this.byFileSystem.get(dev) ?? NONE);
  }

  /** A node that is open itself. Char and block nodes have number spaces of their own; the name tells them apart. */
  private ofNode(rdev: DeviceNumber, target: ByteString): DeviceIds {
    const isDax = /(?:^|\/)dax\d+\.\d+$/.test(withoutDeleted(target));
    return (isDax ? this.byCharNode : this.byFileSystem).get(rdev) ?? NONE;
  }
}

function add(map: Map<DeviceNumber, string[]>, number: DeviceNumber, id: string): void {
  const ids = map.get(number);
  if (ids === undefined) map.set(number, [id]);
  else if (!ids.includes(id)) ids.push(id);
}

function both(a: DeviceIds, b: DeviceIds): DeviceIds {
  if (b.length === 0) return a;
  return a.length === 0 ? b : [...new Set([...a, ...b])];
}

function daxNodeNumbers(host: Host): Set<DeviceNumber> {
  const names = host.files.list('/sys/bus/dax/devices');
  return new Set((isMissing(names) ? [] : names).flatMap((name) => numberIn(host, `/sys/bus/dax/devices/${name}/dev`)));
}

function blockNodeNumbers(host: Host): Set<DeviceNumber> {
  const names = host.files.list('/sys/block');
  return new Set((isMissing(names) ? [] : names).flatMap((name) => numberIn(host, `/sys/block/${name}/dev`)));
}

function numberIn(host: Host, path: string): DeviceNumber[] {
  const text = host.files.text(path);
  return !isMissing(text) && /^\d+:\d+$/.test(text) ? [text] : [];
}

/** Mount points by namespace, for paths whose device number is not known. */
class MountTable {
  private readonly namespaces = new Map<number, Map<ByteString, Mount>>();

  constructor(mounts: readonly Mount[]) {
    for (const mount of mounts) {
      let points = this.namespaces.get(mount.namespaceId);
      if (points === undefined) this.namespaces.set(mount.namespaceId, (points = new Map()));
      // Of mounts stacked on one point, the one mounted last hides the others; mountinfo lists them in that order.
      points.set(mount.mountPoint, mount);
    }
  }

  /** Device number of the file system that a path lies on; null where the namespace is not known. */
  deviceAt(namespace: number, path: ByteString): DeviceNumber | null {
    const points = this.namespaces.get(namespace);
    if (points === undefined) return null;
    for (let at = path; ; at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))) {
      const mount = points.get(at === '' ? '/' : at);
      if (mount !== undefined) return mount.dev;
      if (at === '') return null;
    }
  }
}
