/**
 * The threads that were started, as the first one sees them. It tells them what to do, and waits for them; between the two
 * it does its own part. Who has not come yet is not waited for.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { ThreadEvents, ThreadHandle } from '../../host/live/threads.ts';
import type { Standing } from '../findings.ts';
import { Abandoned, C, GO, Line, PATIENCE, STANDING, waitWhile } from './control.ts';
import type { Failed, News, NewTable, SharedTable } from './messages.ts';

/** Milliseconds that a thread is slept for before the event loop has its turn: that tells of one that died. */
const NAP = 20;
/** After so many times PATIENCE within one block, where the event loop has no turn, a thread is taken for dead. */
const MOST_WAITS = 300;

interface Hand {
  readonly handle: ThreadHandle;
  readonly line: Line;
  /** It has come, and takes part. */
  isIn: boolean;
}

export class Crew {
  private readonly control: Int32Array;
  private readonly hands: readonly Hand[];
  /** What a thread that did not catch its error died of. */
  private died: unknown = undefined;

  constructor(control: Int32Array, count: number, start: (index: number, events: ThreadEvents) => ThreadHandle) {
    this.control = control;
    this.hands = Array.from({ length: count }, (_, index) => {
      const failed = (error: unknown): void => {
        this.died ??= error;
        this.abandon();
      };
      return { handle: start(index, { failed }), line: new Line(control, index), isIn: false };
    });
  }

  get transitions(): number {
    return this.hands.reduce((sum, { line }) => sum + line.transitions, 0);
  }

  get reruns(): number {
    return this.hands.reduce((sum, { line }) => sum + line.reruns, 0);
  }

  /** Waits until all have come. */
  async complete(turn: () => Promise<void>): Promise<void> {
    for (const { line } of this.hands) while (!waitWhile(this.control, line.word, STANDING.absent, NAP)) await turn();
  }

  /** Those who take part, and those who have come meanwhile, go on with the level. */
  begin(): void {
    this.mustGoOn();
    for (const hand of this.hands) hand.isIn ||= hand.line.standing === STANDING.waits;
    this.go(GO.level);
  }

  /** Those who have come since the level began. */
  letIn(): void {
    for (const hand of this.hands) {
      if (hand.isIn || hand.line.standing !== STANDING.waits) continue;
      hand.isIn = true;
      Atomics.store(this.control, C.go, GO.level);
      hand.line.standing = STANDING.works;
    }
  }

  /** Waits until all who take part wait: they have nothing more to do, or the table is full. */
  async quiet(turn: () => Promise<void>): Promise<void> {
    for (const { line, isIn } of this.hands) while (isIn && !waitWhile(this.control, line.word, STANDING.works, NAP)) await turn();
    this.mustGoOn();
  }

  /** The same for a thread in the middle of a block. */
  quietNow(): void {
    for (const { line, isIn } of this.hands) {
      for (let waits = 0; isIn && !waitWhile(this.control, line.word, STANDING.works, PATIENCE); waits += 1) {
        if (waits === MOST_WAITS) throw new UnseatError('INTERNAL', 'a thread of the search does not come to an end of its step', { next: 'Search with one worker.' });
      }
    }
    this.mustGoOn();
  }

  /** All who wait have the new table and enter their parts of the old one; the caller's own is `mine`. Then they go on where they were. */
  grow(table: SharedTable, mine: (table: NewTable) => void): void {
    const parts = 1 + this.hands.filter(({ isIn }) => isIn).length;
    let part = 0;
    for (const { handle, isIn } of this.hands) handle.post({ ...table, ...(isIn ? { part: (part += 1), parts } : { part: 0, parts: 0 }) } satisfies NewTable);
    this.go(GO.grow);
    mine({ ...table, part: 0, parts });
    this.quietNow();
    this.go(GO.resume);
  }

  /** What the others have found since they were asked last. They must wait. */
  news(): Standing[] {
    return this.messages().filter((said): said is News => said.kind === 'news');
  }

  /** What the search was abandoned for. */
  cause(): unknown {
    const said = this.messages().find((one): one is Failed => one.kind === 'failed');
    return said === undefined ? this.died ?? new Abandoned('a thread of the search ended') : new UnseatError(said.code, said.message, said.facts);
  }

  abandon(): void {
    Atomics.store(this.control, C.abort, 1);
    for (const word of [C.blockLock, C.learnLock, ...this.hands.map(({ line }) => line.word)]) Atomics.notify(this.control, word);
  }

  async end(): Promise<void> {
    this.abandon();
    await Promise.all(this.hands.map(({ handle }) => handle.stop()));
  }

  private mustGoOn(): void {
    if (Atomics.load(this.control, C.abort) === 1) throw new Abandoned();
  }

  private go(what: number): void {
    Atomics.store(this.control, C.go, what);
    for (const { line, isIn } of this.hands) if (isIn) line.standing = STANDING.works;
  }

  private messages(): (News | Failed)[] {
    return this.hands.flatMap(({ handle }) => {
      const said: (News | Failed)[] = [];
      for (let message = handle.receive(); message !== undefined; message = handle.receive()) said.push(message as News | Failed);
      return said;
    });
  }
}
