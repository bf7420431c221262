/** What is explored: a heap after set-up, threads that run paths over it, and properties that are looked at in every state. */
import type { Heap } from '../kernel/state/heap.ts';
import type { PathFunction } from '../kernel/state/path.ts';

export interface WithHeap {
  readonly heap: Heap;
}

export interface Thread<C extends WithHeap = WithHeap> {
  /** Shown in counterexamples: `reader`, `remover`. */
  readonly name: string;
  readonly path: PathFunction<C>;
  readonly args: readonly number[];
  /** It may wait for ever: an interrupt handler, a worker. Not a hang. */
  readonly daemon?: boolean;
}

/**
 * `never`: a state where it holds is a forbidden outcome. `sometimes`: must hold in at least one state, or the test is
 * vacuous. `finally`: must hold in every state where no thread can go on.
 * `holds` reads the heap and nothing else; `done(t)` is the result of thread t, undefined while it runs.
 */
export interface Property<C extends WithHeap = WithHeap> {
  readonly name: string;
  readonly kind: 'never' | 'sometimes' | 'finally';
  readonly holds: (context: C, done: (thread: number) => number | undefined) => boolean;
}

/**
 * Threads that do the same, each on words of its own: `words[i]` are those of `threads[i]`, in the same order for all.
 * The program promises that exchanging two of them changes nothing: whoever goes through them must be able to take any
 * that is left, and their numbers may not be stored or compared.
 */
export interface Symmetry {
  readonly threads: readonly number[];
  readonly words: readonly (readonly number[])[];
}

/** A hash, of two words, of something that counts of a state. It looks by what it is given and by nothing else. */
export type ViewPart = (look: Look) => readonly [low: number, high: number];

export interface Look {
  read(address: number): number;
  /** A number for the point at which a thread stands (the label of its `yield`); 0 before its first step, -1 where it is done or dead. */
  at(thread: number): number;
}

export interface Program<C extends WithHeap = WithHeap> {
  readonly name: string;
  readonly context: C;
  readonly threads: readonly Thread<C>[];
  readonly properties: readonly Property<C>[];
  /** A thread that can never go on while others are done is a hang; allowed only where this says so. */
  readonly allowHang?: boolean;
  /** An oops is a forbidden outcome unless allowed. */
  readonly allowOops?: boolean;
  readonly symmetry?: readonly Symmetry[];
  /**
   * What is to count of a state, for searches that use symmetry: states of which the parts add up to the same are taken
   * for one. The program promises that they go on in the same way.
   */
  readonly view?: readonly ViewPart[];
  /** Names for heap words in counterexamples; `null` prints the address. */
  readonly nameOf?: (address: number) => string | null;
  /** What a value of such a word means to people. */
  readonly showValue?: (address: number, value: number) => string;
}
