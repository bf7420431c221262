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
import type { Outcomes } from './outcomes.ts';
import type { StateRow } from './state-row.ts';
import type { Stepper } from './stepper.ts';

/** Mixed into the hash of a thread's own part so that it is not linear. */
const scrambleLow = (low: number, high: number): number => mixLow(low ^ 0x5bd1e995, high);
const scrambleHigh = (low: number, high: number): number => mixHigh(high ^ 0x1b873593, low);

/** A hash in two words. */
interface Hash { low: number; high: number }

/** Of one thread: its share of the plain hash of the state, and what it adds to the sum of its group. */
interface Share { readonly plain: Hash; readonly term: Hash }

/** An interchangeable thread with its own words. */
interface Own {
  readonly thread: number;
  readonly group: number;
  readonly words: readonly number[];
  /** In the state that `compute` was called for, and in the one looked at last. */
  readonly now: Share;
  readonly then: Share;
}

export class SymmetricHash {
  low = 0;
  high = 0;
  private readonly state: StateRow;
  private readonly nodes: Nodes;
  private readonly roots: readonly number[];
  private readonly outcomes: Outcomes;
  private readonly owns: readonly Own[];
  /** By thread: own words, address to position. */
  private readonly positions: readonly ReadonlyMap<number, number>[];
  /** By node: hash of its place among interchangeable ones, the same in every search; 0 not asked for yet. */
  private places = new Int32Array(1 << 12);
  private placesHigh = new Int32Array(1 << 12);
  /** By place of the row: bits of the threads (of `owns`, modulo 32) that it belongs to. */
  private owners = new Int32Array(64);
  private width = -1;
  /** Of the state that `compute` was called for: shares of the plain hash that are somebody's, and the sum of each group. */
  private readonly somebodys: Hash = none();
  private readonly sums: readonly Hash[];

  constructor(groups: readonly Declared[], stepper: Stepper<never>) {
    const { state, nodes, roots, known: { outcomes } } = stepper;
    this.state = state;
    this.nodes = nodes;
    this.roots = roots;
    this.outcomes = outcomes;
    this.owns = groups.flatMap(({ threads, words }, group) => threads.map((thread, i) => ({ thread, group, words: words[i] ?? [], now: share(), then: share() })));
    this.sums = groups.map(none);
    const positions: Map<number, number>[] = roots.map(() => new Map());
    for (const { thread, words } of this.owns) words.forEach((address, at) => positions[thread]?.set(address, at));
    this.positions = positions;
  }

  /** Sets `low` and `high` for the state that stands in the row. */
  compute(): void {
    const { owns, sums, somebodys, state } = this;
    if (state.width !== this.width) this.findOwners();
    set(somebodys, 0, 0);
    for (const sum of sums) set(sum, 0, 0);
    for (const own of owns) {
      this.look(own, own.now);
      set(somebodys, somebodys.low ^ own.now.plain.low, somebodys.high ^ own.now.plain.high);
      add(sums[own.group] as Hash, own.now.term);
    }
    this.combine(somebodys.low, somebodys.high);
  }

  /** The same for the state that an outcome leads to from there. The row is left as it is. */
  after(outcome: number): void {
    const { state, owns, outcomes, sums, somebodys } = this;
    // A word for which there was no place yet was the same in every state.
    if (state.width !== this.width) this.compute();
    const affected = outcomes.touches(outcome, this.owners);
    let low = somebodys.low ^ (outcomes.low[outcome] as number);
    let high = somebodys.high ^ (outcomes.high[outcome] as number);
    outcomes.lend(outcome, state.row);
    for (let i = 0; i < owns.length; i += 1) {
      if ((affected & (1 << (i & 31))) === 0) continue;
      const own = owns[i] as Own;
      this.look(own, own.then);
      low ^= own.now.plain.low ^ own.then.plain.low;
      high ^= own.now.plain.high ^ own.then.plain.high;
      subtract(sums[own.group] as Hash, own.now.term);
      add(sums[own.group] as Hash, own.then.term);
    }
    outcomes.takeBack(outcome, state.row);
    this.combine(low, high);
    for (let i = 0; i < owns.length; i += 1) {
      if ((affected & (1 << (i & 31))) === 0) continue;
      const own = owns[i] as Own;
      subtract(sums[own.group] as Hash, own.then.term);
      add(sums[own.group] as Hash, own.now.term);
    }
  }

  /** The plain hash without what is somebody's, which comes back without its name. */
  private combine(low: number, high: number): void {
    let [ofLow, ofHigh] = [this.state.low ^ low, this.state.high ^ high];
    for (const sum of this.sums) {
      ofLow ^= mixLow(-1, sum.low);
      ofHigh ^= mixHigh(-1, sum.high);
    }
    this.low = ofLow;
    this.high = ofHigh;
  }

  private look({ thread, words }: Own, into: Share): void {
    const { state } = this;
    const node = state.row[thread] as number;
    if (((this.places[node] as number) | 0) === 0) this.place(thread, node);
    let [plainLow, plainHigh] = [mixLow(thread, node), mixHigh(thread, node)];
    let [ownLow, ownHigh] = [this.places[node] as number, this.placesHigh[node] as number];
    for (let at = 0; at < words.length; at += 1) {
      const column = state.columnIndex(words[at] as number);
      if (column < 0) continue;
      const index = column + state.threads;
      const value = state.row[index] as number;
      if (value === state.initial(index)) continue;
      plainLow ^= mixLow(index, value);
      plainHigh ^= mixHigh(index, value);
      ownLow ^= mixLow(at + 1, value);
      ownHigh ^= mixHigh(at + 1, value);
    }
    set(into.plain, plainLow, plainHigh);
    set(into.term, scrambleLow(ownLow, ownHigh), scrambleHigh(ownLow, ownHigh));
  }

  private findOwners(): void {
    const { state } = this;
    this.owners = new Int32Array(state.row.length);
    this.width = state.width;
    this.owns.forEach(({ thread, words }, i) => {
      const places = words.map((address) => state.columnIndex(address)).filter((column) => column >= 0).map((column) => column + state.threads);
      for (const place of [thread, ...places]) this.owners[place] = (this.owners[place] as number) | (1 << (i & 31));
    });
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

const none = (): Hash => ({ low: 0, high: 0 });
const share = (): Share => ({ plain: none(), term: none() });

function set(hash: Hash, low: number, high: number): void {
  hash.low = low;
  hash.high = high;
}

function add(sum: Hash, term: Hash): void {
  sum.low = (sum.low + term.low) | 0;
  sum.high = (sum.high + term.high) | 0;
}

function subtract(sum: Hash, term: Hash): void {
  sum.low = (sum.low - term.low) | 0;
  sum.high = (sum.high - term.high) | 0;
}

function enlarged(array: Int32Array): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(array.length * 2);
  bigger.set(array);
  return bigger;
}
