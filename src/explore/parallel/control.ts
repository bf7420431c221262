/** The words by which the threads of a search agree, and a lock made of one of them. */

/** Places in the control words. */
export const C = {
  /** What those who are let go are to do: one of GO. */
  go: 0,
  /** 1: the table is too small, all are to stop where they are. */
  grow: 1,
  /** States in the table. */
  states: 2,
  /** Next of the current blocks to be expanded, and how many there are. */
  claimed: 3,
  blocks: 4,
  /** Blocks with states of the next level. */
  nextBlocks: 5,
  /** Which of the two lists of blocks is the current one. */
  parity: 6,
  /** Free blocks on the stack; blocks never used yet begin here. */
  freeBlocks: 7,
  unusedBlocks: 8,
  blockLock: 9,
  /** Words of the log of what was learnt. */
  logWords: 10,
  learnLock: 11,
  /** 1: somebody failed, all are to end. */
  abort: 12,
  /** Steps from the start to the states of the current level. */
  depth: 13,
  /** The first line of the first thread that was started. */
  threads: 16,
} as const;

/** Words of a line of cache: each thread that was started has one, so that nobody else writes where it looks. */
const LINE = 16;
/** Places in a thread's line: what it does (one of STANDING), and two numbers of 64 bits. */
const LINE_STANDING = 0;
const LINE_TRANSITIONS = 2;
const LINE_RERUNS = 4;

export const GO = { level: 1, grow: 2, resume: 3, stop: 4 } as const;

/** `absent`: it has not come yet; `waits`: it is to be told what to do; `works`: it has been told. */
export const STANDING = { absent: 0, waits: 1, works: 2 } as const;

/** Milliseconds after which a waiting thread looks again whether all is given up. */
export const PATIENCE = 200;
/** Looks at a word before a thread goes to sleep on it: some ten microseconds, less than it takes to be woken. */
const LOOKS = 4096;

/** Thrown in a thread when another one has failed. */
export class Abandoned extends Error {}

/** Waits while `word` is `value`, no longer than so many milliseconds. False where it still is. */
export function waitWhile(control: Int32Array, word: number, value: number, milliseconds: number): boolean {
  for (let look = 0; look < LOOKS; look += 1) if (Atomics.load(control, word) !== value) return true;
  if (Atomics.load(control, C.abort) === 1) throw new Abandoned();
  Atomics.wait(control, word, value, milliseconds);
  return Atomics.load(control, word) !== value;
}

export class Lock {
  private readonly control: Int32Array;
  private readonly word: number;

  constructor(control: Int32Array, word: number) {
    this.control = control;
    this.word = word;
  }

  take(): void {
    const { control, word } = this;
    while (Atomics.compareExchange(control, word, 0, 1) !== 0) waitWhile(control, word, 1, PATIENCE);
  }

  give(): void {
    Atomics.store(this.control, this.word, 0);
    Atomics.notify(this.control, this.word, 1);
  }
}

/** What one of the threads that were started does, and how much it has done. */
export class Line {
  readonly word: number;
  private readonly control: Int32Array;
  private readonly counts: Float64Array;

  constructor(control: Int32Array, index: number) {
    this.control = control;
    this.word = C.threads + index * LINE + LINE_STANDING;
    this.counts = new Float64Array(control.buffer, this.word * 4);
  }

  get standing(): number {
    return Atomics.load(this.control, this.word);
  }

  set standing(standing: number) {
    Atomics.store(this.control, this.word, standing);
    Atomics.notify(this.control, this.word);
  }

  get transitions(): number {
    return this.counts[LINE_TRANSITIONS / 2] as number;
  }

  get reruns(): number {
    return this.counts[LINE_RERUNS / 2] as number;
  }

  /** Before its standing says that it waits. */
  count(transitions: number, reruns: number): void {
    this.counts[LINE_TRANSITIONS / 2] = transitions;
    this.counts[LINE_RERUNS / 2] = reruns;
  }
}

/** Words for a search by so many threads. */
export const controlWords = (threads: number): Int32Array<SharedArrayBuffer> => sharedWords(C.threads + threads * LINE);

/** Memory that threads share; pages that nobody writes cost nothing. */
export const sharedWords = (words: number): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(words * 4));
