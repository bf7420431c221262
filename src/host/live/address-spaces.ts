/** Processes that share an address space, by kcmp(2). */
import { native } from './native.ts';

const KCMP_VM = 1;
/** kcmp(2): 0 equal, 1 less, 2 greater (an order that holds until reboot), 3 neither. */
const LESS = 1;
const GREATER = 2;

/**
 * The lowest pid of its address space, for each pid that may be compared. Sorting takes n log n comparisons; all pairs
 * of thousands of forked processes would take seconds.
 */
export function addressSpaces(pids: readonly number[]): Map<number, number> {
  return sortedAtOnce(pids) ?? sortedWithCare(pids);
}

/**
 * Where every pid may be compared: those that sorting finds equal are one. Of two neighbours in the order one comparison
 * has told which comes first, so no second pass is needed. Undefined as soon as a comparison fails.
 */
function sortedAtOnce(pids: readonly number[]): Map<number, number> | undefined {
  if (pids.length < 2) return undefined;
  const { kcmp } = native();
  const first = new Map(pids.map((pid) => [pid, pid]));
  const firstOf = (pid: number): number => {
    let at = pid;
    for (let up = first.get(at) ?? at; up !== at; up = first.get(at) ?? at) at = up;
    return at;
  };
  let failed = false;
  pids.toSorted((a, b) => {
    const answer = failed || a === b ? 0 : kcmp(a, b, KCMP_VM);
    failed ||= answer < 0 || answer > GREATER;
    if (answer === 0 && a !== b) first.set(Math.max(firstOf(a), firstOf(b)), Math.min(firstOf(a), firstOf(b)));
    return answer === LESS ? -1 : answer === GREATER ? 1 : a - b;
  });
  return failed ? undefined : new Map(pids.map((pid) => [pid, firstOf(pid)]));
}

function sortedWithCare(pids: readonly number[]): Map<number, number> {
  const { kcmp } = native();
  const open = pids.filter((pid) => kcmp(pid, pid, KCMP_VM) === 0).sort((a, b) => a - b);
  const compare = (a: number, b: number): number => {
    const answer = kcmp(a, b, KCMP_VM);
    return answer === LESS ? -1 : answer === GREATER ? 1 : a - b;
  };
  const sorted = open.toSorted(compare);
  const groups = new Map<number, number>();
  let first = -1;
  for (const pid of sorted) {
    if (first < 0 || kcmp(first, pid, KCMP_VM) !== 0) first = pid;
    groups.set(pid, first);
  }
  return groups;
}
