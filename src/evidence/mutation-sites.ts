/**
 * Mutations of a source file by operators, all of them in one rewritten text: a statement dropped, two swapped, one moved
 * across a lock, a check weakened, a kernel version's branch taken by another version, a range cut short. Which one is in
 * force is asked at run time, so that one program holds every mutant.
 */
import { conditionEdits, withEdits, type Edit } from './mutation-conditions.ts';

export type How = 'drop' | 'swap' | 'out of lock' | 'check' | 'version' | 'range';

export interface Site {
  /** Below the repository root. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly how: How;
  readonly text: string;
}

/** A site with what the rewriting needs: the line it is swapped with, or the words of the line that change. */
export interface PlacedSite extends Site {
  /** Of a swap: lines from the first statement to the second one. */
  readonly apart?: number;
  readonly edit?: Edit;
}

/** A statement of one line inside a path that changes state, waits or calls; not a declaration or a return. */
const STATEMENT = /^ {2,}(yield\*? |while \(.*\) yield BLOCKED|k\.heap\.|heap\.|[a-zA-Z]+\(k[,)]|(else )?if \(.*\) (yield\* |k\.heap|[a-zA-Z]+\(k)).*;$/;
/** Points at which others may run, counters of work, words for the log: no mutation of the kernel's order. */
const SKIP = /log\.write|devPrintk|costs|KVM\.lookups|\.name, |warn\(|AT\(|say\(|dumpPage\(|printk|taint\(/;
const POINT = /^\s*if \(k\.concurrent\) yield AT\(/;
const LOCK = /[lL]ock\(|Unlock\(|ReadLock|ReadUnlock|[uU]pWrite|[dD]ownWrite|hotplugDone|HotplugBegin|HotplugDone|irqsOff/;

const indent = (text: string): number => text.length - text.trimStart().length;
const isStatement = (line: string, next: string): boolean => STATEMENT.test(line) && !SKIP.test(line) && !/^\s*else\b/.test(line) && !/^\s*else\b/.test(next);
/** The line before ends a statement or opens a block; it does not go on in this one. */
const startsHere = (before: string): boolean => /[;{}]$|^\s*(\/\/|\*|$)/.test(before);
/** Others can look between two statements only where one of them lets others run. */
const canBeSeenBetween = (a: string, b: string): boolean => a.includes('yield') || b.includes('yield');

/** Every mutation of a file, in order of lines. */
export function mutationSites(file: string, source: string): PlacedSite[] {
  const lines = source.split('\n');
  const found: PlacedSite[] = [];
  for (const [i, line] of lines.entries()) {
    const next = lines[i + 1] ?? '';
    const here = startsHere(lines[i - 1] ?? '');
    if (here) found.push(...conditionEdits(line).map(({ how, text, edit }) => ({ file, line: i + 1, how, text, edit })));
    if (!isStatement(line, next) || !here) continue;
    found.push({ file, line: i + 1, how: 'drop', text: line.trim() });
    // Over a point others run between the two, whatever they are.
    const apart = POINT.test(next) ? 2 : 1;
    const other = lines[i + apart] ?? '';
    if (!isStatement(other, lines[i + apart + 1] ?? '') || indent(other) !== indent(line) || (apart === 1 && !canBeSeenBetween(line, other))) continue;
    found.push({ file, line: i + 1, apart, how: LOCK.test(line) !== LOCK.test(other) ? 'out of lock' : 'swap', text: `${line.trim()}  <->  ${other.trim()}` });
  }
  return found;
}

/** Name of the object that the rewritten text asks: `keeps(n)` is false where mutation n is in force. */
export const SWITCH = 'unseatMutant';
const keeps = (id: number): string => `globalThis.${SWITCH}.keeps(${id})`;

/** The text with all `sites` in it, numbered from `first`. Lines keep their numbers. */
export function withMutations(source: string, sites: readonly PlacedSite[], first: number): string {
  const lines = source.split('\n');
  const numbered = sites.map((site, i) => ({ ...site, at: site.line - 1, id: first + i }));
  const edited = lines.map((line, at) => withEdits(line, numbered.flatMap((s) => (s.at === at && s.edit !== undefined ? [{ edit: s.edit, asks: keeps(s.id) }] : []))));
  const dropped = (at: number): string => {
    const drop = numbered.find((s) => s.at === at && s.how === 'drop');
    return drop === undefined ? (edited[at] as string) : `if (${keeps(drop.id)}) { ${(edited[at] as string).trim()} }`;
  };
  return lines.map((_line, at) => {
    const swaps = numbered.flatMap((s) => (s.apart === undefined ? [] : s.at === at ? [{ id: s.id, other: at + s.apart }] : s.at + s.apart === at ? [{ id: s.id, other: s.at }] : []));
    return swaps.reduce((own, { id, other }) => `if (!${keeps(id)}) { ${dropped(other)} } else { ${own} }`, dropped(at));
  }).join('\n');
}
