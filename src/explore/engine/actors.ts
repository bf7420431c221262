/** Who lives while the engine works: what each does, one deed at a time, whenever it is let. The engine's own death is a deed too. */
import { mountsOf } from './mounted.ts';
import { INODE, inodesOf } from '../../kernel/fs/inode.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { userRead, userWrite } from '../../kernel/mm/access.ts';
import { exitTask } from '../../kernel/mm/exit.ts';
import { fork } from '../../kernel/mm/fork.ts';
import { mmOf, VMA, vmasOf, vmaStart } from '../../kernel/mm/mm_struct.ts';
import type { BuiltScenario } from '../../kernel/scenario/built.ts';
import { stillThere } from '../../kernel/scenario/start-process.ts';
import { chdir, mapFile, openFile } from '../../kernel/setup/process.ts';
import { run } from '../../kernel/setup/run.ts';
import { continueTask, eachTask, TASK_RUNNING, TASK_STOPPED, taskPid, taskState } from '../../kernel/task.ts';

export const DEEDS = ['read', 'write', 'fork', 'map', 'map-private', 'open', 'chdir', 'exit', 'die-and-resume', 'die-and-roll-back'] as const;
export type Deed = (typeof DEEDS)[number];

/**
 * `holder` maps the file from the start, `late` holds nothing at the start, `child` is the newest one that was forked;
 * `unseat` is the engine, which dies with its child, and is then started again to go on or to put back.
 */
export type Who = 'holder' | 'late' | 'child' | 'unseat';
export type AfterDeath = 'resume' | 'rollback';

export interface Actor {
  readonly who: Who;
  readonly deeds: readonly Deed[];
}

/** One deed of one actor: `holder reads`. */
export const deedText = (actor: Actor, index: number): string => `${actor.who}: ${actor.deeds[index] ?? ''}`;

const isDeath = (deed: Deed): deed is 'die-and-resume' | 'die-and-roll-back' => deed === 'die-and-resume' || deed === 'die-and-roll-back';

const HOLDER = 'h';
const LATE = 'late';

export class Actors {
  readonly actors: readonly Actor[];
  /** Deeds done so far, by actor. */
  readonly done: number[];
  /** What is done about the engine's death; null while it has not died. */
  died: AfterDeath | null = null;
  /** The engine has ended by itself: it cannot die any more. */
  over = false;
  private readonly built: BuiltScenario;
  private readonly born: ReadonlySet<number>;

  constructor(built: BuiltScenario, actors: readonly Actor[]) {
    this.built = built;
    this.actors = actors;
    this.done = actors.map(() => 0);
    this.born = new Set([...eachTask(this.k)].map((task) => taskPid(this.k, task)));
  }

  private get k(): Kernel {
    return this.built.world.k;
  }

  /** Actors that can do their next deed now: it exists, runs (nobody stopped it) and finds what it needs. */
  ready(): number[] {
    return this.actors.flatMap((actor, i) => {
      const deed = actor.deeds[this.done[i] as number];
      return deed !== undefined && (isDeath(deed) ? this.died === null && !this.over : this.possible(this.task(actor.who), deed)) ? [i] : [];
    });
  }

  /** The next deed of an actor, which is ready. */
  act(actor: number): void {
    const { who, deeds } = this.actors[actor] as Actor;
    const deed = deeds[this.done[actor] as number] as Deed;
    this.done[actor] = (this.done[actor] as number) + 1;
    if (isDeath(deed)) this.die(deed === 'die-and-resume' ? 'resume' : 'rollback');
    else this.carryOut(this.task(who), deed);
  }

  /** unseat and its child have gone: the kernel lets every process go on that they had stopped. */
  private die(then: AfterDeath): void {
    this.died = then;
    for (const task of eachTask(this.k)) if (taskState(this.k, task) === TASK_STOPPED) continueTask(this.k, task);
  }

  private task(who: Who): number {
    if (who !== 'child') {
      const started = this.built.processes.get(who === 'holder' ? HOLDER : LATE);
      return started !== undefined && stillThere(this.k, started) ? started.task : 0;
    }
    const children = [...eachTask(this.k)].filter((task) => !this.born.has(taskPid(this.k, task)));
    return children.at(-1) ?? 0;
  }

  private possible(task: number, deed: Deed): boolean {
    const { k } = this;
    if (task === 0 || taskState(k, task) !== TASK_RUNNING) return false;
    if (deed === 'read' || deed === 'write') return this.mapping(task) !== 0;
    return deed === 'fork' || deed === 'exit' || this.file() !== 0;
  }

  /** The last file mapping that the process made. */
  private mapping(task: number): number {
    const mm = mmOf(this.k, task);
    return mm === 0 ? 0 : ([...vmasOf(this.k, mm)].filter((vma) => this.k.heap.load(vma + VMA.inode) !== 0).at(-1) ?? 0);
  }

  /** The file, while a mount leads to it. */
  private file(): number {
    const sb = mountsOf(this.built)[0];
    return sb === undefined ? 0 : ([...inodesOf(this.k, sb)].find((inode) => this.k.heap.load(inode + INODE.pages) > 0) ?? 0);
  }

  private carryOut(task: number, deed: Exclude<Deed, 'die-and-resume' | 'die-and-roll-back'>): void {
    const { k } = this;
    switch (deed) {
      case 'read': run(k, userRead(k, task, vmaStart(k, this.mapping(task))), task); return;
      case 'write': run(k, userWrite(k, task, vmaStart(k, this.mapping(task)), 9), task); return;
      case 'fork': run(k, fork(k, task), task); return;
      case 'map': mapFile(k, task, this.file(), {}); return;
      case 'map-private': mapFile(k, task, this.file(), { private: true }); return;
      case 'open': openFile(k, task, this.file()); return;
      case 'chdir': chdir(k, task, this.file()); return;
      case 'exit': run(k, exitTask(k, task), task); return;
    }
  }
}
