/**
 * Carries out one step of one thread in the current state, from the nodes; where a node is not known yet, the recorder
 * runs the real generator once. A step goes from one boundary (yield, wait, end) to the next.
 */
import { UnseatError } from '../errors/unseat-error.ts';
import type { Heap } from '../kernel/state/heap.ts';
import { Lessons, readLesson } from './lessons.ts';
import { KnownSteps } from './known-steps.ts';
import { Kind, Nodes } from './nodes.ts';
import type { Program, Thread, WithHeap } from './program.ts';
import { Recorder } from './recorder.ts';
import { nondeterminism } from './recording-tap.ts';
import { StateRow } from './state-row.ts';

/** Sees the accesses of a step; for counterexamples and footprints. Null in the hot path. */
export interface StepWatcher {
  load(address: number, value: number): void;
  store(address: number, before: number, after: number): void;
  enter(call: string): void;
  /** `count`: how many alternatives there are. */
  choose(label: string, choice: number, count: number): void;
  /** The step was not known and is begun anew. Who has no such method watches only steps that are. */
  again?(): void;
}

/** Searches in several threads learn together: who runs a generator holds the lock, and all know the same nodes by the same numbers. */
export interface Sharing {
  /** Takes the lock. True where others had learnt something since: it is known now, and a run may not be needed. */
  enter(): boolean;
  /** Hands on what a run taught. */
  publish(): void;
  leave(): void;
}

export class Stepper<C extends WithHeap> {
  readonly nodes = new Nodes();
  readonly state: StateRow;
  readonly recorder: Recorder<C>;
  readonly roots: readonly number[];
  private readonly threads: readonly Thread<C>[];
  /** Choices of the step under way, and how many alternatives each had: an odometer. */
  private choices: number[] = [];
  private counts: number[] = [];
  private choiceAt = 0;
  /** Steps made before: how searches make them. `step` walks them. */
  readonly known: KnownSteps;
  sharing: Sharing | null = null;
  /** Every run that taught something. */
  readonly lessons = new Lessons();
  private readonly heap: Heap;

  constructor(program: Program<C>) {
    this.threads = program.threads;
    this.heap = program.context.heap;
    this.recorder = new Recorder(program.context, this.nodes);
    this.roots = program.threads.map((thread) => this.recorder.begin(thread));
    this.state = new StateRow(program.context.heap, program.threads.length, this.roots);
    this.known = new KnownSteps(this as unknown as Stepper<never>);
  }

  /** Result of a thread that is done; undefined while it runs or when it died. */
  result(thread: number): number | undefined {
    const node = this.state.row[thread] as number;
    return this.nodes.kind[node] === Kind.end ? this.nodes.a[node] : undefined;
  }

  /** Message of a thread that died of an oops. */
  oops(thread: number): string | undefined {
    const node = this.state.row[thread] as number;
    return this.nodes.kind[node] === Kind.oops ? this.nodes.labels[this.nodes.a[node] as number] : undefined;
  }

  /** True when the thread can neither run nor wait any more. */
  isOver(thread: number): boolean {
    const kind = this.nodes.kind[this.state.row[thread] as number];
    return kind === Kind.end || kind === Kind.oops;
  }

  label(thread: number): string {
    return this.nodes.labels[this.nodes.a[this.state.row[thread] as number] as number] as string;
  }

  /** Number of the label at which a thread stands; 0 before its first step, -1 where it is over (Look.at). */
  point(thread: number): number {
    const node = this.state.row[thread] as number;
    return node === this.roots[thread] ? 0 : this.isOver(thread) ? -1 : (this.nodes.a[node] as number);
  }

  /** Forgets choices: the next `step` takes the first of each. */
  firstChoices(): void {
    if (this.choices.length > 0) this.choices.length = this.counts.length = 0;
  }

  /** Advances to the next combination of choices of the step just made; false when all were taken. */
  nextChoices(): boolean {
    while (this.choices.length > 0) {
      const last = this.choices.length - 1;
      this.choices[last] = (this.choices[last] as number) + 1;
      if ((this.choices[last] as number) < (this.counts[last] as number)) return true;
      this.choices.pop();
      this.counts.pop();
    }
    return false;
  }

  /** The choices taken, as given to `takeChoices` in a replay. */
  get taken(): readonly number[] {
    return this.choices;
  }

  /**
   * Runs `thread` to its next boundary. True when it moved; false when it waits or is over (the state is then as before).
   * Call `state.mark()` first; `state.undo()` takes the step back.
   */
  step(thread: number, watcher: StepWatcher | null = null): boolean {
    const { nodes, state } = this;
    const start = state.row[thread] as number;
    const startKind = nodes.kind[start];
    if (startKind === Kind.end || startKind === Kind.oops) return false;
    this.choiceAt = 0;
    let at = nodes.next[start] as number;
    let stored = false;
    let learnt = false;
    for (;;) {
      switch (at === 0 ? Kind.unknown : nodes.kind[at]) {
        case Kind.load: {
          const address = nodes.a[at] as number;
          const value = state.read(address);
          if (watcher !== null) watcher.load(address, value);
          at = nodes.child(at, value);
          break;
        }
        case Kind.store: {
          const address = nodes.a[at] as number;
          const value = nodes.b[at] as number;
          if (watcher !== null) watcher.store(address, state.read(address), value);
          state.write(address, value);
          stored = true;
          at = nodes.next[at] as number;
          break;
        }
        case Kind.call:
        case Kind.rounds:
          if (watcher !== null && nodes.kind[at] === Kind.call) watcher.enter(nodes.labels[nodes.a[at] as number] as string);
          at = nodes.next[at] as number;
          break;
        case Kind.jump:
          at = nodes.a[at] as number;
          break;
        case Kind.choose: {
          const count = nodes.a[at] as number;
          const choice = this.pick(count);
          if (watcher !== null) watcher.choose(nodes.labels[nodes.b[at] as number] as string, choice, count);
          at = nodes.child(at, choice);
          break;
        }
        case Kind.block:
          if (!stored && (nodes.b[at] === 1 || startKind === Kind.block)) {
            state.undo();
            return false;
          }
          state.setThread(thread, at);
          return true;
        case Kind.yield:
        case Kind.end:
        case Kind.oops:
          state.setThread(thread, at);
          return true;
        default:
          if (learnt) throw new UnseatError('INTERNAL', 'a step that was just recorded leads elsewhere when it is replayed', { subject: this.threads[thread]?.name ?? '', seen: this.label(thread) });
          if (watcher !== null && watcher.again === undefined) throw new UnseatError('INTERNAL', 'a replayed step went where no search has been');
          watcher?.again?.();
          learnt = this.learn(thread, start);
          this.choiceAt = 0;
          stored = false;
          at = nodes.next[start] as number;
      }
    }
  }

  /**
   * Runs the generator once more for a step that is known, with the choices just taken: whatever it does must be what was recorded.
   * The row must hold the state before the step.
   * @throws UnseatError INTERNAL where the path depends on something that no observation shows
   */
  verify(thread: number): void {
    const before = this.nodes.count;
    this.run(thread, this.state.row[thread] as number, (value) => value, true);
    if (this.nodes.count !== before) throw nondeterminism(this.nodes, this.state.row[thread] as number, 'a second run of a known step went on into the unknown');
  }

  /** False where other threads had learnt it meanwhile. */
  private learn(thread: number, start: number): boolean {
    const { sharing } = this;
    this.state.undo();
    if (sharing === null) {
      this.teach(thread, start);
      return true;
    }
    try {
      if (sharing.enter()) return false;
      this.teach(thread, start);
      sharing.publish();
      return true;
    } finally {
      sharing.leave();
    }
  }

  /** Takes over lessons of another search of the same program, in order: the generators run here too, on what they observed there. */
  adopt(words: Int32Array, begin: number, end: number): void {
    for (let at = begin; at < end;) {
      const lesson = readLesson(words, at);
      this.recorder.extend(this.threads[lesson.thread] as Thread<C>, this.roots[lesson.thread] as number, lesson.node, lesson.feed((address, value) => this.state.makeColumn(address, value)));
      this.lessons.copy(words, at, lesson.end);
      lesson.check(this.nodes.count, this.heap.used);
      at = lesson.end;
    }
  }

  private teach(thread: number, start: number): void {
    const { lessons } = this;
    lessons.open(thread, start);
    this.run(thread, start, (value) => lessons.observed(value));
    lessons.close(this.nodes.count, this.heap.used);
  }

  private run(thread: number, start: number, observed: (value: number) => number, known = false): void {
    this.choiceAt = 0;
    const live = { read: (a: number) => observed(this.state.read(a)), write: (a: number, v: number) => this.state.write(a, v), pick: (n: number) => observed(this.pick(n)) };
    this.recorder.extend(this.threads[thread] as Thread<C>, this.roots[thread] as number, start, live, known);
    this.state.undo();
  }

  /** The same choices once more. */
  againFromFirstChoice(): void {
    this.choiceAt = 0;
  }

  /** The next choice of the step under way, out of so many. */
  pick(count: number): number {
    const at = this.choiceAt;
    this.choiceAt += 1;
    if (at === this.choices.length) {
      this.choices.push(0);
      this.counts.push(count);
    }
    return this.choices[at] as number;
  }
}
