/** What one thread learns, all know: a log of lessons that each applies in order. Only who holds the lock runs generators. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Sharing, Stepper } from '../stepper.ts';
import { C, Lock } from './control.ts';

export class SharedLearning implements Sharing {
  private readonly control: Int32Array;
  private readonly log: Int32Array;
  private readonly stepper: Stepper<never>;
  private readonly lock: Lock;
  private read = 0;
  private holds = false;

  /** `read`: words of the log that the stepper knows already. */
  constructor(control: Int32Array, log: Int32Array, stepper: Stepper<never>, read = 0) {
    this.control = control;
    this.log = log;
    this.stepper = stepper;
    this.read = read;
    this.lock = new Lock(control, C.learnLock);
  }

  /** Applies what others have learnt. True where there was something. */
  catchUp(): boolean {
    const end = Atomics.load(this.control, C.logWords);
    if (this.read === end) return false;
    this.stepper.adopt(this.log, this.read, end);
    this.read = end;
    return true;
  }

  enter(): boolean {
    this.lock.take();
    this.holds = true;
    return this.catchUp();
  }

  publish(): void {
    const { stepper, log, control } = this;
    const lessons = stepper.lessons.words;
    if (lessons.length > log.length) throw new UnseatError('UNSUPPORTED', 'threads learnt more than their shared log holds', { seen: `${log.length} words`, next: 'Search with one worker.' });
    log.set(lessons.subarray(this.read), this.read);
    this.read = lessons.length;
    Atomics.store(control, C.logWords, this.read);
  }

  leave(): void {
    if (this.holds) this.lock.give();
    this.holds = false;
  }
}
