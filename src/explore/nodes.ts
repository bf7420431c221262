/**
 * What threads do next, remembered by what they have observed. A node is a place in a run: the observations since the
 * thread began, with every finished call collapsed to its result and every finished round of a `repeat` to its state. What
 * happens at a node is the same each time (a path is deterministic given its observations), so it is recorded once.
 *
 * Structure of arrays, growable; a node is an index. 0 is no node.
 */
import { Children } from './children.ts';

export const Kind = {
  /** Nobody has run a thread through here yet. */
  unknown: 0,
  /** a: address. Children by value loaded. */
  load: 1,
  /** a: address, b: value. One successor. */
  store: 2,
  /** a: label index. A state boundary: another CPU may run. One successor. */
  yield: 3,
  /** a: label index; b: 1 where the wait re-reads exactly what led to it. A boundary that waits. One successor. */
  block: 4,
  /** a: call index. Successor inside the call; children by result. */
  call: 5,
  /** a: node to go on at: a call returned or a round ended. */
  jump: 6,
  /** a: count, b: label index. Children by choice. */
  choose: 7,
  /** Children by state of the round; the successor is the first round. */
  rounds: 8,
  /** a: result. The thread is done. */
  end: 9,
  /** a: label index of the message. The thread died of an oops. */
  oops: 10,
} as const;

export class Nodes {
  kind = new Uint8Array(1 << 12);
  a = new Int32Array(1 << 12);
  b = new Int32Array(1 << 12);
  /** The single successor, 0 where unknown or where children are by value. */
  next = new Int32Array(1 << 12);
  parent = new Int32Array(1 << 12);
  /** The value by which the parent leads here; for single successors 0. */
  edge = new Int32Array(1 << 12);
  count = 1;

  readonly labels: string[] = [''];
  private readonly labelIndex = new Map<string, number>([['', 0]]);

  private readonly children = new Children();

  add(parent: number, edge: number): number {
    const node = this.count;
    this.count += 1;
    if (node >= this.kind.length) this.grow();
    this.parent[node] = parent;
    this.edge[node] = edge;
    return node;
  }

  label(text: string): number {
    let index = this.labelIndex.get(text);
    if (index === undefined) {
      index = this.labels.length;
      this.labels.push(text);
      this.labelIndex.set(text, index);
    }
    return index;
  }

  /** Child of `node` by `value`; 0 where there is none yet. */
  child(node: number, value: number): number {
    return this.children.child(node, value);
  }

  childOrAdd(node: number, value: number): number {
    const known = this.child(node, value);
    if (known !== 0) return known;
    const child = this.add(node, value);
    this.children.set(node, value, child);
    return child;
  }

  nextOrAdd(node: number): number {
    const known = this.next[node] as number;
    if (known !== 0) return known;
    const child = this.add(node, 0);
    this.next[node] = child;
    return child;
  }

  private grow(): void {
    const length = this.kind.length * 2;
    const kind = new Uint8Array(length);
    kind.set(this.kind);
    this.kind = kind;
    this.a = enlarged(this.a, length);
    this.b = enlarged(this.b, length);
    this.next = enlarged(this.next, length);
    this.parent = enlarged(this.parent, length);
    this.edge = enlarged(this.edge, length);
  }
}

function enlarged(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(length);
  bigger.set(array);
  return bigger;
}
