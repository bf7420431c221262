/**
 * Interchangeable threads: states that differ only by which of them is which count as one. The hash of a state is made of
 * the part that all share and, for each thread of a group, a hash of where it stands and what its own words hold, added
 * up: a sum does not know who is who. No sorting, no copy of the state.
 *
 * Two threads stand at the same place when the ways to their nodes are the same but for the addresses of their own words
 * (by position) and the names of their start.
 */
import { Kind, type Nodes } from './nodes.ts';
import type { Symmetry as Declared } from './program.ts';
import { mixHigh, mixLow } from './mix.ts';
import type { StateRow } from './state-row.ts';

/** Mixed into the hash of a thread's own part so that it is not linear. */
const scrambleLow = (low: number, high: number): number => mixLow(low ^ 0x5bd1e995, high);
const scrambleHigh = (low: number, high: number): number => mixHigh(high ^ 0x1b873593, low);

export class SymmetricHash {
  low = 0;
  high = 0;
  private readonly groups: readonly Declared[];
  private readonly state: StateRow;
  private readonly nodes: Nodes;
  private readonly roots: readonly number[];
  /** Own words of every thread: address to position. */
  private readonly positions: readonly ReadonlyMap<number, number>[];
  /** By node: hash of its place among interchangeable ones, the same in every search; 0 not asked for yet. */
  private places = new Int32Array(1 << 12);
  private placesHigh = new Int32Array(1 << 12);

  constructor(groups: readonly Declared[], state: StateRow, nodes: Nodes, roots: readonly number[]) {
    this.groups = groups;
    this.state = state;
    this.nodes = nodes;
    this.roots = roots;
    const positions: Map<number, number>[] = roots.map(() => new Map());
    for (const group of groups) group.threads.forEach((thread, i) => group.words[i]?.forEach((address, at) => positions[thread]?.set(address, at)));
    this.positions = positions;
  }

  /** Sets `low` and `high` for the state that stands in the row. */
  compute(): void {
    const { state } = this;
    let low = state.low;
    let high = state.high;
    for (const group of this.groups) {
      let sumLow = 0;
      let sumHigh = 0;
      for (let i = 0; i < group.threads.length; i += 1) {
        const thread = group.threads[i] as number;
        const node = state.row[thread] as number;
        // The thread's own share leaves the plain hash ...
        low ^= mixLow(thread, node);
        high ^= mixHigh(thread, node);
        if (((this.places[node] as number) | 0) === 0) this.place(thread, node);
        let ownLow = this.places[node] as number;
        let ownHigh = this.placesHigh[node] as number;
        const words = group.words[i] as readonly number[];
        for (let at = 0; at < words.length; at += 1) {
          const column = state.columnIndex(words[at] as number);
          if (column < 0) continue;
          const index = column + state.threads;
          const value = state.row[index] as number;
          if (value === state.initial(index)) continue;
          low ^= mixLow(index, value);
          high ^= mixHigh(index, value);
          ownLow ^= mixLow(at + 1, value);
          ownHigh ^= mixHigh(at + 1, value);
        }
        // ... and comes back without its name.
        sumLow = (sumLow + scrambleLow(ownLow, ownHigh)) | 0;
        sumHigh = (sumHigh + scrambleHigh(ownLow, ownHigh)) | 0;
      }
      low ^= mixLow(-1, sumLow);
      high ^= mixHigh(-1, sumHigh);
    }
    this.low = low;
    this.high = high;
  }

  /** Hashes the place that `node` of `thread` is. */
  private place(thread: number, node: number): void {
    const key = this.wayTo(thread, node);
    while (node >= this.places.length) [this.places, this.placesHigh] = [enlarged(this.places), enlarged(this.placesHigh)];
    let low = 1;
    let high = 2;
    for (let i = 0; i < key.length; i += 1) {
      low = mixLow(low, key.charCodeAt(i));
      high = mixHigh(high, key.charCodeAt(i));
    }
    this.places[node] = low || 1;
    this.placesHigh[node] = high;
  }

  private wayTo(thread: number, node: number): string {
    const { nodes } = this;
    const own = this.positions[thread] as ReadonlyMap<number, number>;
    const name = (address: number): string => { const at = own.get(address); return at === undefined ? String(address) : `own${at}`; };
    const steps: string[] = [];
    for (let at = node; at !== this.roots[thread]; at = nodes.parent[at] as number) {
      const parent = nodes.parent[at] as number;
      const kind = nodes.kind[parent] as number;
      const what = kind === Kind.load || kind === Kind.store ? name(nodes.a[parent] as number) : kind === Kind.call ? '' : String(nodes.a[parent]);
      steps.push(`${kind}:${what}:${kind === Kind.store ? nodes.b[parent] : ''}=${nodes.edge[at]}${nodes.next[parent] === at ? '' : '!'}`);
    }
    return steps.reverse().slice(1).join(',') + (node === this.roots[thread] ? 'start' : '');
  }
}

function enlarged(array: Int32Array): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(array.length * 2);
  bigger.set(array);
  return bigger;
}
