/**
 * Equal objects handed out and taken back by load and store alone, so that undo and re-runs need not know of them.
 * The free list and the high-water mark live in the heap; chunks are reserved in order and never given back, so an
 * object's address depends only on its index.
 *
 * An object's words are zero when it is handed out. A freed object holds FREED in its second word (where it has one),
 * so that a use after free can be told from a live one.
 */
import type { Heap } from './heap.ts';

/** What the second word of a freed object reads (0x6b6b6b6b, the kernel's POISON_FREE pattern). */
export const FREED = 0x6b6b6b6b;

/** Words of a freed object that are overwritten: all of a small one; a large one (a table of struct pages) keeps the rest. */
const POISONED_WORDS = 64;

export class Slab {
  readonly name: string;
  /** Words of one object. */
  readonly words: number;
  private readonly heap: Heap;
  private readonly perChunk: number;
  private readonly chunks: number[] = [];
  /** Header: [0] first free object, [1] objects ever handed out, [2] objects in use. */
  private readonly header: number;

  constructor(heap: Heap, name: string, words: number, perChunk = 64) {
    this.heap = heap;
    this.name = name;
    this.words = words;
    this.perChunk = perChunk;
    this.header = heap.reserve(3);
  }

  /** Objects in use. */
  get used(): number {
    return this.heap.load(this.header + 2);
  }

  /** Reserves room for `count` objects at set-up, so that no explored path has to. */
  fill(count: number): void {
    while (this.chunks.length * this.perChunk < count) this.chunks.push(this.heap.reserve(this.perChunk * this.words));
  }

  /** Address of a zeroed object. */
  alloc(): number {
    const { heap, header } = this;
    let object = heap.load(header);
    if (object !== 0) {
      heap.store(header, heap.load(object));
    } else {
      const index = heap.add(header + 1, 1) - 1;
      object = this.at(index);
    }
    for (let word = 0; word < this.words; word += 1) if (heap.load(object + word) !== 0) heap.store(object + word, 0);
    heap.add(header + 2, 1);
    return object;
  }

  free(object: number): void {
    const { heap, header } = this;
    const last = Math.min(this.words, POISONED_WORDS);
    for (let word = 1; word < last; word += 1) heap.store(object + word, word === 1 ? FREED : 0);
    heap.store(object, heap.load(header));
    heap.store(header, object);
    heap.add(header + 2, -1);
  }

  /** Index of the object at `address`; the inverse of `at`. */
  indexOf(address: number): number {
    let low = 0;
    let high = this.chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.chunks[middle] as number) <= address) low = middle;
      else high = middle - 1;
    }
    return low * this.perChunk + (address - (this.chunks[low] as number)) / this.words;
  }

  /** Address of the object with this index (0 is the first ever handed out). */
  at(index: number): number {
    const chunk = (index / this.perChunk) | 0;
    while (this.chunks.length <= chunk) this.chunks.push(this.heap.reserve(this.perChunk * this.words));
    return (this.chunks[chunk] as number) + (index - chunk * this.perChunk) * this.words;
  }
}
