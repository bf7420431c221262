/**
 * Breadth-first search by several threads over one table of visited states. One thread begins; when there is enough to
 * do, what it has becomes shared memory, and it goes on while others are started. Whoever has come takes part, level by
 * level: all finish a level before the next begins, so the number of states, the verdict and the length of the way are those of
 * one thread. Which of several ways of that length is named can differ from run to run.
 */
import type { ThreadEvents, ThreadHandle } from '../../host/live/threads.ts';
import { FOUND, verdictOf, violationsOf } from '../answer.ts';
import { BreadthFirst, type SearchOptions } from '../breadth-first.ts';
import { fingerprint } from '../fingerprint.ts';
import type { Keeper } from '../long-search.ts';
import type { Program } from '../program.ts';
import type { Snapshot } from '../snapshot.ts';
import { whyStop } from '../stop-rules.ts';
import type { Stepper } from '../stepper.ts';
import type { Verdict, Violation } from '../verdict.ts';
import { PARENTS_UP_TO, Visited } from '../visited.ts';
import { Abandoned } from './control.ts';
import { Crew } from './crew.ts';
import type { Common, WorkerTask } from './messages.ts';
import { Part } from './part.ts';
import { Shared } from './shared.ts';
import { programFrom, type ProgramSource } from './source.ts';

export interface SharedOptions extends Omit<SearchOptions, 'independence' | 'stepper'> {
  /** Threads in all. */
  readonly workers: number;
  readonly startThread: (source: string, task: unknown, events: ThreadEvents) => ThreadHandle;
  readonly keeper?: Keeper;
  /** Gives the event loop its turn: signals, and threads that died. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** States after which the others are started; fewer are done sooner than a thread starts. */
  readonly handOver?: number;
  /** Wait for all of them before going on, so that all take part in a search that is soon over. For tests. */
  readonly together?: boolean;
}

const HAND_OVER = 1 << 12;
/** Milliseconds between two turns of the event loop, and reports of progress, within a level. */
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
  private readonly options: SharedOptions;
  private readonly shared: Shared;
  private readonly part: Part;
  private readonly crew: Crew;
  private readonly began: number;
  private told: number;
  private stop: string | null = null;

  /** `start`: fingerprint of the program before anything was run. */
  constructor({ source, program, start, began }: { source: ProgramSource; program: Program<never>; start: string; began: number }, options: SharedOptions, before: Snapshot, stepper: Stepper<never>) {
    const { workers, startThread, symmetry, selfCheck, remember } = options;
    this.source = source;
    this.program = program;
    this.options = options;
    this.began = began;
    this.told = options.now();
    const { found, pending } = before;
    this.shared = new Shared(before, workers - 1, options.parentsUpTo ?? PARENTS_UP_TO);
    const { blocks, log, table } = this.shared;
    const common: Common = { threads: workers, manner: { symmetry: symmetry === true, selfCheck: selfCheck ?? 0, remember: remember !== false }, blocks, log };
    this.crew = new Crew(blocks.control, workers - 1, (index, events) => startThread(WORKER_ENTRY, { ...common, source, fingerprint: start, index, table, found, pending } satisfies WorkerTask, events));
    this.part = new Part(program, common, table, () => this.growNow(), stepper, before.lessons.length);
    this.part.expander.transitions = before.transitions;
    this.part.expander.findings.merge(found, pending);
  }

  async run(): Promise<Verdict> {
    const { crew, shared, options, part: { expander, learning } } = this;
    try {
      if (options.together === true) await crew.complete(() => this.turn());
      shared.turn();
      while (this.stop === null && !shared.over) await this.level();
    } catch (error) {
      throw error instanceof Abandoned ? crew.cause() : error;
    } finally {
      expander.stepper.sharing = null;
      await crew.end();
    }
    learning.catchUp();
    expander.depth = shared.depth;
    expander.transitions += crew.transitions;
    const violations = await this.violations();
    const reruns = crew.reruns + expander.stepper.recorder.runs;
    return verdictOf(this.program, expander, violations, { stop: this.stop, states: shared.states, transitions: expander.transitions, milliseconds: options.now() - this.began, tableBytes: shared.tableBytes, reruns });
  }

  private async level(): Promise<void> {
    const { crew, part, shared, options } = this;
    crew.begin();
    part.beginLevel();
    for (;;) {
      while (part.block()) {
        crew.letIn();
        if (options.now() - this.told >= REPORT_EVERY) await this.turn();
      }
      await crew.quiet(() => this.turn());
      if (!shared.wantsToGrow) break;
      this.grow();
    }
    shared.turn();
    this.whetherToStop();
  }

  private whetherToStop(): void {
    const { shared, options, crew, part: { expander: { findings } } } = this;
    const { keeper } = options;
    for (const { found, pending } of crew.news()) findings.merge(found, pending);
    if (findings.found.size > 0 && options.all !== true) this.stop = FOUND;
    else if (!shared.over) this.stop = whyStop(options, this.reached);
    if (keeper !== undefined && !shared.over && this.stop !== FOUND && (this.stop !== null || keeper.due())) keeper.keep(this.snapshot(), this.stop !== null);
  }

  /** The event loop's turn, and word of how far the search is. */
  private async turn(): Promise<void> {
    const { shared, options } = this;
    this.told = options.now();
    options.onProgress?.(shared.states, shared.depth);
    await options.sleep?.(0);
  }

  /** In the middle of a block. */
  private growNow(): void {
    this.crew.quietNow();
    this.grow();
  }

  /** While the others wait. */
  private grow(): void {
    this.crew.grow(this.shared.grow(), (table) => this.part.takeTable(table));
  }

  private snapshot(): Snapshot {
    const { shared, crew, part: { expander: { stepper, findings, transitions }, learning } } = this;
    learning.catchUp();
    return shared.snapshot(stepper as unknown as Stepper<never>, [...findings.found.values()], findings.pending, transitions + crew.transitions);
  }

  private get reached(): { states: number; depth: number; milliseconds: number; bytes: number } {
    return { states: this.shared.states, depth: this.shared.depth, milliseconds: this.options.now() - this.began, bytes: this.shared.bytes };
  }

  private async violations(): Promise<readonly Violation[]> {
    const { part: { expander }, shared, program, options } = this;
    const chosen = expander.findings.chosen(options.all === true);
    if (chosen.length === 0) return [];
    const { table } = shared;
    if (table.stride === 4) return violationsOf(program, expander, chosen, new Visited(Infinity, { ...table, count: shared.states }));
    const { maxStates: _states, maxBytes: _bytes, maxMilliseconds: _time, interrupted: _by, from: _from, keeper: _keeper, ...rest } = options;
    return (await searchShared(this.source, { ...rest, parentsUpTo: Infinity, maxDepth: expander.depth })).violations;
  }
}
