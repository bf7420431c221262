/** docs/kernel-truth-confirmed.md: each row of docs/kernel-truth.md and the cells of the lab that show it again, or do not. Pure. */
import type { TruthRow } from '../kernel/truth/row.ts';
import { kernelOf } from '../kernel/truth/row.ts';
import { parseRelease } from '../scenario/kernel-range.ts';
import type { Effect } from '../scenario/effect.ts';
import type { Ending, Observation } from '../scenario/observation.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { verdict } from '../scenario/verdict.ts';
import { wasRun, type SeenCell } from './kernel-matrix.ts';
import type { Fact, TruthLink } from './truth-link.ts';
import { LINKS, NOT_DONE } from './truth-links.ts';
import { CONTRADICTED } from './truth-contradicted.ts';

interface Column {
  readonly column: string;
  readonly verdict: 'confirmed' | 'contradicted' | 'not run';
  /** Cells, or why there is none. */
  readonly says: string;
}

export interface Evidence {
  readonly cells: readonly SeenCell[];
  readonly scenarios: ReadonlyMap<string, Scenario>;
}

/** What a cell shows against a fact; empty where it shows it. */
function against(cell: SeenCell, scenario: Scenario, { has = [], lacks = [], notEnds, ...expected }: Fact): string[] {
  const effects = cell.effects as readonly Effect[];
  const series = parseRelease(cell.release);
  if (series === null) return [];
  const stepwise = Object.keys(expected).length === 0 ? [] : verdict({ ...scenario, expect: [{ kernels: 'all', ...expected }] }, series, cell.observations as unknown as Observation[]);
  return [
    ...has.filter((e) => !effects.includes(e)).map((e) => `no ${e}`), ...lacks.filter((e) => effects.includes(e)),
    ...(notEnds === undefined ? [] : endsSo(cell.observations as unknown as Observation[], expected.step, notEnds)),
    ...stepwise.map((d) => `${d.what}: ${d.seen} for ${d.expected}`),
  ];
}

function endsSo(observations: readonly Observation[], step: string | undefined, ending: Ending): string[] {
  const seen = observations.find((o) => o.label === step);
  return seen === undefined ? [`${step} was not reached`] : seen.ending === ending ? [`${step} ${ending}`] : [];
}

function columnOf(row: TruthRow, column: string, { cells, scenarios }: Evidence): Column {
  const links = LINKS.filter((l) => l.rows.includes(row.id) && (l.columns === undefined || l.columns.test(column)));
  if (links.length === 0) return { column, verdict: 'not run', says: NOT_DONE.find(([rows]) => rows.test(row.id))?.[1] ?? 'no scenario does it on this kernel' };
  const found = links.map((l) => shown(l, `debian:${kernelOf(column)}`, cells, scenarios));
  const wrong = found.filter((f) => f.verdict === 'contradicted');
  const left = found.filter((f) => f.verdict === 'not run');
  const names = (list: typeof found): string => [...new Set(list.map((f) => f.says))].join('; ');
  if (wrong.length > 0) return { column, verdict: 'contradicted', says: names(wrong) };
  return left.length > 0 ? { column, verdict: 'not run', says: names(left) } : { column, verdict: 'confirmed', says: names(found) };
}

function shown(l: TruthLink, kernel: string, cells: readonly SeenCell[], scenarios: ReadonlyMap<string, Scenario>): Omit<Column, 'column'> {
  const cell = cells.find((c) => c.scenario === l.scenario && c.kernel === kernel);
  const scenario = scenarios.get(l.scenario);
  if (!cell || !scenario) return { verdict: 'not run', says: `${l.scenario} was not run on it` };
  if (!wasRun(cell)) return { verdict: 'not run', says: `${l.scenario}: ${cell.reason ?? cell.status}` };
  const differs = against(cell, scenario, l.shows);
  return differs.length === 0 ? { verdict: 'confirmed', says: l.scenario } : { verdict: 'contradicted', says: `${l.scenario}: ${differs.join(', ')}` };
}

export interface Confirmed {
  readonly page: string;
  readonly counts: Readonly<Record<Column['verdict'], number>>;
  readonly contradicted: readonly string[];
}

export function truthConfirmed(rows: readonly TruthRow[], evidence: Evidence): Confirmed {
  const counts: Record<Column['verdict'], number> = { confirmed: 0, contradicted: 0, 'not run': 0 };
  const contradicted: string[] = [];
  let touched = 0;
  const lines = rows.map((row) => {
    const columns = Object.keys(row.seen).map((column) => columnOf(row, column, evidence));
    for (const c of columns) counts[c.verdict] += 1;
    if (columns.some((c) => c.verdict === 'confirmed')) touched += 1;
    contradicted.push(...columns.filter((c) => c.verdict === 'contradicted').map((c) => `${row.id}, ${c.column}: ${c.says}`));
    const why = (column: string): string => { const listed = CONTRADICTED[`${row.id}, ${column}`]; return listed === undefined ? '' : `; ${listed.why}`; };
    const grouped = (v: Column['verdict']): string => [...Map.groupBy(columns.filter((c) => c.verdict === v), (c) => `${c.says}${v === 'contradicted' ? why(c.column) : ''}`)].map(([says, list]) => `${list.map((c) => c.column).join(', ')} (${says})`).join('; ');
    return `| ${[row.id, row.says, grouped('confirmed'), grouped('contradicted'), grouped('not run')].map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  const page = [
    '# Measured facts, seen again in the lab', '',
    'Generated by `tools/kernel-matrix.ts`; do not edit. One line for each row of [kernel-truth.md](kernel-truth.md) that names a kernel: the cells of [the lab](kernel-matrix.md) that do the same, and whether',
    'they show the same (`src/evidence/truth-links.ts` says by which fact). A row that no cell does was done on the simulated kernel only ([there](kernel-truth-simulated.md)).', '',
    `${counts.confirmed} of ${counts.confirmed + counts.contradicted + counts['not run']} columns confirmed, ${counts.contradicted} contradicted, ${counts['not run']} not run; ${touched} of ${rows.length} rows confirmed on at least one kernel.`, '',
    '| row | what was seen | confirmed on | contradicted on | not run on |', '| --- | --- | --- | --- | --- |', ...lines, '',
  ].join('\n');
  return { page, counts, contradicted };
}
