/**
 * What a thread may still touch, from each boundary on: the columns of the state row that it may load and store, as far as
 * runs so far have shown. Bits are columns counted from the first heap column; words of 32 bits.
 *
 * The sets grow as nodes are learnt. A search that used them is final only when they did not grow while it ran
 * (reduced.ts repeats it until then).
 */
import { Kind, type Nodes } from './nodes.ts';
import type { StateRow } from './state-row.ts';

export class Footprints {
  /** Words of one set. */
  readonly words: number;
  /** Sets of loads, then of stores, by node: `node * 2 * words`. */
  private readonly sets: Int32Array;
  readonly nodeCount: number;

  constructor(nodes: Nodes, state: StateRow) {
    this.words = Math.max(1, Math.ceil(state.columns / 32));
    this.nodeCount = nodes.count;
    this.sets = new Int32Array(nodes.count * 2 * this.words);
    this.collect(nodes, state);
  }

  /** Word `i` of what may still be loaded (0 for a node learnt later: the caller then learns more and repeats). */
  loads(node: number, i: number): number {
    return node < this.nodeCount ? (this.sets[node * 2 * this.words + i] as number) : 0;
  }

  stores(node: number, i: number): number {
    return node < this.nodeCount ? (this.sets[node * 2 * this.words + this.words + i] as number) : 0;
  }

  /** True when every set of `other` (an earlier state of knowledge) is equal to this one's and no node came. */
  equals(other: Footprints): boolean {
    return other.nodeCount === this.nodeCount && other.words === this.words && this.sets.every((word, i) => word === other.sets[i]);
  }

  /**
   * Backward propagation to a fixpoint. Children come after parents in most cases, so passes from the last node to the
   * first settle quickly; jumps go back and need further passes.
   */
  private collect(nodes: Nodes, state: StateRow): void {
    const { sets, words } = this;
    const stride = 2 * words;
    for (let node = 1; node < nodes.count; node += 1) {
      const kind = nodes.kind[node];
      if (kind !== Kind.load && kind !== Kind.store) continue;
      const column = state.columnIndex(nodes.a[node] as number);
      if (column < 0) continue;
      const at = node * stride + (kind === Kind.store ? words : 0) + (column >>> 5);
      sets[at] = (sets[at] as number) | (1 << (column & 31));
    }
    for (let changed = true; changed;) {
      changed = false;
      for (let node = nodes.count - 1; node > 0; node -= 1) {
        // A done thread's node is a child of the root without being a successor of it.
        const kind = nodes.kind[node];
        if (kind === Kind.jump && this.merge(node, nodes.a[node] as number)) changed = true;
        if (kind === Kind.end || kind === Kind.oops) continue;
        const parent = nodes.parent[node] as number;
        const returned = nodes.kind[parent] === Kind.call && nodes.next[parent] !== node;
        if (parent !== 0 && !returned && this.merge(parent, node)) changed = true;
      }
    }
  }

  private merge(into: number, from: number): boolean {
    const { sets } = this;
    const stride = 2 * this.words;
    let grew = false;
    for (let i = 0; i < stride; i += 1) {
      const before = sets[into * stride + i] as number;
      const after = before | (sets[from * stride + i] as number);
      if (after !== before) {
        sets[into * stride + i] = after;
        grew = true;
      }
    }
    return grew;
  }
}
