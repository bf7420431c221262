/**
 * Breadth-first search by several threads over one table of visited states. One thread begins; when there is enough to
 * do, what it has becomes shared memory and workers go on, level by level: all finish a level before the next begins, so
 * the number of states, the verdict and the length of the way are those of one thread. Which of several ways of that
 * length is named can differ from run to run.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { ThreadEvents, ThreadHandle } from '../../host/live/threads.ts';
import { FOUND, verdictOf, violationsOf } from '../answer.ts';
import { BreadthFirst, type SearchOptions } from '../breadth-first.ts';
import { Expander } from '../expander.ts';
import { fingerprint } from '../fingerprint.ts';
import type { Keeper } from '../long-search.ts';
import type { Program } from '../program.ts';
import type { Snapshot } from '../snapshot.ts';
import { whyStop } from '../stop-rules.ts';
import type { Stepper } from '../stepper.ts';
import type { Verdict, Violation } from '../verdict.ts';
import { PARENTS_UP_TO, Visited } from '../visited.ts';
import { GO } from './control.ts';
import type { Arrived, Failed, WorkerTask } from './messages.ts';
import { Shared } from './shared.ts';
import { programFrom, type ProgramSource } from './source.ts';

export interface SharedOptions extends Omit<SearchOptions, 'independence' | 'stepper'> {
  readonly workers: number;
  readonly startThread: (source: string, task: unknown, events: ThreadEvents) => ThreadHandle;
  readonly keeper?: Keeper;
  /** For progress within a level. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** States after which workers are started; fewer are done sooner than a thread starts. */
  readonly handOver?: number;
}

const HAND_OVER = 1 << 15;
/** Milliseconds between two reports of progress. */
const REPORT_EVERY = 250;
/** The entry of a worker, from src/host/live (entry.ts). */
export const WORKER_ENTRY = '../../explore/parallel/worker.ts';

/** @throws UnseatError whatever a worker throws */
export async function searchShared(source: ProgramSource, options: SharedOptions): Promise<Verdict> {
  const began = options.now();
  const program = await programFrom(source);
  const start = fingerprint(program);
  const first = new BreadthFirst(program, options);
  const { handOver = HAND_OVER } = options;
  while (!first.over && first.states < handOver) first.level();
  if (first.unfinished) options.keeper?.keep(first.snapshot(), true);
  if (first.over) return first.verdict();
  return await new SharedSearch({ source, program, start, began }, options, first.snapshot(), first.stepper).run();
}

class SharedSearch {
  private readonly source: ProgramSource;
  private readonly program: Program<never>;
  /** Fingerprint of the program before anything was run. */
  private readonly start: string;
  private readonly options: SharedOptions;
  private readonly shared: Shared;
  /** Never expands anything: it knows what the workers learn, and gathers what they find. */
  private readonly expander: Expander<never>;
  private readonly threads: ThreadHandle[] = [];
  private readonly began: number;
  private readonly before: Snapshot;
  private last: Arrived[] = [];
  private arrived: Arrived[] = [];
  /** The table has been replaced and the workers fill it: they go on with the level then. */
  private growing = false;
  private stop: string | null = null;
  private ended = false;

  constructor({ source, program, start, began }: { source: ProgramSource; program: Program<never>; start: string; began: number }, options: SharedOptions, snapshot: Snapshot, stepper: Stepper<never>) {
    this.source = source;
    this.program = program;
    this.start = start;
    this.options = options;
    this.before = snapshot;
    this.began = began;
    this.expander = new Expander(program, { symmetry: options.symmetry === true, stepper }, { addAll: () => 0 }, () => undefined);
    this.shared = new Shared(snapshot, stepper, options.parentsUpTo ?? PARENTS_UP_TO);
    this.expander.findings.merge(snapshot.found, snapshot.pending);
  }

  async run(): Promise<Verdict> {
    try {
      void this.report();
      await new Promise<void>((done, fail) => this.begin(done, fail));
    } finally {
      this.ended = true;
      this.shared.abandon();
      await Promise.all(this.threads.map((thread) => thread.stop()));
    }
    this.shared.learning.catchUp();
    const { stop, program, expander, shared, options } = this;
    expander.depth = shared.depth;
    expander.transitions = this.transitions;
    const violations = await this.violations();
    const reruns = this.last.reduce((sum, { reruns: runs }) => sum + runs, expander.stepper.recorder.runs);
    return verdictOf(program, expander, violations, { stop, states: shared.states, transitions: expander.transitions, milliseconds: options.now() - this.began, tableBytes: shared.tableBytes, reruns });
  }

  private async report(): Promise<void> {
    const { options: { onProgress, sleep }, shared } = this;
    if (onProgress === undefined || sleep === undefined) return;
    while (!this.ended) {
      onProgress(shared.states, shared.depth);
      await sleep(REPORT_EVERY);
    }
  }

  private get transitions(): number {
    return this.last.reduce((sum, { transitions }) => sum + transitions, this.before.transitions);
  }

  private begin(done: () => void, fail: (error: unknown) => void): void {
    const { workers, startThread, symmetry, selfCheck, remember } = this.options;
    const { found, pending } = this.before;
    for (let index = 0; index < workers; index += 1) {
      const task: WorkerTask = {
        source: this.source, fingerprint: this.start, symmetry: symmetry === true, selfCheck: selfCheck ?? 0, remember: remember !== false, index, workers,
        blocks: this.shared.blocks, log: this.shared.log, table: this.shared.table, found, pending,
      };
      this.threads.push(startThread(WORKER_ENTRY, task, {
        failed: (error) => fail(error),
        message: (message) => {
          const said = message as Arrived | Failed;
          if (said.kind === 'failed') return fail(new UnseatError(said.code, said.message, said.facts));
          this.arrived.push(said);
          if (this.arrived.length === workers) this.allHere(done, fail);
        },
      }));
    }
  }

  /** All workers wait. */
  private allHere(done: () => void, fail: (error: unknown) => void): void {
    this.last = this.arrived;
    this.arrived = [];
    try {
      this.shared.go(this.next());
      if (this.stop !== null || this.shared.over) done();
    } catch (error) {
      fail(error);
    }
  }

  private next(): number {
    const { shared, options, expander: { findings } } = this;
    for (const { found, pending } of this.last) findings.merge(found, pending);
    if (shared.wantsToGrow) {
      this.growing = true;
      const table = shared.grow();
      for (const thread of this.threads) thread.post(table);
      return GO.grow;
    }
    if (this.growing) {
      this.growing = false;
      return GO.resume;
    }
    shared.turn();
    if (findings.found.size > 0 && options.all !== true) this.stop = FOUND;
    else if (!shared.over) this.stop = whyStop(options, this.reached);
    if (options.keeper !== undefined && !shared.over && this.stop !== FOUND && (this.stop !== null || options.keeper.due())) options.keeper.keep(this.snapshot(), this.stop !== null);
    return this.stop !== null || shared.over ? GO.stop : GO.level;
  }

  private snapshot(): Snapshot {
    const { expander: { stepper, findings } } = this;
    return this.shared.snapshot(stepper as unknown as Stepper<never>, [...findings.found.values()], [...findings.pending], this.transitions);
  }

  private get reached(): { states: number; depth: number; milliseconds: number; bytes: number } {
    return { states: this.shared.states, depth: this.shared.depth, milliseconds: this.options.now() - this.began, bytes: this.shared.bytes };
  }

  private async violations(): Promise<readonly Violation[]> {
    const { expander, shared, program, options } = this;
    const chosen = expander.findings.chosen(options.all === true);
    if (chosen.length === 0) return [];
    const { table } = shared;
    if (table.stride === 4) return violationsOf(program, expander, chosen, new Visited(Infinity, { ...table, count: shared.states }));
    const { maxStates: _states, maxBytes: _bytes, maxMilliseconds: _time, interrupted: _by, from: _from, keeper: _keeper, ...rest } = options;
    return (await searchShared(this.source, { ...rest, parentsUpTo: Infinity, maxDepth: expander.depth })).violations;
  }
}
