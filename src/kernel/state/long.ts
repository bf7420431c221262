/**
 * Numbers up to 2^53-1 (addresses, pfns of large machines) in two heap words: low half first, both unsigned in meaning.
 * -1 is kept as -1 (all ones in both words).
 */
import type { Heap } from './heap.ts';

const HALF = 4294967296;

export function loadLong(heap: Heap, address: number): number {
  return heap.load(address + 1) * HALF + (heap.load(address) >>> 0);
}

export function storeLong(heap: Heap, address: number, value: number): void {
  heap.store(address, value | 0);
  heap.store(address + 1, Math.floor(value / HALF));
}
