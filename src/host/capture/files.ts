/** The files of a capture, served as the machine would serve them. */
import type { DeviceNumber, FileStat, Files } from '../host.ts';
import { isMissing, missing, type Fact } from '../fact.ts';
import { absenceOf, unreadable, type Evidence } from './absence.ts';
import { PageWords } from './kpage.ts';
import { resolvePath, type Found } from './resolve.ts';
import { TYPE_BITS, type TreeNode } from './tree.ts';

/** A node of /dev as `ls -l` listed it. */
export interface DeviceNode {
  readonly kind: 'char' | 'block';
  readonly rdev: DeviceNumber;
}

export interface CaptureFilesOptions {
  readonly evidence: Evidence;
  /** Where the kpage files lie: /proc of the capture, and beside it. */
  readonly pageWordDirectories: readonly TreeNode[];
  /** Names in /dev, where the capture lists them. */
  readonly devices: ReadonlyMap<string, DeviceNode> | null;
}

const KPAGE = ['/proc/kpageflags', '/proc/kpagecount', '/proc/kpagecgroup'];

/** Device number of the file systems of a capture, which are not recorded: sysfs and proc have anonymous ones (major 0). */
const NO_DEVICE = '0:0';

export class CaptureFiles implements Files {
  private readonly options: CaptureFilesOptions;
  private readonly root: TreeNode;
  private readonly words: ReadonlyMap<string, PageWords>;
  /** Names that existed and were not taken, by directory. */
  private readonly unreadIn = new Map<string, string[]>();

  constructor(options: CaptureFilesOptions) {
    this.options = options;
    this.root = options.evidence.root;
    for (const path of options.evidence.unreadable.keys()) {
      const at = path.lastIndexOf('/');
      const names = this.unreadIn.get(path.slice(0, at));
      if (names === undefined) this.unreadIn.set(path.slice(0, at), [path.slice(at + 1)]);
      else names.push(path.slice(at + 1));
    }
    this.words = new Map(KPAGE.map((path) => [path, new PageWords(path, options.pageWordDirectories)]));
  }

  read(path: string): Fact<Uint8Array> {
    const found = this.find(path);
    if (isMissing(found)) return found;
    return this.bytesOf(found, path);
  }

  text(path: string): Fact<string> {
    const bytes = this.read(path);
    if (isMissing(bytes)) return bytes;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').replace(/\n$/, '');
  }

  readAt(path: string, offset: number, into: Uint8Array): Fact<number> {
    const words = this.words.get(path);
    if (words?.present === true) return words.readAt(offset, into);
    const bytes = this.read(path);
    if (isMissing(bytes)) return bytes;
    const part = bytes.subarray(offset, offset + into.length);
    into.set(part);
    return part.length;
  }

  list(path: string): Fact<readonly string[]> {
    const found = this.find(path);
    if (isMissing(found)) return path === '/dev' && this.options.devices !== null ? [...this.options.devices.keys()].sort() : found;
    if (found.node.kind !== 'directory') return missing('absent', path, 'ENOTDIR');
    const unread = this.unreadIn.get(found.path) ?? [];
    return [...new Set([...found.node.children().keys(), ...unread])].sort();
  }

  link(path: string): Fact<string> {
    const found = this.find(path, false);
    if (isMissing(found)) return found;
    return found.node.kind === 'link' ? (found.node.target ?? '') : missing('unreadable', path, 'EINVAL');
  }

  resolve(path: string): Fact<string> {
    const found = this.find(path);
    return isMissing(found) ? found : found.path;
  }

  stat(path: string): Fact<FileStat> {
    const found = this.find(path);
    if (isMissing(found)) return this.statDevice(path) ?? found;
    const { kind, mode, ino, rdev } = found.node;
    return { kind, dev: NO_DEVICE, ino, mode, ...(rdev === undefined ? {} : { rdev }) };
  }

  private statDevice(path: string): Fact<FileStat> | null {
    if (!path.startsWith('/dev/') || this.options.devices === null) return null;
    const device = this.options.devices.get(path.slice('/dev/'.length));
    if (device === undefined) return path.includes('/', '/dev/'.length) ? null : missing('absent', path);
    return { kind: device.kind, dev: NO_DEVICE, ino: 0, rdev: device.rdev, mode: TYPE_BITS[device.kind] };
  }

  private find(path: string, follow = true): Fact<Found> {
    const found = resolvePath(this.root, path, follow);
    return found.node === null ? absenceOf(path, found, this.options.evidence) : found;
  }

  /** An empty file may stand for one that could not be read: a listing says so, or a mode that lets nobody read. */
  private bytesOf(found: Found, path: string): Fact<Uint8Array> {
    if (found.node.kind === 'directory') return missing('unreadable', path, 'EISDIR');
    // A FIFO, a socket or a device node has no content to keep.
    if (found.node.kind !== 'file') return missing('unreadable', path, 'EINVAL');
    const data = found.node.data();
    if (typeof data === 'string') return unreadable(path, data);
    if (data.length > 0) return data;
    const reason = this.options.evidence.unreadable.get(found.path);
    if (reason !== undefined) return unreadable(path, reason);
    return (found.node.mode & 0o444) === 0 ? missing('denied', path, 'EACCES') : data;
  }
}
