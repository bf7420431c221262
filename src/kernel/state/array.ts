/** Arrays of words of any length, from slabs of power-of-two sizes: handed out and taken back by load and store alone. */
import type { Heap } from './heap.ts';
import { Slab } from './slab.ts';

export class Arrays {
  private readonly heap: Heap;
  private readonly classes: (Slab | undefined)[] = [];

  constructor(heap: Heap) {
    this.heap = heap;
  }

  private slab(words: number): Slab {
    const order = Math.max(1, Math.ceil(Math.log2(Math.max(words, 2))));
    return (this.classes[order] ??= new Slab(this.heap, `array of ${2 ** order}`, 2 ** order, Math.max(1, 1024 >> order)));
  }

  /** Address of at least `words` zeroed words. */
  alloc(words: number): number {
    return this.slab(words).alloc();
  }

  /** Takes back what `alloc(words)` gave. */
  free(address: number, words: number): void {
    this.slab(words).free(address);
  }

  /** Arrays in use, of all sizes. */
  get used(): number {
    return this.classes.reduce((n, slab) => n + (slab?.used ?? 0), 0);
  }
}
