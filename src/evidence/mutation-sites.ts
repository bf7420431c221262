/**
 * Mutations of a source file by operators, all of them in one rewritten text: a statement dropped, two swapped, one moved
 * across a lock. Which one is in force is asked at run time, so that one program holds every mutant.
 */

export interface Site {
  /** Below the repository root. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly how: 'drop' | 'swap' | 'out of lock';
  readonly text: string;
}

/** A statement of one line inside a path that changes state, waits or calls; not a declaration or a return. */
const STATEMENT = /^ {2,}(yield\*? |while \(.*\) yield BLOCKED|k\.heap\.|heap\.|[a-zA-Z]+\(k[,)]|(else )?if \(.*\) (yield\* |k\.heap|[a-zA-Z]+\(k)).*;$/;
/** Points at which others may run, counters of work, words for the log: no mutation of the kernel's order. */
const SKIP = /log\.write|devPrintk|costs|KVM\.lookups|\.name, |warn\(|AT\(|say\(|dumpPage\(|printk|taint\(/;
const LOCK = /[lL]ock\(|Unlock\(|ReadLock|ReadUnlock|[uU]pWrite|[dD]ownWrite|hotplugDone|HotplugBegin|HotplugDone|irqsOff/;

const indent = (text: string): number => text.length - text.trimStart().length;
const isStatement = (line: string, next: string): boolean => STATEMENT.test(line) && !SKIP.test(line) && !/^\s*else\b/.test(line) && !/^\s*else\b/.test(next);
/** The line before ends a statement or opens a block; it does not go on in this one. */
const startsHere = (before: string): boolean => /[;{}]$|^\s*(\/\/|\*|$)/.test(before);
/** Others can look between two statements only where one of them lets others run. */
const canBeSeenBetween = (a: string, b: string): boolean => a.includes('yield') || b.includes('yield');

/** Every mutation of a file, in order of lines. */
export function mutationSites(file: string, source: string): Site[] {
  const lines = source.split('\n');
  const found: Site[] = [];
  for (const [i, line] of lines.entries()) {
    const [next = '', afterNext = ''] = [lines[i + 1], lines[i + 2]];
    if (!isStatement(line, next) || !startsHere(lines[i - 1] ?? '')) continue;
    found.push({ file, line: i + 1, how: 'drop', text: line.trim() });
    if (!isStatement(next, afterNext) || indent(next) !== indent(line) || !canBeSeenBetween(line, next)) continue;
    found.push({ file, line: i + 1, how: LOCK.test(line) !== LOCK.test(next) ? 'out of lock' : 'swap', text: `${line.trim()}  <->  ${next.trim()}` });
  }
  return found;
}

/** Name of the object that the rewritten text asks: `keeps(n)` is false where mutation n is in force. */
export const SWITCH = 'unseatMutant';

/** The text with all `sites` in it, numbered from `first`. Lines keep their numbers. */
export function withMutations(source: string, sites: readonly Site[], first: number): string {
  const lines = source.split('\n');
  const drops = new Map<number, number>();
  const swaps = new Map<number, number>();
  for (const [i, site] of sites.entries()) (site.how === 'drop' ? drops : swaps).set(site.line - 1, first + i);
  const dropped = (i: number): string => {
    const id = drops.get(i);
    return id === undefined ? (lines[i] as string) : `if (globalThis.${SWITCH}.keeps(${id})) { ${(lines[i] as string).trim()} }`;
  };
  return lines.map((_line, i) => {
    const [mine, before] = [swaps.get(i), swaps.get(i - 1)];
    const own = before === undefined ? dropped(i) : `if (globalThis.${SWITCH}.keeps(${before})) { ${dropped(i)} }`;
    return mine === undefined ? own : `if (!globalThis.${SWITCH}.keeps(${mine})) { ${dropped(i + 1)} } ${own}`;
  }).join('\n');
}
