/** Finds the machine's root in an archive, and whose format it is. */
import { badCapture } from './limits.ts';
import { childAt, textAt, type TreeNode } from './tree.ts';

export type Format = 'unseat' | 'sosreport' | 'tree';

export interface Root {
  readonly format: Format;
  /** Stands for `/` of the captured machine. */
  readonly root: TreeNode;
  /** The directory of files beside it: manifest.json, dmesg.txt, unreadable.txt. May be the root itself. */
  readonly beside: TreeNode;
}

/** At the top, or one directory down (gather-topology, lsmem dumps and sosreports have a top directory of their own). */
export function findRoot(archive: string, top: TreeNode): Root {
  const here = rootAt(top);
  if (here !== null) return here;
  const below = [...top.children()].flatMap(([name, node]) => {
    const found = node.kind === 'directory' ? rootAt(node) : null;
    return found === null ? [] : [{ name, found }];
  });
  const [first] = below;
  if (below.length === 1 && first !== undefined) return first.found;
  if (below.length > 1) {
    throw badCapture(archive, 'it holds several captures', below.map((b) => b.name).join(', '), 'Unpack it and name one of its directories.');
  }
  throw badCapture(archive, 'this is no capture of a machine', "neither it nor a directory in it has 'proc' or 'sys'",
    "Give a capture made by 'unseat capture', a sosreport, or a directory that holds the machine's proc and sys.");
}

function rootAt(node: TreeNode): Root | null {
  if (textAt(node, 'manifest.json')?.includes('unseat-capture') === true) {
    const root = childAt(node, 'root');
    if (root?.kind === 'directory') return { format: 'unseat', root, beside: node };
  }
  const has = (name: string): boolean => childAt(node, name)?.kind === 'directory';
  if (!has('proc') && !has('sys')) return null;
  return { format: has('sos_commands') ? 'sosreport' : 'tree', root: node, beside: node };
}
