/** Verdict table and counterexamples of `unseat check`. */
import type { CheckResult } from '../../explore/litmus/check.ts';
import { readableRows, type TraceRow } from '../../explore/trace/rows.ts';
import type { Violation } from '../../explore/verdict.ts';
import type { Style } from './output.ts';
import { table, wrap } from './table.ts';

export interface Page {
  readonly width: number;
  readonly style: (style: Style, text: string) => string;
}

const verdictWord = (r: CheckResult): string => (r.status === 'violated' ? r.violated.join(', ') : r.status);
const asExpected = (r: CheckResult): string => (r.asExpected === null ? '' : r.asExpected ? 'as expected' : 'NOT EXPECTED');

export function checkTable(results: readonly CheckResult[], page: Page): string {
  const rows = results.map((r) => [
    r.litmus, r.profile, verdictWord(r), asExpected(r), r.verdict === null ? '' : String(r.verdict.stats.states), r.verdict === null ? '' : String(r.verdict.stats.transitions),
    r.verdict === null ? '' : String(r.verdict.stats.depth), r.verdict === null ? '' : (r.verdict.stats.milliseconds / 1000).toFixed(2), r.status === 'violated' || (r.status === 'ok' && results.length > 1) ? '' : r.says,
  ]);
  const color = (text: string, row: number, column: number): string => {
    const r = results[row];
    if (r === undefined) return page.style('bold', text);
    if (column === 2) return page.style(r.status === 'ok' ? 'green' : r.status === 'violated' ? 'red' : 'yellow', text);
    return column === 3 && r.asExpected === false ? page.style('red', text) : text;
  };
  const lines = table(['litmus', 'profile', 'verdict', '', 'states', 'transitions', 'depth', 'seconds', ''], rows, { width: page.width, right: [4, 5, 6, 7], style: color });
  return [...lines.map((line) => line.trimEnd()), ...(results.length > 1 ? ['', summary(results)] : [])].join('\n');
}

/** What many verdicts come to. */
function summary(results: readonly CheckResult[]): string {
  const count = (holds: (r: CheckResult) => boolean): number => results.filter(holds).length;
  const wrong = count((r) => r.asExpected === false);
  const seconds = results.reduce((sum, r) => sum + (r.verdict?.stats.milliseconds ?? 0), 0) / 1000;
  return `${results.length} searches in ${seconds.toFixed(1)} s: ${count((r) => r.status === 'ok')} ok, ${count((r) => r.status === 'violated')} with a counterexample, ${wrong === 0 ? 'none' : wrong} not as expected.`;
}

export function counterexampleText(r: CheckResult, violation: Violation, page: Page): string {
  const head = `${page.style('bold', `${r.litmus} on ${r.profile}`)}: ${page.style('red', violation.property)}\n${r.title}\n`;
  return `${head}${traceText(readableRows(violation), page)}\n  replay: --profile ${r.profile} --replay "${violation.schedule}"\n`;
}

/** Columns: step, thread, the points it went through, and below each other what came of it. */
export function traceText(rows: readonly TraceRow[], page: Page): string {
  const who = Math.max(3, ...rows.map((row) => row.thread.length));
  const left = `  ${' '.repeat(3)}  ${' '.repeat(who)}  `.length;
  const does = Math.max(20, Math.min(48, Math.floor((page.width - left) * 0.45), Math.max(4, ...rows.map((row) => row.does.length))));
  const room = Math.max(20, page.width - left - does - 2);
  const lines = [page.style('bold', `  ${''.padStart(3)}  ${'who'.padEnd(who)}  ${'does'.padEnd(does)}  what changes`)];
  for (const row of rows) {
    const points = wrap(row.does, does);
    const changes = [...row.choices, ...row.changes].flatMap((change) => wrap(change, room - 2).map((line, i) => (i === 0 ? line : `  ${line}`)));
    for (let i = 0; i < Math.max(points.length, changes.length, 1); i += 1) {
      const head = i === 0 ? `  ${String(row.step).padStart(3)}  ${row.thread.padEnd(who)}` : ' '.repeat(left - 2);
      const change = changes[i] ?? '';
      lines.push(`${head}  ${(points[i] ?? '').padEnd(does)}  ${change.startsWith('OOPS') ? page.style('red', change) : change}`.trimEnd());
    }
  }
  return lines.join('\n');
}
