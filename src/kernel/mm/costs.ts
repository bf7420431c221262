/**
 * What the designs cost, counted while a kernel runs straight (SYSTEMS.md 3f). A meter beside the machine, not part of
 * its state: paths never read it, and a concurrent kernel has none.
 */
import type { Kernel } from '../kernel.ts';

export interface Costs {
  /** Calls of memory_failure() for one pfn each. */
  pagesVisited: number;
  /** Tasks looked at while collecting. */
  tasksVisited: number;
  /** VMAs looked at (i_mmap or mm walk). */
  vmasVisited: number;
  /** Page-table entries read by walkers of all processes. */
  entriesVisited: number;
  inodesVisited: number;
  extentsVisited: number;
  /** Page-table entries (of any size) taken out. */
  entriesZapped: number;
  /** Of those, entries that did not map the device which goes. */
  healthyZapped: number;
  signalsSent: number;
}

const fresh = (): Costs => ({ pagesVisited: 0, tasksVisited: 0, vmasVisited: 0, entriesVisited: 0, inodesVisited: 0, extentsVisited: 0, entriesZapped: 0, healthyZapped: 0, signalsSent: 0 });
const makeCosts = (_k: Kernel): Costs => fresh();

/** The meter of a straight kernel; null in a concurrent one. */
export const costsOf = (k: Kernel): Costs | null => (k.concurrent ? null : k.part(makeCosts));

export function resetCosts(k: Kernel): void {
  const costs = costsOf(k);
  if (costs !== null) Object.assign(costs, fresh());
}
