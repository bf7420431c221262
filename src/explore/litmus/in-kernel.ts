/**
 * Whether a process is inside the kernel: it can only be stopped on its way out, and who changes its mappings waits for
 * its faults (mmap_lock). One word for each process of a litmus test; children of a fork have none and count as outside.
 */
import type { Kernel } from '../../kernel/kernel.ts';
import { BLOCKED, type Path, type PathFunction } from '../../kernel/state/path.ts';
import { TASK, TASK_STOPPED } from '../../kernel/task.ts';

class Inside {
  readonly words = new Map<number, number>();
}
const makeInside = (_k: Kernel): Inside => new Inside();

/** At set-up: gives the process its word. */
export function watchProcess(k: Kernel, task: number): void {
  k.part(makeInside).words.set(task, k.heap.reserve(1));
}
const wordOf = (k: Kernel, task: number): number => k.part(makeInside).words.get(task) ?? 0;

export const inKernel = (k: Kernel, task: number): boolean => {
  const word = wordOf(k, task);
  return word !== 0 && k.heap.load(word) !== 0;
};

/** A stopped process runs no instruction; one that runs enters. */
export function* enterKernel(k: Kernel, task: number): Path<void> {
  while (k.heap.load(task + TASK.state) === TASK_STOPPED) yield BLOCKED('T stopped');
  const word = wordOf(k, task);
  if (word !== 0) k.heap.store(word, 1);
}
export function leaveKernel(k: Kernel, task: number): void {
  const word = wordOf(k, task);
  if (word !== 0) k.heap.store(word, 0);
}

/** A path that the process `args[0]` itself runs. An oops leaves it inside for ever. */
export function asProcess(path: PathFunction<Kernel>): PathFunction<Kernel> {
  function* inside(k: Kernel, task = 0, ...args: number[]): Path {
    yield* enterKernel(k, task);
    const result = yield* k.call(path, task, ...args);
    leaveKernel(k, task);
    return result;
  }
  return inside;
}
