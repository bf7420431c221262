/**
 * The file tree that a simulated kernel shows: directories, files and links that are made when they are looked at, from
 * the kernel's state. Nothing is cached, so what a path shows is always what the kernel holds now.
 */
import type { FileKind } from '../../host/host.ts';
import type { Path } from '../state/path.ts';

export type Content = string | Uint8Array;

export interface FileNode {
  readonly type: 'file';
  /** Content, or an errno name (`{ errno }`) where the kernel refuses to read. */
  readonly read?: () => Content | { readonly errno: string };
  /** Reads at an offset into `into`; for kpageflags, pagemap. Returns bytes. */
  readonly readAt?: (offset: number, into: Uint8Array) => number;
  /** The store function of a sysfs attribute: bytes taken or -errno. `signal`: heap word that is not 0 once the writer is killed. */
  readonly write?: (text: string, signal: number) => Path<number>;
  /** Bytes as stat gives them, where that means something (a file behind map_files). */
  readonly size?: number;
}

export interface DirectoryNode {
  readonly type: 'directory';
  readonly names: () => readonly string[];
  readonly get: (name: string) => Node | null;
}

export interface LinkNode {
  readonly type: 'link';
  readonly target: string;
}

export interface DeviceNode {
  readonly type: 'char' | 'block';
  /** `major:minor`. */
  readonly rdev: string;
  /** Reads at an offset; bytes. Absent: refused. */
  readonly readAt?: (offset: number, into: Uint8Array) => number;
}

export type Node = FileNode | DirectoryNode | LinkNode | DeviceNode;

export const file = (read: () => Content): FileNode => ({ type: 'file', read });
/** An attribute with one line; the newline is added. */
export const attribute = (read: () => string | number, write?: FileNode['write']): FileNode =>
  write === undefined ? { type: 'file', read: () => `${read()}\n` } : { type: 'file', read: () => `${read()}\n`, write };
/** A write-only attribute such as `bind`. */
export const writeOnly = (write: FileNode['write'] & object): FileNode => ({ type: 'file', read: () => ({ errno: 'EACCES' }), write });
export const link = (target: string): LinkNode => ({ type: 'link', target });

/** A directory of fixed names; entries that are functions are made when asked for, `null` ones are not there. */
export function directory(entries: Readonly<Record<string, Node | null | (() => Node | null)>>): DirectoryNode {
  const get = (name: string): Node | null => {
    const entry = Object.hasOwn(entries, name) ? entries[name] : null;
    return typeof entry === 'function' ? entry() : (entry ?? null);
  };
  return { type: 'directory', names: () => Object.keys(entries).filter((name) => get(name) !== null), get };
}

/** A directory whose names come from the kernel's state. */
export const listing = (names: () => readonly string[], get: (name: string) => Node | null): DirectoryNode => ({ type: 'directory', names, get });

/** Several directories laid over each other; the first that knows a name has it. */
export function overlay(...layers: readonly DirectoryNode[]): DirectoryNode {
  return {
    type: 'directory',
    names: () => [...new Set(layers.flatMap((layer) => layer.names()))],
    get: (name) => {
      const found = layers.map((layer) => layer.get(name)).filter((node) => node !== null);
      const directories = found.filter((node) => node.type === 'directory');
      return directories.length > 1 && directories.length === found.length ? overlay(...directories) : (found[0] ?? null);
    },
  };
}

/**
 * A directory from full paths (`devices/system/memory/...`), for trees that are easier said by path. Intermediate
 * directories are made; a path whose node is null is left out.
 */
export function fromPaths(paths: ReadonlyMap<string, Node>): DirectoryNode {
  const root = new Map<string, unknown>();
  for (const [path, node] of paths) {
    const parts = path.split('/').filter((part) => part !== '');
    const last = parts.pop() as string;
    let at = root;
    for (const part of parts) {
      let next = at.get(part);
      if (!(next instanceof Map)) at.set(part, (next = new Map<string, unknown>()));
      at = next as Map<string, unknown>;
    }
    at.set(last, node);
  }
  return fromMap(root);
}

function fromMap(map: ReadonlyMap<string, unknown>): DirectoryNode {
  return {
    type: 'directory',
    names: () => [...map.keys()],
    get: (name) => {
      const entry = map.get(name);
      return entry instanceof Map ? fromMap(entry) : ((entry as Node | undefined) ?? null);
    },
  };
}

const MAX_LINKS = 40;

export interface Resolved {
  readonly path: string;
  readonly node: Node;
}

/** Walks an absolute path. `follow`: whether a link at the end is followed. An errno name where it leads nowhere. */
export function resolvePath(root: DirectoryNode, path: string, follow = true): Resolved | string {
  let links = 0;
  let todo = path.split('/').filter((part) => part !== '');
  let done: string[] = [];
  let stack: Node[] = [root];
  while (todo.length > 0) {
    const part = todo.shift() as string;
    if (part === '.') continue;
    if (part === '..') {
      done.pop();
      if (stack.length > 1) stack.pop();
      continue;
    }
    const here = stack.at(-1) as Node;
    if (here.type !== 'directory') return 'ENOTDIR';
    const next = here.get(part);
    if (next === null) return 'ENOENT';
    if (next.type === 'link' && (todo.length > 0 || follow)) {
      links += 1;
      if (links > MAX_LINKS) return 'ELOOP';
      if (next.target.startsWith('/')) {
        done = [];
        stack = [root];
      }
      todo = [...next.target.split('/').filter((p) => p !== ''), ...todo];
      continue;
    }
    done.push(part);
    stack.push(next);
  }
  return { path: `/${done.join('/')}`, node: stack.at(-1) as Node };
}

export const kindOf = (node: Node): FileKind => node.type;
