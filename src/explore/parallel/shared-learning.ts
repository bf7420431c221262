/** What one thread learns, all know: a log of messages (learnt.ts) that each applies in order. Only who holds the lock runs generators. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Heap } from '../../kernel/state/heap.ts';
import { adopt, learntSince, markOf, type Mark } from '../learnt.ts';
import type { Sharing, Stepper } from '../stepper.ts';
import { C, Lock } from './control.ts';

type AnyStepper = Pick<Stepper<never>, 'nodes' | 'state'>;

export class SharedLearning implements Sharing {
  private readonly control: Int32Array;
  private readonly log: Int32Array;
  private readonly stepper: AnyStepper;
  private readonly heap: Heap;
  private readonly heapUsed: number;
  private readonly lock: Lock;
  private read = 0;
  private mark: Mark;
  private holds = false;

  constructor(control: Int32Array, log: Int32Array, stepper: AnyStepper, heap: Heap, read = 0) {
    this.control = control;
    this.log = log;
    this.stepper = stepper;
    this.heap = heap;
    this.heapUsed = heap.used;
    this.read = read;
    this.lock = new Lock(control, C.learnLock);
    this.mark = markOf(stepper);
  }

  /** Applies what others have learnt. True where there was something. */
  catchUp(): boolean {
    const end = Atomics.load(this.control, C.logWords);
    if (this.read === end) return false;
    while (this.read < end) this.read = adopt(this.stepper, this.log, this.read);
    this.mark = markOf(this.stepper);
    return true;
  }

  enter(): boolean {
    this.lock.take();
    this.holds = true;
    return this.catchUp();
  }

  publish(): void {
    const { stepper, log, control } = this;
    if (this.heap.used !== this.heapUsed) {
      throw new UnseatError('UNSUPPORTED', 'a path reserved memory while it was explored: its addresses would differ between threads', { next: 'Search with one worker, or reserve it in the set-up.' });
    }
    const message = learntSince(stepper, this.mark, stepper.nodes.changed);
    this.mark = markOf(stepper);
    if (this.read + message.length > log.length) throw new UnseatError('UNSUPPORTED', 'threads learnt more than their shared log holds', { seen: `${log.length} words`, next: 'Search with one worker.' });
    log.set(message, this.read);
    this.read += message.length;
    Atomics.store(control, C.logWords, this.read);
  }

  leave(): void {
    if (this.holds) this.lock.give();
    this.holds = false;
  }
}
