/**
 * Answers about states, remembered by what they look at: whoever is asked reads the heap, results and places of threads,
 * and nothing else, so where it finds what it found before, it says what it said before. Forgotten as steps are
 * (known-steps.ts).
 */
import { Decisions, inconsistent } from './decisions.ts';
import type { Stepper } from './stepper.ts';

/** Words after which everything is forgotten. */
const MOST_WORDS = 1 << 22;
/** What can be asked of a thread. */
const IS_DONE = 0;
const RESULT = 1;

export class KnownAnswers {
  /** Called with each place of the row that an answer looks at. */
  looksAt: (question: number, place: number) => void = () => undefined;
  private readonly decisions = new Decisions();
  /** By question: position in the decisions. */
  private readonly roots: number[];
  private width = 0;
  private readonly stepper: Stepper<never>;
  private question = 0;
  private observed: number[] = [];
  private readonly seen = new Set<number>();

  constructor(questions: number, stepper: Stepper<never>) {
    this.stepper = stepper;
    this.roots = new Array<number>(questions).fill(0);
  }

  /** The answer to a question in the state that the row holds; -1 where it has to be asked. */
  find(question: number): number {
    const { stepper: { state }, decisions } = this;
    if (state.width !== this.width) this.forget();
    let at = this.roots[question] as number;
    while (at > 0) {
      const place = decisions.tree[at] as number;
      at = decisions.next(at, place >= 0 ? (state.row[place] as number) : this.ofThread(~place));
    }
    return at < 0 ? ~at : -1;
  }

  /** Asks, and remembers the answer: 0 or more. `ask` looks by `read`, `done` and `at` alone. */
  ask(question: number, ask: () => number): number {
    this.question = question;
    this.observed = [];
    this.seen.clear();
    const answer = ask();
    if (this.decisions.size > MOST_WORDS || this.stepper.state.width !== this.width) this.forget();
    this.roots[question] = this.decisions.insert(this.roots[question] as number, this.observed, answer);
    return answer;
  }

  /**
   * Asks once more what `find` knew.
   * @throws UnseatError INTERNAL where the answer is another one now: it depends on something that was not looked at by `read`, `done` and `at`
   */
  verify(question: number, known: number, ask: () => number): void {
    this.observed = [];
    this.seen.clear();
    if (ask() !== known) throw inconsistent(`question ${question}`);
  }

  read(address: number): number {
    const { state } = this.stepper;
    const value = state.read(address);
    const column = state.columnIndex(address);
    if (column >= 0) this.observe(column + state.threads, value);
    return value;
  }

  /** Result of a thread that is done. */
  done(thread: number): number | undefined {
    const result = this.stepper.result(thread);
    this.observe(~(thread * 2 + IS_DONE), result === undefined ? 0 : 1);
    if (result !== undefined) this.observe(~(thread * 2 + RESULT), result);
    return result;
  }

  at(thread: number): number {
    this.observe(thread, this.stepper.state.row[thread] as number);
    return this.stepper.point(thread);
  }

  private observe(place: number, value: number): void {
    if (this.seen.has(place)) return;
    this.seen.add(place);
    this.observed.push(place, value);
    this.looksAt(this.question, place >= 0 ? place : ~place >>> 1);
  }

  private ofThread(question: number): number {
    const thread = question >>> 1;
    const result = this.stepper.result(thread);
    return (question & 1) === RESULT ? (result ?? 0) : result === undefined ? 0 : 1;
  }

  /** The next answer is asked for. */
  forget(): void {
    this.roots.fill(0);
    this.decisions.clear();
    this.width = this.stepper.state.width;
  }
}
