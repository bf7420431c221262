/**
 * Running paths on a simulated machine: alone, or stepped by hand. The other files of this folder make machines step by
 * step from plain data; each of their functions does at once what firmware, an administrator or a program does.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Kernel } from '../kernel.ts';
import { KernelOops } from '../oops.ts';
import { runStraight, Stuck, type Path } from '../state/path.ts';
import { TASK, TASK_OOPSED } from '../task.ts';

/** How a path ended when it ran alone. */
export interface Ran {
  /** What it returned; 0 where it did not return. */
  readonly rc: number;
  /** The function that stumbled over freed memory, or null. */
  readonly oops: string | null;
  /** Where it waits (`hangs`) or turns (`spins`) for ever, or null. */
  readonly hangs: string | null;
  readonly spins: string | null;
}

/** Runs a path alone, as task `task` (0: a kernel thread or a shell). An oops ends the task, its locks stay held. */
export function run(k: Kernel, path: Path, task = 0): Ran {
  try {
    return { rc: runStraight(path), oops: null, hangs: null, spins: null };
  } catch (error) {
    if (error instanceof KernelOops) {
      if (task !== 0) k.heap.store(task + TASK.state, TASK_OOPSED);
      return { rc: 0, oops: error.where, hangs: null, spins: null };
    }
    if (!(error instanceof Stuck)) throw error;
    const at = error.point.label.slice(2);
    const spins = error.point.label.startsWith('R ');
    return { rc: 0, oops: null, hangs: spins ? null : at, spins: spins ? at : null };
  }
}

/** Runs a path that must go through; its result. For set-up. */
export function must(k: Kernel, path: Path, what: string): number {
  const ran = run(k, path);
  if (ran.oops !== null || ran.hangs !== null || ran.spins !== null || ran.rc < 0) {
    throw new UnseatError('INTERNAL', `simulated set-up failed: ${what}`, { seen: JSON.stringify(ran) });
  }
  return ran.rc;
}

/** A path that is stepped by hand, so that others can run at a point of it. Only a concurrent kernel has such points. */
export class Stepped {
  private readonly path: Path;
  private readonly k: Kernel;
  ended: Ran | null = null;

  constructor(k: Kernel, path: Path) {
    this.k = k;
    this.path = path;
  }

  /** Goes on to the point whose label begins with `label` (or to the end); false where it ended before. */
  until(label: string): boolean {
    const before = this.k.concurrent;
    this.k.concurrent = true;
    try {
      for (;;) {
        const step = this.path.next();
        if (step.done) {
          this.ended = { rc: step.value, oops: null, hangs: null, spins: null };
          return false;
        }
        if (step.value.label.startsWith(label)) return true;
        if (step.value.blocked) {
          const spins = step.value.label.startsWith('R ');
          const at = step.value.label.slice(2);
          this.ended = { rc: 0, oops: null, hangs: spins ? null : at, spins: spins ? at : null };
          return false;
        }
      }
    } catch (error) {
      if (!(error instanceof KernelOops)) throw error;
      this.ended = { rc: 0, oops: error.where, hangs: null, spins: null };
      return false;
    } finally {
      this.k.concurrent = before;
    }
  }

  /** Runs the rest. */
  finish(): Ran {
    if (this.ended === null) this.until('\u0000never');
    return this.ended as Ran;
  }
}
