/**
 * What answers at a physical address. Nearly always the memory does; a range whose decoder was torn down or whose card
 * was pulled answers all zeroes or all ones ("6f"), and takes no writes. The kernel is not told.
 */
import type { Kernel } from '../kernel.ts';
import { loadLong, storeLong } from '../state/long.ts';
import { Slab } from '../state/slab.ts';

const HOLE = { start: 0, end: 2, answer: 4, next: 5, words: 6 } as const;
/** What a read gives where nothing decodes the address. */
export const ANSWER = { zeroes: 0, ones: -1 } as const;

interface PhysMem {
  readonly slab: Slab;
  readonly head: number;
}
const makePhysMem = (k: Kernel): PhysMem => ({ slab: new Slab(k.heap, 'dead range', HOLE.words, 8), head: k.heap.reserve(1) });
const physMem = (k: Kernel): PhysMem => k.part(makePhysMem);

/** From now on nothing answers in [start, end) bytes; reads give `answer`. */
export function physGone(k: Kernel, start: number, end: number, answer: number): void {
  const { slab, head } = physMem(k);
  physBack(k, start, end);
  const hole = slab.alloc();
  storeLong(k.heap, hole + HOLE.start, start);
  storeLong(k.heap, hole + HOLE.end, end);
  k.heap.store(hole + HOLE.answer, answer);
  k.heap.store(hole + HOLE.next, k.heap.load(head));
  k.heap.store(head, hole);
}

/** A decoder is committed again: [start, end) answers. What was there before is the device's business. */
export function physBack(k: Kernel, start: number, end: number): void {
  const { slab, head } = physMem(k);
  for (let link = head; k.heap.load(link) !== 0;) {
    const hole = k.heap.load(link);
    if (loadLong(k.heap, hole + HOLE.start) !== start || loadLong(k.heap, hole + HOLE.end) !== end) link = hole + HOLE.next;
    else {
      k.heap.store(link, k.heap.load(hole + HOLE.next));
      slab.free(hole);
    }
  }
}

function holeAt(k: Kernel, pfn: number): number {
  const address = pfn * k.geo.pageSize;
  for (let hole = k.heap.load(physMem(k).head); hole !== 0; hole = k.heap.load(hole + HOLE.next)) {
    if (loadLong(k.heap, hole + HOLE.start) <= address && address < loadLong(k.heap, hole + HOLE.end)) return hole;
  }
  return 0;
}

/** What a load from the frame gives when its memory holds `value`. */
export function physRead(k: Kernel, pfn: number, value: number): number {
  const hole = holeAt(k, pfn);
  return hole === 0 ? value : k.heap.load(hole + HOLE.answer);
}

/** Whether a store to the frame reaches memory. */
export const physWrite = (k: Kernel, pfn: number): boolean => holeAt(k, pfn) === 0;
