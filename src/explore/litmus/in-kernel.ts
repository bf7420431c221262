/**
 * Whether a process is inside the kernel, and its mmap_lock: it can only be stopped on its way out, and who changes its
 * mappings waits for its faults. One word for each process of a litmus test; children of a fork have none and count as outside.
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

/** Threads of one process in the kernel: any number under mmap_lock for reading (faults), one for writing (-1: it changes mappings); `none`: GUP-fast. */
export type MmapLock = 'read' | 'write' | 'none';

/** A stopped process runs no instruction; one that runs enters and takes its mmap_lock. */
export function* enterKernel(k: Kernel, task: number, how: MmapLock): Path<void> {
  const word = wordOf(k, task);
  for (;;) {
    if (k.heap.load(task + TASK.state) === TASK_STOPPED) yield BLOCKED('T stopped');
    else if (word !== 0 && how !== 'none' && (how === 'write' ? k.heap.load(word) !== 0 : k.heap.load(word) < 0)) yield BLOCKED('D mmap_lock');
    else break;
  }
  if (word !== 0 && how !== 'none') k.heap.store(word, how === 'write' ? -1 : k.heap.load(word) + 1);
}
export function leaveKernel(k: Kernel, task: number, how: MmapLock): void {
  const word = wordOf(k, task);
  if (word !== 0 && how !== 'none') k.heap.store(word, how === 'write' ? 0 : k.heap.load(word) - 1);
}

/** A path that the process `args[0]` itself runs. An oops leaves it inside for ever, with its lock. */
export function asProcess(path: PathFunction<Kernel>, how: MmapLock): PathFunction<Kernel> {
  function* inside(k: Kernel, task = 0, ...args: number[]): Path {
    yield* enterKernel(k, task, how);
    const result = yield* k.call(path, task, ...args);
    leaveKernel(k, task, how);
    return result;
  }
  return inside;
}
