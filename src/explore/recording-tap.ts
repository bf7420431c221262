/** Sees each access of a generator that is run to learn what it does: repeats what is recorded, then records. */
import type { Heap, Tap } from '../kernel/state/heap.ts';
import type { Point } from '../kernel/state/path.ts';
import { UnseatError } from '../errors/unseat-error.ts';
import { Kind, type Nodes } from './nodes.ts';

/** The state that a live run reads and writes: the search's current row. */
export interface LiveState {
  read(address: number): number;
  write(address: number, value: number): void;
  pick(count: number): number;
}

export class RecordingTap implements Tap {
  private readonly nodes: Nodes;
  private readonly path: Int32Array;
  private readonly root: number;
  private readonly state: LiveState;
  private readonly heap: Heap;
  /** The node that the run stands at. */
  private at: number;
  /** False while the run only repeats what is known. */
  private live: boolean;
  private known = 0;
  private readonly classifies: boolean;
  private readonly frames: number[] = [];

  constructor(nodes: Nodes, path: Int32Array, root: number, state: LiveState, heap: Heap, known: boolean) {
    this.classifies = !known;
    this.heap = heap;
    this.nodes = nodes;
    this.path = path;
    this.root = root;
    this.state = state;
    this.at = root;
    this.live = path.length === 0;
  }

  drive(run: Generator<Point, number, void>): void {
    this.single();
    try {
      for (;;) {
        const step = run.next();
        if (step.done) return this.finish(Kind.end, step.value);
        if (this.live) return this.stopAt(step.value, run);
        this.passBoundary(step.value);
      }
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'KernelOops') throw error;
      this.finish(Kind.oops, this.nodes.label(oopsText(error)));
    }
  }

  load(address: number): number {
    if (this.live) this.checkAddress(address);
    this.set(Kind.load, address, 0);
    if (!this.live) return this.followChild();
    const value = this.state.read(address);
    this.at = this.nodes.childOrAdd(this.at, value);
    return value;
  }

  store(address: number, value: number): void {
    if (this.live) this.checkAddress(address);
    this.set(Kind.store, address, value);
    if (this.live) this.state.write(address, value);
    this.single();
  }

  choose(count: number, label: string): number {
    this.set(Kind.choose, count, this.nodes.label(label));
    if (!this.live) return this.followChild();
    const choice = this.state.pick(count);
    this.at = this.nodes.childOrAdd(this.at, choice);
    return choice;
  }

  enter(fn: Function, args: readonly number[]): number | undefined {
    this.set(Kind.call, this.nodes.label(`${fn.name}(${args.join(', ')})`), 0);
    if (!this.live && this.nodes.next[this.at] !== this.path[this.known]) return this.followChild();
    this.frames.push(this.at);
    this.single();
    return undefined;
  }

  leave(result: number): void {
    const frame = this.frames.pop() as number;
    this.jump(this.nodes.childOrAdd(frame, result));
  }

  round(state: number): number {
    const rounds = this.nodes.next[this.frames.at(-1) as number] as number;
    if (this.at === rounds) {
      this.set(Kind.rounds, 0, 0);
      if (!this.live) return this.followChild();
      this.at = this.nodes.childOrAdd(rounds, state);
      this.nodes.next[rounds] = this.at;
    } else {
      this.jump(this.nodes.childOrAdd(rounds, state));
    }
    return state;
  }

  /** A pointer that was read from freed memory leads nowhere: the path ends as on an unmapped address. */
  private checkAddress(address: number): void {
    if (address >= 0 && address < this.heap.used) return;
    throw Object.assign(new Error('BUG: a wild pointer was followed (use after free)'), { name: 'KernelOops' });
  }

  /** Moves along the recorded path by a child edge and returns the value of that edge. */
  private followChild(): number {
    this.arrive(this.path[this.known] as number);
    return this.nodes.edge[this.at] as number;
  }

  /** Moves to the single successor of the node. */
  private single(): void {
    const successor = this.nodes.nextOrAdd(this.at);
    if (this.live) this.at = successor;
    else if (this.path[this.known] === successor) this.arrive(successor);
    else throw nondeterminism(this.nodes, this.at, 'the recorded path goes elsewhere');
  }

  private arrive(node: number): void {
    this.at = node;
    this.known += 1;
  }

  private jump(target: number): void {
    if (!this.live) throw nondeterminism(this.nodes, this.at, 'a recorded path never jumps');
    this.set(Kind.jump, target, 0);
    this.at = target;
  }

  /** A boundary on the recorded path. The last one is where the live part begins. */
  private passBoundary(point: Point): void {
    this.markBoundary(point);
    if (this.known === this.path.length) this.live = true;
    this.single();
  }

  private stopAt(point: Point, run: Generator<Point, number, void>): void {
    const wait = this.at;
    this.markBoundary(point);
    if (point.blocked && this.classifies) this.classifyWait(run, wait);
  }

  private markBoundary(point: Point): void {
    this.set(point.blocked ? Kind.block : Kind.yield, this.nodes.label(point.label), 0);
  }

  /** Runs one more round of a wait, to see whether it re-reads exactly what led to it (see Kind.block, b). */
  private classifyWait(run: Generator<Point, number, void>, wait: number): void {
    const nodes = this.nodes;
    this.single();
    const again = run.next();
    if (again.done || !again.value.blocked) throw nondeterminism(nodes, wait, 'a wait ended although nothing changed');
    const second = this.at;
    this.markBoundary(again.value);
    const led = loadsSinceBoundary(nodes, wait, this.root);
    const repeated = loadsSinceBoundary(nodes, second, this.root);
    nodes.b[wait] = led !== null && repeated !== null && led.join() === repeated.join() ? 1 : 0;
    nodes.b[second] = 1;
  }

  /** Done and dead threads forget all but their result: their last node is a child of the root. */
  private finish(kind: number, value: number): void {
    const nodes = this.nodes;
    const done = nodes.childOrAdd(this.root, kind === Kind.end ? value : 0x40000000 + value);
    nodes.kind[done] = kind;
    nodes.a[done] = value;
    this.jump(done);
  }

  private set(kind: number, a: number, b: number): void {
    const { nodes, at } = this;
    const known = nodes.kind[at];
    if (known === Kind.unknown) {
      nodes.kind[at] = kind;
      nodes.a[at] = a;
      nodes.b[at] = b;
    } else if (known !== kind || nodes.a[at] !== a || (kind === Kind.store && nodes.b[at] !== b)) {
      throw nondeterminism(nodes, at, `recorded kind ${known} (${nodes.a[at]}), now kind ${kind} (${a})`);
    }
  }
}

/** Addresses loaded between the boundary before and this node; null where something was stored in between. */
function loadsSinceBoundary(nodes: Nodes, boundary: number, root: number): number[] | null {
  const loads: number[] = [];
  for (let node = nodes.parent[boundary] as number; node !== root; node = nodes.parent[node] as number) {
    const kind = nodes.kind[node];
    if (kind === Kind.yield || kind === Kind.block) break;
    if (kind === Kind.store) return null;
    if (kind === Kind.load) loads.push(nodes.a[node] as number);
  }
  return loads.reverse();
}

/** `unmap_vmas: BUG: ...`: the function that stumbled first. */
function oopsText(error: Error): string {
  const where = 'where' in error && typeof error.where === 'string' ? `${error.where}: ` : '';
  return `${where}${error.message}`;
}

export function nondeterminism(nodes: Nodes, node: number, detail: string): UnseatError {
  return new UnseatError('INTERNAL', 'a kernel path did something else although it observed the same', {
    cause: `${detail} (node ${node} of ${nodes.count})`,
    next: 'A path may depend only on its arguments, on heap loads and on results of call(), choose() and repeat(). Usual causes: a JavaScript variable '
      + 'shared between threads, iteration over a Map that another thread changed, a clock or a random number.',
  });
}
