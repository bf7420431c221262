/**
 * Sleeping and spinning locks as one heap word each. A straight run takes a free lock without a yield; a path that was
 * ended by an oops leaves its locks held, and whoever wants them waits for ever, as in the kernel.
 */
import type { Heap } from './heap.ts';
import { AT, BLOCKED, type Path } from './path.ts';

interface Locks {
  readonly heap: Heap;
  readonly concurrent: boolean;
}

/** mutex_lock / spin_lock: 0 is free, 1 is held. */
export function* lock(k: Locks, word: number, what: string): Path<void> {
  if (k.concurrent) yield AT(`lock ${what}`);
  while (k.heap.load(word) !== 0) yield BLOCKED(`D lock ${what}`);
  k.heap.store(word, 1);
}

export function unlock(k: Locks, word: number): void {
  k.heap.store(word, 0);
}

/** mutex_trylock: true when it was taken. */
export function trylock(k: Locks, word: number): boolean {
  if (k.heap.load(word) !== 0) return false;
  k.heap.store(word, 1);
  return true;
}

/** down_read: any number of readers (count above 0) unless a writer (-1) is in. */
export function* downRead(k: Locks, word: number, what: string): Path<void> {
  if (k.concurrent) yield AT(`down_read ${what}`);
  while (k.heap.load(word) < 0) yield BLOCKED(`D down_read ${what}`);
  k.heap.add(word, 1);
}

export function upRead(k: Locks, word: number): void {
  k.heap.add(word, -1);
}

export function* downWrite(k: Locks, word: number, what: string): Path<void> {
  if (k.concurrent) yield AT(`down_write ${what}`);
  while (k.heap.load(word) !== 0) yield BLOCKED(`D down_write ${what}`);
  k.heap.store(word, -1);
}

export function upWrite(k: Locks, word: number): void {
  k.heap.store(word, 0);
}
