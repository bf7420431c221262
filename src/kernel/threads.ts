/**
 * Threads of a machine that is run straight: each goes on until it waits, then the next. A thread that oopses is dead and
 * its locks stay held. Whoever sets conditions (drops a pin, sends a signal, lets time pass) calls `run` afterwards.
 * The explorer does not use this; it steps paths itself.
 */
import type { Kernel } from './kernel.ts';
import { KernelOops } from './oops.ts';
import type { Path } from './state/path.ts';

export type ThreadState = 'waiting' | 'done' | 'dead';

export class Thread {
  readonly name: string;
  /** Heap word: not zero when a signal is pending. Paths take it as their `task` argument. */
  readonly signal: number;
  state: ThreadState = 'waiting';
  /** What the path returned. */
  result = 0;
  /** What killed it. */
  oops: KernelOops | null = null;
  /** Where it waits. */
  where = '';
  path: Path<number> | null = null;

  constructor(name: string, signal: number) {
    this.name = name;
    this.signal = signal;
  }
}

/** Rounds without an end or a move after which every task counts as waiting for something outside. */
const QUIET_ROUNDS = 3;

export class Threads {
  readonly all: Thread[] = [];
  private readonly k: Kernel;
  private running = false;

  constructor(k: Kernel) {
    this.k = k;
  }

  /** Starts a task and runs the machine until nothing moves. `make` gets the signal word. */
  spawn(name: string, make: (signal: number) => Path<number>): Thread {
    const thread = new Thread(name, this.k.heap.reserve(1));
    thread.path = make(thread.signal);
    this.all.push(thread);
    this.run();
    return thread;
  }

  /** Sends a fatal signal to a task and runs the machine. */
  kill(thread: Thread): void {
    this.k.heap.store(thread.signal, 1);
    this.run();
  }

  /** Runs every task until all have ended or wait. A task that starts another does not run it: the round under way does. */
  run(): void {
    if (this.running) return;
    this.running = true;
    try {
      for (let quiet = 0; quiet < QUIET_ROUNDS; quiet += 1) {
        for (const thread of this.all) if (thread.state === 'waiting' && this.step(thread)) quiet = -1;
      }
    } finally {
      this.running = false;
    }
  }

  /** Lets `seconds` pass, a tenth at a time. */
  pass(seconds: number): void {
    for (let tenth = 0; tenth < Math.round(seconds * 10); tenth += 1) {
      this.k.heap.add(this.k.clock, 1);
      this.run();
    }
  }

  /** True when the task ended or now waits elsewhere. */
  private step(thread: Thread): boolean {
    try {
      for (;;) {
        const next = (thread.path as Path<number>).next();
        if (next.done) {
          thread.state = 'done';
          thread.result = next.value;
          return true;
        }
        if (!next.value.blocked) continue;
        const moved = thread.where !== next.value.label;
        thread.where = next.value.label;
        return moved;
      }
    } catch (error) {
      if (!(error instanceof KernelOops)) throw error;
      thread.state = 'dead';
      thread.oops = error;
      return true;
    }
  }
}

const makeThreads = (k: Kernel): Threads => new Threads(k);
export const threads = (k: Kernel): Threads => k.part(makeThreads);
