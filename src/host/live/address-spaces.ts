/** Processes that share an address space, by kcmp(2). */
import { quietly } from './absence.ts';
import { native } from './native.ts';

const KCMP_VM = 1;
/** kcmp(2): 0 equal, 1 less, 2 greater (an order that holds until reboot), 3 neither. */
const EQUAL = 0;
const LESS = 1;
const GREATER = 2;

/** Undefined where the FFI library cannot be loaded: then nobody can be compared. */
const compare = (): ReturnType<typeof native>['kcmp'] | undefined => quietly<ReturnType<typeof native>['kcmp'] | undefined>(() => native().kcmp, () => undefined);

/**
 * Sorts processes by their address space while they come: log n comparisons for each. All pairs of thousands of
 * forked processes would take seconds.
 */
export class AddressSpaces {
  /** One process of each address space, in the kernel's order. */
  private readonly order: number[] = [];
  /** To the process of `order` that has the same. */
  private readonly same = new Map<number, number>();

  /** False, and without it, where it may not be compared. */
  add(pid: number): boolean {
    if (this.same.has(pid)) return true;
    const kcmp = compare();
    if (kcmp === undefined) return false;
    if (this.order.length === 0 && kcmp(pid, pid, KCMP_VM) !== EQUAL) return false;
    let [low, high] = [0, this.order.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.order[middle] ?? 0;
      const answer = kcmp(pid, other, KCMP_VM);
      if (answer === EQUAL) {
        this.same.set(pid, other);
        return true;
      }
      if (answer === LESS) high = middle;
      else if (answer === GREATER) low = middle + 1;
      // One of the two has ended, or may not be seen: the other must not pay for it.
      else if (kcmp(pid, pid, KCMP_VM) !== EQUAL) return false;
      else {
        this.forget(other, middle);
        high = Math.min(high, this.order.length);
      }
    }
    this.order.splice(low, 0, pid);
    this.same.set(pid, pid);
    return true;
  }

  /** Those that had its address space are compared again when they are asked about. */
  private forget(pid: number, at: number): void {
    this.order.splice(at, 1);
    for (const [one, other] of this.same) if (other === pid) this.same.delete(one);
  }

  /** For each of the pids that may be compared, the lowest of them that has the same address space. */
  groups(pids: readonly number[]): Map<number, number> {
    const known = pids.toSorted((a, b) => a - b).filter((pid) => this.add(pid));
    const lowest = new Map<number, number>();
    return new Map(known.map((pid) => {
      const space = this.same.get(pid) ?? pid;
      const first = lowest.get(space) ?? pid;
      lowest.set(space, first);
      return [pid, first];
    }));
  }
}
