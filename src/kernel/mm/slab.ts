/**
 * Object allocation inside the simulated heap. Freed objects go to a list for their size, so that a path that is being
 * explored allocates by loads and stores alone; only a straight run may take fresh words. (Linux: kmalloc size classes.)
 */
import type { Heap } from '../state/heap.ts';

const EXACT = 64;
const CLASSES = EXACT + 32;

/** Address of the free-list heads, by heap: set at first use, never changed. */
const roots = new WeakMap<Heap, number>();

function rootOf(heap: Heap): number {
  let root = roots.get(heap);
  if (root === undefined) roots.set(heap, (root = heap.reserve(CLASSES)));
  return root;
}

/** Class of a size, and the words that objects of the class have: exact up to 64 words, powers of two above. */
const classOf = (words: number): number => (words <= EXACT ? words : EXACT + 32 - Math.clz32(words - 1));
const wordsOf = (cls: number): number => (cls <= EXACT ? cls : 2 ** (cls - EXACT));

/** Makes room for `count` objects of `words` words, for paths that will be explored and must not grow the heap. */
export function kmemReserve(heap: Heap, words: number, count: number): void {
  const objects = Array.from({ length: count }, () => kmalloc(heap, words));
  for (const object of objects.reverse()) kfree(heap, object, words);
}

/** A zeroed object of `words` words (at least 1). Throws RangeError when explored and the list is empty. */
export function kmalloc(heap: Heap, words: number): number {
  const cls = classOf(words);
  const head = rootOf(heap) + cls;
  const object = heap.load(head);
  if (object === 0) {
    if (heap.tap !== null) throw new RangeError(`slab of ${words} words is empty: reserve more at set-up`);
    return heap.reserve(wordsOf(cls));
  }
  heap.store(head, heap.load(object));
  if (heap.tap === null) heap.words.fill(0, object, object + wordsOf(cls));
  else for (let i = 0; i < words; i += 1) heap.store(object + i, 0);
  return object;
}

/** Gives an object back. Its first word becomes the link of the list. */
export function kfree(heap: Heap, object: number, words: number): void {
  const head = rootOf(heap) + classOf(words);
  heap.store(object, heap.load(head));
  heap.store(head, object);
}
