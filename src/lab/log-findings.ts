/** Which lines of a kernel log matter, and as what. Pure; the patterns are the kernel's own words with the versions they were seen on. */
import type { LogFinding } from '../scenario/observation.ts';

const PATTERNS: readonly (readonly [LogFinding, RegExp])[] = [
  ['bad-page-map', /BUG: Bad (?:page map|page state|rss-counter)/],
  ['bug', /kernel BUG at |list_(?:del|add)(?:_valid)? corruption|refcount_t: /],
  ['oops', /BUG: unable to handle|BUG: kernel NULL pointer|Oops: |general protection fault|kernel BUG at /],
  ['warning', /WARNING: (?:CPU: \d+ |at |\S+\.c:\d+)/],
  ['rcu-stall', /rcu: INFO: .*stall|rcu_(?:sched|preempt) (?:self-)?detected/],
  ['hung-task', /blocked for more than \d+ seconds/],
  ['soft-lockup', /soft lockup - CPU/],
  ['fs-shutdown', /shut down requested|[Ss]hutting down filesystem|User initiated shutdown|Corruption of on-disk metadata/],
  ['hotremove-fails', /cannot be hotremoved until|removing memory fails, because/],
  ['migrate-fails', /migrating pfn \S+ failed/],
  ['unmovable', /unmovable page|Offline failed/],
  ['no-reserve', /could not reserve (?:region|range|device region)/],
  ['no-rebind', /reloading the driver is not supported/],
  ['memory-failure', /Memory failure: /],
  ['io-error', /I\/O error|EXT4-fs error|Buffer I\/O|Read-error on swap|JBD2: Error/],
];

/** The findings of one line; most lines have none. */
export const findingsIn = (line: string): LogFinding[] => PATTERNS.filter(([, pattern]) => pattern.test(line)).map(([finding]) => finding);

/** Lines counted by finding, in the order of first appearance. */
export function countFindings(lines: readonly string[]): Partial<Record<LogFinding, number>> {
  const counts: Partial<Record<LogFinding, number>> = {};
  for (const line of lines) for (const finding of findingsIn(line)) counts[finding] = (counts[finding] ?? 0) + 1;
  return counts;
}

/** The first oops, warning or BUG with what follows it, for people; at most `length` lines. */
export function firstTrace(lines: readonly string[], length = 24): string | undefined {
  const at = lines.findIndex((line) => findingsIn(line).some((f) => f === 'oops' || f === 'bug' || f === 'bad-page-map' || f === 'warning'));
  return at < 0 ? undefined : lines.slice(at, at + length).join('\n');
}
