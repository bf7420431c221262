/** Finds a path in the tree of a capture. The root of the tree stands for `/`; no link leads out of it. */
import type { TreeNode } from './tree.ts';

export interface Found {
  readonly node: TreeNode;
  /** The path without links, as inside the machine. */
  readonly path: string;
}

export interface NotFound {
  readonly node: null;
  /** The deepest directory that exists on the way, without links. */
  readonly below: Found;
  /** First name that is missing in `below`. */
  readonly name: string;
  /** What `below` would have to hold, from `name` on. */
  readonly rest: readonly string[];
  /** True where a link names the place: then the machine had it. */
  readonly dangling: boolean;
  readonly why: 'missing' | 'not-a-directory' | 'too-many-links' | 'leaves-root';
}

/** Linux gives up after 40 links (MAXSYMLINKS, include/linux/namei.h). */
const MAX_LINKS = 40;

/** Resolves `path`; with `follow` false a link in the last place is returned itself. */
export function resolvePath(root: TreeNode, path: string, follow = true): Found | NotFound {
  const todo = path.split('/').reverse();
  const trail: Found[] = [{ node: root, path: '' }];
  let links = 0;
  /** While more than this is still to do, we are on the way that a link names; after it, on what was asked for below. */
  let asked = Infinity;
  const here = (): Found => trail.at(-1) as Found;
  const fail = (name: string, why: NotFound['why']): NotFound =>
    ({ node: null, below: here(), name, rest: [name, ...todo.toReversed().filter((part) => part !== '')], dangling: todo.length >= asked, why });

  while (todo.length > 0) {
    const name = todo.pop() as string;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (trail.length === 1 && links > 0) return fail(name, 'leaves-root');
      if (trail.length > 1) trail.pop();
      continue;
    }
    if (here().node.kind !== 'directory') return fail(name, 'not-a-directory');
    const child = here().node.children().get(name);
    if (child === undefined) return fail(name, 'missing');
    const last = todo.every((part) => part === '' || part === '.');
    if (child.kind === 'link' && (follow || !last)) {
      links += 1;
      if (links > MAX_LINKS) return fail(name, 'too-many-links');
      const target = child.target ?? '';
      if (todo.length < asked) asked = todo.length;
      if (target.startsWith('/')) trail.length = 1;
      todo.push(...target.split('/').reverse());
      continue;
    }
    trail.push({ node: child, path: `${here().path}/${name}` });
  }
  const found = here();
  return found.path === '' ? { node: found.node, path: '/' } : found;
}
