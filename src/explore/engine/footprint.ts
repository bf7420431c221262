/** Heap words that something loaded and stored. Two that touch no word of each other's may as well have happened the other way round. */
import type { Heap, Tap } from '../../kernel/state/heap.ts';

export class Footprint {
  readonly loads = new Set<number>();
  readonly stores = new Set<number>();

  /** Independent: neither stores what the other loads or stores. */
  isApartFrom(other: Footprint): boolean {
    return !meets(this.stores, other.stores) && !meets(this.stores, other.loads) && !meets(this.loads, other.stores);
  }
}

function meets(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  for (const word of small) if (large.has(word)) return true;
  return false;
}

/** Carries `act` out on the heap and remembers what it touched. */
export function footprintOf<T>(heap: Heap, act: () => T): { readonly value: T; readonly footprint: Footprint } {
  const footprint = new Footprint();
  const before = heap.tap;
  heap.tap = recorder(heap, footprint);
  try {
    return { value: act(), footprint };
  } finally {
    heap.tap = before;
  }
}

const recorder = (heap: Heap, { loads, stores }: Footprint): Tap => ({
  load: (address) => {
    loads.add(address);
    return heap.words[address] as number;
  },
  store: (address, value) => {
    // A store of what is there already is seen by nobody; that it was looked at is.
    if (heap.words[address] === value) loads.add(address);
    else stores.add(address);
    heap.words[address] = value;
  },
  enter: () => undefined,
  leave: () => undefined,
  round: (state) => state,
  choose: () => 0,
});
