/**
 * The key of a state of which only some things count (Program.view): the sum of the hashes of its parts. Of a successor
 * only those parts are looked at that look at something that its step changes.
 */
import { KnownAnswers } from './known-answers.ts';
import type { Outcomes } from './outcomes.ts';
import type { ViewPart } from './program.ts';
import type { StateRow } from './state-row.ts';
import type { Stepper } from './stepper.ts';

export class ViewHash {
  low = 0;
  high = 0;
  /** Hashes after which all are forgotten, between two states. */
  mostHashes = 1 << 20;
  private readonly parts: readonly ViewPart[];
  private readonly state: StateRow;
  private readonly outcomes: Outcomes;
  private readonly known: KnownAnswers;
  /** Hashes that parts came to, by number. */
  private readonly lows: number[] = [];
  private readonly highs: number[] = [];
  private readonly numbers = new Map<string, number>();
  /** By place of the row: bits of the parts that look at it (part modulo 32). */
  private lookedAtBy = new Int32Array(64);
  /** Of the state that `compute` was called for: the hash of each part, their sum, and the width of its row. */
  private readonly now: Int32Array;
  private sumLow = 0;
  private sumHigh = 0;
  private width = -1;

  constructor(parts: readonly ViewPart[], stepper: Stepper<never>) {
    this.parts = parts;
    this.state = stepper.state;
    this.outcomes = stepper.known.outcomes;
    this.known = new KnownAnswers(parts.length, stepper);
    this.known.looksAt = (part, place) => this.note(part, place);
    this.now = new Int32Array(parts.length);
  }

  /** Sets `low` and `high` for the state that the row holds. */
  compute(): void {
    const { now, lows, highs } = this;
    if (lows.length > this.mostHashes) this.forget();
    let [low, high] = [0, 0];
    for (let part = 0; part < now.length; part += 1) {
      const hash = this.hashOf(part);
      now[part] = hash;
      low = (low + (lows[hash] as number)) | 0;
      high = (high + (highs[hash] as number)) | 0;
    }
    this.width = this.state.width;
    this.low = this.sumLow = low;
    this.high = this.sumHigh = high;
  }

  /** The same for the state that an outcome leads to from there. The row is left as it is. */
  after(outcome: number): void {
    const { state, outcomes, now, lows, highs } = this;
    // A word for which there was no place yet was the same in every state.
    if (state.width !== this.width) this.compute();
    let low = this.sumLow;
    let high = this.sumHigh;
    const affected = outcomes.touches(outcome, this.lookedAtBy);
    if (affected !== 0) {
      outcomes.lend(outcome, state.row);
      for (let part = 0; part < now.length; part += 1) {
        if ((affected & (1 << (part & 31))) === 0) continue;
        const hash = this.hashOf(part);
        const before = now[part] as number;
        low = (low + (lows[hash] as number) - (lows[before] as number)) | 0;
        high = (high + (highs[hash] as number) - (highs[before] as number)) | 0;
      }
      outcomes.takeBack(outcome, state.row);
    }
    this.low = low;
    this.high = high;
  }

  /** @throws UnseatError INTERNAL where the hash of a part is not what is remembered of it */
  verify(): void {
    for (let part = 0; part < this.parts.length; part += 1) this.known.verify(part, this.hashOf(part), () => this.ask(part));
  }

  /** Number of the hash of a part in the state that the row holds. */
  private hashOf(part: number): number {
    const known = this.known.find(part);
    return known >= 0 ? known : this.known.ask(part, () => this.ask(part));
  }

  private ask(part: number): number {
    return this.numberOf((this.parts[part] as ViewPart)(this.known));
  }

  /** What was remembered names hashes by their numbers. */
  private forget(): void {
    this.lows.length = this.highs.length = 0;
    this.numbers.clear();
    this.known.forget();
  }

  private numberOf([low, high]: readonly [number, number]): number {
    const key = `${low} ${high}`;
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.lows.push(low);
    this.highs.push(high);
    this.numbers.set(key, this.lows.length - 1);
    return this.lows.length - 1;
  }

  private note(part: number, place: number): void {
    if (place >= this.lookedAtBy.length) {
      const bigger = new Int32Array(Math.max(this.lookedAtBy.length * 2, place + 1));
      bigger.set(this.lookedAtBy);
      this.lookedAtBy = bigger;
    }
    this.lookedAtBy[place] = (this.lookedAtBy[place] as number) | (1 << (part & 31));
  }
}
