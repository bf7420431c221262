/**
 * Runs a thread's generator to learn what it does at a node that nobody has reached yet: first it is re-run from its
 * recorded observations (no access reaches the state), then on from there against the given state, each access recorded.
 */
import type { PathFunction } from '../kernel/state/path.ts';
import { Kind, type Nodes } from './nodes.ts';
import type { Thread, WithHeap } from './program.ts';
import { RecordingTap, type LiveState } from './recording-tap.ts';

export class Recorder<C extends WithHeap> {
  private readonly context: C;
  private readonly nodes: Nodes;
  /** Number of generator re-runs so far; the point of all this is that it stays small. */
  runs = 0;

  constructor(context: C, nodes: Nodes) {
    this.context = context;
    this.nodes = nodes;
  }

  /** The first node of a thread: a yield before its first access. */
  begin(thread: Thread<C>): number {
    const root = this.nodes.add(0, 0);
    this.nodes.kind[root] = Kind.yield;
    this.nodes.a[root] = this.nodes.label(`${thread.name}: start`);
    return root;
  }

  /**
   * Extends the nodes from the boundary `at` to the next boundary, in the given state. `known`: it is known what comes; a
   * wait is not looked into again, since one more round of it may read what nobody had read there.
   */
  extend(thread: Thread<C>, root: number, at: number, state: LiveState, known = false): void {
    this.runs += 1;
    const tap = new RecordingTap(this.nodes, pathTo(this.nodes, root, at), root, state, this.context.heap, known);
    const heap = this.context.heap;
    const before = heap.tap;
    heap.tap = tap;
    try {
      const run = (thread.path as PathFunction<C>)(this.context, ...thread.args);
      tap.drive(run);
    } finally {
      heap.tap = before;
    }
  }
}

/** Nodes from just after `root` to `at`, in order. Empty when `at` is the root. */
function pathTo(nodes: Nodes, root: number, at: number): Int32Array {
  const path: number[] = [];
  for (let node = at; node !== root; node = nodes.parent[node] as number) path.push(node);
  return Int32Array.from(path.reverse());
}
