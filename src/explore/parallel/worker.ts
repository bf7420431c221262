/**
 * A thread that was started to help with a search. Everything that threads share is in `WorkerTask`; a new table comes as
 * a message while all wait.
 */
import { ownThread, type OwnThread } from '../../host/live/threads.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import { fingerprint } from '../fingerprint.ts';
import type { Program } from '../program.ts';
import { Abandoned, C, GO, Line, PATIENCE, STANDING, waitWhile } from './control.ts';
import { failure, type News, type NewTable, type WorkerTask } from './messages.ts';
import { Part } from './part.ts';
import { programFrom } from './source.ts';

class Worker {
  private readonly own: OwnThread;
  private readonly control: Int32Array;
  private readonly line: Line;
  private readonly part: Part;
  /** What had been found when the first thread was told last. */
  private told: number;

  constructor(own: OwnThread, task: WorkerTask, program: Program<never>) {
    this.own = own;
    this.control = task.blocks.control;
    this.line = new Line(this.control, task.index);
    this.part = new Part(program, task, task.table, () => {
      if (this.meet() === GO.stop) throw new Abandoned();
    });
    const { findings } = this.part.expander;
    findings.merge(task.found, task.pending);
    this.told = findings.changes;
  }

  run(): void {
    const { part } = this;
    part.learning.catchUp();
    for (let go = this.meet(); go !== GO.stop; go = this.meet()) {
      part.beginLevel();
      while (part.block());
    }
  }

  /** Waits until it is told what to do. Where the table is to grow, it helps, and waits again. */
  private meet(): number {
    const { control, line, part } = this;
    for (;;) {
      const { transitions, stepper } = part.expander;
      this.tellNews();
      line.count(transitions, stepper.recorder.runs);
      line.standing = STANDING.waits;
      while (!waitWhile(control, line.word, STANDING.waits, PATIENCE));
      for (let table = this.own.receive(); table !== undefined; table = this.own.receive()) part.takeTable(table as NewTable);
      const go = Atomics.load(control, C.go);
      if (go !== GO.grow) return go;
    }
  }

  private tellNews(): void {
    const { findings } = this.part.expander;
    if (findings.changes === this.told) return;
    this.told = findings.changes;
    this.own.post({ kind: 'news', found: [...findings.found.values()], pending: findings.pending } satisfies News);
  }
}

export async function start(): Promise<void> {
  const own = ownThread();
  if (own === null) return;
  const task = own.task as WorkerTask;
  const { control } = task.blocks;
  try {
    const program = await programFrom(task.source);
    if (fingerprint(program) !== task.fingerprint) throw new UnseatError('INTERNAL', 'the set-up of this program is not the same each time', { subject: program.name, next: 'A set-up may depend only on its input: no clock, no random number.' });
    new Worker(own, task, program).run();
  } catch (error) {
    if (error instanceof Abandoned) return;
    own.post(failure(error));
    Atomics.store(control, C.abort, 1);
    // Whoever waits for this thread must not wait for its death.
    new Line(control, task.index).standing = STANDING.waits;
  }
}

if (import.meta.filename.endsWith('worker.ts')) await start();
