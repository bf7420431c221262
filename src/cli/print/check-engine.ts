/** Table and failures of `unseat check --engine`. */
import type { EngineVerdict } from '../../explore/engine/search.ts';
import type { Page } from './check.ts';
import { table } from './table.ts';

export interface EngineRow {
  readonly shape: string;
  readonly way: string;
  readonly profile: string;
  readonly verdict: EngineVerdict;
}

const verdictWord = ({ verdict }: EngineRow): string => (verdict.failures.length > 0 ? 'violated' : verdict.complete ? 'ok' : 'bounded');

export function engineTable(rows: readonly EngineRow[], page: Page): string {
  const cells = rows.map((row) => [
    row.shape, row.way, row.profile, verdictWord(row), String(row.verdict.runs), String(row.verdict.cut), String(row.verdict.calls), (row.verdict.milliseconds / 1000).toFixed(2),
    Object.entries(row.verdict.ends).map(([end, count]) => `${count} ${end}`).join(', '), row.verdict.stoppedBecause ?? '',
  ]);
  return table(['who lives', 'way', 'profile', 'verdict', 'runs', 'cut', 'calls', 'seconds', 'removals', ''], cells, {
    width: page.width, right: [4, 5, 6, 7],
    style: (text, row, column) => (row < 0 ? page.style('bold', text) : column !== 3 ? text : page.style(text.startsWith('ok') ? 'green' : text.startsWith('violated') ? 'red' : 'yellow', text)),
  }).join('\n');
}

/** Host calls around each deed and each act; the rest is counted. The engine's own journal is left out. */
const AROUND = 2;

export function failureText(row: EngineRow, failure: EngineVerdict['failures'][number]): string {
  const story = failure.story.filter((line) => !line.startsWith('store.'));
  const near = story.map((_, i) => story.some((line, j) => Math.abs(i - j) <= AROUND && (line.startsWith('  ') || line.startsWith('actions.'))));
  const lines: string[] = [];
  let left = 0;
  const skipped = (): void => {
    if (left > 0) lines.push(`      ... ${left} host calls`);
    left = 0;
  };
  for (const [i, line] of story.entries()) {
    if (near[i] !== true) {
      left += 1;
      continue;
    }
    skipped();
    lines.push(line.startsWith('  ') ? `  ->  ${line.trim()}` : `      ${line}`);
  }
  skipped();
  return `${row.shape} by ${row.way} on ${row.profile}: ${failure.wrong.join('; ')}\n${lines.join('\n')}\n`;
}
