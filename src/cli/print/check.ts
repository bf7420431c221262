/** Verdict table and counterexamples of `unseat check`. */
import type { CheckResult } from '../../explore/litmus/check.ts';
import { traceRows, type TraceRow } from '../../explore/trace/rows.ts';
import type { Violation } from '../../explore/verdict.ts';
import type { Style } from './output.ts';
import { table } from './table.ts';

export interface Page {
  readonly width: number;
  readonly style: (style: Style, text: string) => string;
}

const verdictWord = (r: CheckResult): string => (r.status === 'violated' ? r.violated.join(', ') : r.status);
const asExpected = (r: CheckResult): string => (r.asExpected === null ? '' : r.asExpected ? 'as expected' : 'NOT EXPECTED');

export function checkTable(results: readonly CheckResult[], page: Page): string {
  const rows = results.map((r) => [
    r.litmus, r.profile, verdictWord(r), asExpected(r), r.verdict === null ? '' : String(r.verdict.stats.states), r.verdict === null ? '' : String(r.verdict.stats.transitions),
    r.verdict === null ? '' : String(r.verdict.stats.depth), r.verdict === null ? '' : (r.verdict.stats.milliseconds / 1000).toFixed(2), r.status === 'violated' ? '' : r.says,
  ]);
  const color = (text: string, row: number, column: number): string => {
    const r = results[row];
    if (r === undefined) return page.style('bold', text);
    if (column === 2) return page.style(r.status === 'ok' ? 'green' : r.status === 'violated' ? 'red' : 'yellow', text);
    return column === 3 && r.asExpected === false ? page.style('red', text) : text;
  };
  return table(['litmus', 'profile', 'verdict', '', 'states', 'transitions', 'depth', 'seconds', ''], rows, { width: page.width, right: [4, 5, 6, 7], style: color }).join('\n');
}

export function counterexampleText(r: CheckResult, violation: Violation, page: Page): string {
  const head = `${page.style('bold', `${r.litmus} on ${r.profile}`)}: ${page.style('red', violation.property)}\n${r.title}\n`;
  return `${head}${traceText(traceRows(violation), page)}\n  replay: --profile ${r.profile} --replay "${violation.schedule}"\n`;
}

export function traceText(rows: readonly TraceRow[], page: Page): string {
  return table(['', 'who', 'does', 'what changes'], rows.map((row) => [String(row.step), row.thread, row.does, [...row.choices, ...row.changes].join('; ')]), {
    width: page.width, indent: 2, right: [0], style: (text, row) => (row < 0 ? page.style('bold', text) : text),
  }).join('\n');
}
