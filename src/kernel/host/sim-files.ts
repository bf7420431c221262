/** The Files facet over the simulated kernel's tree. */
import { missing, type Absence, type Fact, type Missing } from '../../host/fact.ts';
import type { Files, FileStat } from '../../host/host.ts';
import { kindOf, resolvePath, type DirectoryNode, type Node, type Resolved } from './vfs.ts';

const ABSENCES: Readonly<Record<string, Absence>> = { ENOENT: 'absent', ENOTDIR: 'absent', ENODEV: 'absent', ENXIO: 'absent', EACCES: 'denied', EPERM: 'denied', ESRCH: 'vanished' };
const MODES = { file: 0o100644, directory: 0o040755, link: 0o120777, char: 0o020600, block: 0o060600 } as const;

const refusal = (path: string, errno: string): Missing => missing(ABSENCES[errno] ?? 'unreadable', path, errno);

export class SimFiles implements Files {
  readonly root: DirectoryNode;
  private readonly encoder = new TextEncoder();
  /** Inode numbers by path, handed out as paths are asked for. */
  private readonly inodes = new Map<string, number>();

  constructor(root: DirectoryNode) {
    this.root = root;
  }

  read(path: string): Fact<Uint8Array> {
    const content = this.content(path);
    return typeof content === 'string' ? this.encoder.encode(content) : content;
  }

  text(path: string): Fact<string> {
    const content = this.content(path);
    if (content instanceof Uint8Array) return new TextDecoder().decode(content).replace(/\n$/, '');
    return typeof content === 'string' ? content.replace(/\n$/, '') : content;
  }

  readAt(path: string, offset: number, into: Uint8Array): Fact<number> {
    const found = resolvePath(this.root, path);
    if (typeof found === 'string') return refusal(path, found);
    if (found.node.type !== 'directory' && found.node.type !== 'link' && found.node.readAt !== undefined) return found.node.readAt(offset, into);
    const bytes = this.read(path);
    if (!(bytes instanceof Uint8Array)) return bytes;
    const part = bytes.subarray(offset, offset + into.length);
    into.set(part);
    return part.length;
  }

  list(path: string): Fact<readonly string[]> {
    const found = resolvePath(this.root, path);
    if (typeof found === 'string') return refusal(path, found);
    return found.node.type === 'directory' ? [...found.node.names()].sort() : refusal(path, 'ENOTDIR');
  }

  link(path: string): Fact<string> {
    const found = resolvePath(this.root, path, false);
    if (typeof found === 'string') return refusal(path, found);
    return found.node.type === 'link' ? found.node.target : refusal(path, 'EINVAL');
  }

  resolve(path: string): Fact<string> {
    const found = resolvePath(this.root, path);
    return typeof found === 'string' ? refusal(path, found) : found.path;
  }

  stat(path: string): Fact<FileStat> {
    const found = resolvePath(this.root, path);
    if (typeof found === 'string') return refusal(path, found);
    const { node } = found;
    const base = { kind: kindOf(node), dev: '0:5', ino: this.inode(found.path), mode: MODES[node.type] };
    return node.type === 'char' || node.type === 'block' ? { ...base, rdev: node.rdev } : base;
  }

  /** The node at a path, links followed; an errno name where there is none. For the host's own writes. */
  find(path: string): Resolved | string {
    return resolvePath(this.root, path);
  }

  private content(path: string): Fact<string | Uint8Array> {
    const found = resolvePath(this.root, path);
    if (typeof found === 'string') return refusal(path, found);
    const node: Node = found.node;
    if (node.type === 'directory') return refusal(path, 'EISDIR');
    if (node.type !== 'file' || node.read === undefined) return refusal(path, 'EACCES');
    const content = node.read();
    return typeof content === 'string' || content instanceof Uint8Array ? content : refusal(path, content.errno);
  }

  private inode(path: string): number {
    const known = this.inodes.get(path) ?? this.inodes.size + 1;
    this.inodes.set(path, known);
    return known;
  }
}
