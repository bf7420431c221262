/** The words by which the threads of a search agree, and a lock made of one of them. */

/** Places in the control words. */
export const C = {
  /** Rises whenever all may go on; threads that have arrived wait for it. */
  epoch: 0,
  /** What to do when the epoch has risen: one of GO. */
  go: 1,
  /** 1: the table is too small, all are to arrive. */
  grow: 2,
  /** States in the table. */
  states: 3,
  /** Next of the current blocks to be expanded, and how many there are. */
  claimed: 4,
  blocks: 5,
  /** Blocks with states of the next level. */
  nextBlocks: 6,
  /** Which of the two lists of blocks is the current one. */
  parity: 7,
  /** Free blocks on the stack; blocks never used yet begin here. */
  freeBlocks: 8,
  unusedBlocks: 9,
  blockLock: 10,
  /** Words of the log of what was learnt. */
  logWords: 11,
  learnLock: 12,
  /** 1: somebody failed, all are to end. */
  abort: 13,
  /** Steps from the start to the states of the current level. */
  depth: 14,
  words: 16,
} as const;

export const GO = { level: 1, grow: 2, resume: 3, stop: 4 } as const;

/** Milliseconds after which a waiting thread looks again whether all is given up. */
const PATIENCE = 200;

/** Thrown in a thread when another one has failed. */
export class Abandoned extends Error {}

export class Lock {
  private readonly control: Int32Array;
  private readonly word: number;

  constructor(control: Int32Array, word: number) {
    this.control = control;
    this.word = word;
  }

  take(): void {
    const { control, word } = this;
    while (Atomics.compareExchange(control, word, 0, 1) !== 0) {
      if (Atomics.load(control, C.abort) === 1) throw new Abandoned();
      Atomics.wait(control, word, 1, PATIENCE);
    }
  }

  give(): void {
    Atomics.store(this.control, this.word, 0);
    Atomics.notify(this.control, this.word, 1);
  }
}

/** Waits until the epoch is another than `epoch`. The new one. */
export function waitForEpoch(control: Int32Array, epoch: number): number {
  for (;;) {
    const now = Atomics.load(control, C.epoch);
    if (now !== epoch) return now;
    if (Atomics.load(control, C.abort) === 1) throw new Abandoned();
    Atomics.wait(control, C.epoch, epoch, PATIENCE);
  }
}

/** Memory that threads share; pages that nobody writes cost nothing. */
export const sharedWords = (words: number): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(words * 4));
