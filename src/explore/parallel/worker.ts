/**
 * One thread of a search: takes blocks of the current level until there are none, then waits for the others. Everything
 * that threads share is in `WorkerTask`; a new table comes as a message while all wait.
 */
import { ownThread, type OwnThread } from '../../host/live/threads.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import { Expander } from '../expander.ts';
import { fingerprint } from '../fingerprint.ts';
import type { Program } from '../program.ts';
import type { Stepper } from '../stepper.ts';
import { Blocks } from './blocks.ts';
import { Abandoned, C, GO, waitForEpoch } from './control.ts';
import { failure, type SharedTable, type WorkerTask } from './messages.ts';
import { SharedLearning } from './shared-learning.ts';
import { SharedVisited } from './shared-visited.ts';
import { programFrom } from './source.ts';

class Worker {
  private readonly own: OwnThread;
  private readonly task: WorkerTask;
  private readonly control: Int32Array;
  private readonly blocks: Blocks;
  private readonly table: SharedVisited;
  private readonly learning: SharedLearning;
  private readonly expander: Expander<never>;
  private words: SharedTable;

  constructor(own: OwnThread, task: WorkerTask, program: Program<never>) {
    this.own = own;
    this.task = task;
    this.control = task.blocks.control;
    this.blocks = new Blocks(task.blocks);
    this.words = task.table;
    this.table = new SharedVisited(this.control, task.workers, task.table, () => {
      if (this.meet() === GO.stop) throw new Abandoned();
    });
    this.expander = new Expander(program, { symmetry: task.symmetry, selfCheck: task.selfCheck, remember: task.remember }, this.table, (state) => this.blocks.push(state));
    this.expander.findings.merge(task.found, task.pending);
    const { stepper } = this.expander;
    this.learning = new SharedLearning(this.control, task.log, stepper as unknown as Stepper<never>);
    stepper.sharing = this.learning;
  }

  run(): void {
    for (let go: number = this.meet(); go !== GO.stop; go = this.meet()) {
      // What states of this level consist of was learnt, by whomever, before the level began.
      this.learning.catchUp();
      this.expander.depth = Atomics.load(this.control, C.depth);
      for (let taken = this.blocks.claim(); taken !== null; taken = this.blocks.claim()) this.expand(taken);
      this.blocks.publish();
    }
  }

  private expand({ block, begin, count }: { readonly block: number; readonly begin: number; readonly count: number }): void {
    const { expander, blocks } = this;
    let at = begin;
    for (let left = count; left > 0; left -= 1) at = expander.expand(blocks, at);
    expander.flush(blocks);
    blocks.free(block);
  }

  /** Waits until all have arrived and are told what to do. When the table is to grow, it helps, and waits again. */
  private meet(): number {
    let go = this.arrive();
    while (go === GO.grow) {
      this.takeNewTable();
      go = this.arrive();
    }
    return go;
  }

  private arrive(): number {
    const { control, expander: { transitions, findings, stepper } } = this;
    const epoch = Atomics.load(control, C.epoch);
    this.own.post({ kind: 'arrived', transitions, reruns: stepper.recorder.runs, found: [...findings.found.values()], pending: [...findings.pending] });
    waitForEpoch(control, epoch);
    return Atomics.load(control, C.go);
  }

  private takeNewTable(): void {
    const old = this.words;
    for (let message = this.own.receive(); message !== undefined; message = this.own.receive()) this.words = message as SharedTable;
    if (this.words === old) throw new UnseatError('INTERNAL', 'the new table of states has not come');
    this.table.use(this.words);
    this.table.takeFrom(old, this.task.index, this.task.workers);
  }
}

export async function start(): Promise<void> {
  const own = ownThread();
  if (own === null) return;
  try {
    const task = own.task as WorkerTask;
    const program = await programFrom(task.source);
    if (fingerprint(program) !== task.fingerprint) throw new UnseatError('INTERNAL', 'the set-up of this program is not the same each time', { subject: program.name, next: 'A set-up may depend only on its input: no clock, no random number.' });
    new Worker(own, task, program).run();
  } catch (error) {
    if (!(error instanceof Abandoned)) own.post(failure(error));
  }
}

if (import.meta.filename.endsWith('worker.ts')) await start();
