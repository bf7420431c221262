/** docs/litmus-truth.md: each row of KERNEL-TRUTH that is a matter of order, its litmus test, and the cells of the lab, held against each other. Pure. */
import { expected } from '../explore/litmus/check.ts';
import type { Litmus } from '../explore/litmus/schema.ts';
import { kernelOf, type Seen, type TruthRow } from '../kernel/truth/row.ts';
import { RELEASES } from '../profile/releases/index.ts';
import { selectProfile } from '../profile/select.ts';
import type { OrderedRow, Shows } from './truth-order.ts';

export interface LabCell {
  readonly scenario: string;
  readonly kernel: string;
  readonly release: string;
  readonly status: string;
  readonly effects: readonly string[];
  readonly observations: readonly Readonly<Record<string, unknown>>[];
}

export interface OrderLine {
  readonly row: OrderedRow;
  /** Profiles in which the test has a counterexample for what the row shows. */
  readonly profiles: readonly string[];
  /** Columns of the row, and cells of the lab, that the test agrees with. */
  readonly truth: readonly string[];
  readonly lab: readonly string[];
  readonly disagree: readonly string[];
}

/** Properties that an observation stands for, by the words of `shows`. */
function shown(shows: Shows, has: (word: string) => boolean): Set<string> {
  return new Set(Object.entries(shows).filter(([word]) => has(word)).map(([, property]) => property));
}

const ofRow = (seen: Seen) => (word: string): boolean => {
  const [first, name = '', is, ...value] = word.split(' ');
  if (first !== 'figure') return (seen.effects as readonly string[]).includes(word);
  return is === 'is' ? String(seen.figures?.[name]) === value.join(' ') : Number(seen.figures?.[name] ?? 0) > 0;
};

/** `present after VERB`: pages were still mapped when a later look was made. */
const ofCell = (cell: LabCell) => (word: string): boolean => {
  if (!word.startsWith('present after ')) return cell.effects.includes(word);
  const after = cell.observations.findIndex((o) => o['verb'] === word.slice(14));
  return after >= 0 && cell.observations.slice(after).some((o) => Number(o['present'] ?? 0) > 0);
};

/** What a test says of a profile: properties with a counterexample, and `sometimes X` for what it comes to in some order. */
function says(test: Litmus, profile: string): ReadonlySet<string> | null {
  const violated = test.profiles === undefined || test.profiles.includes(profile) ? expected(test, profile) : null;
  return violated === null ? null : new Set([...violated, ...test.sometimes.map((text) => `sometimes ${text}`)]);
}

function compare(shows: Shows, what: string, seen: ReadonlySet<string>, said: ReadonlySet<string> | null): string[] {
  if (said === null) return [`${what}: the test says nothing of this profile`];
  return [...new Set(Object.values(shows))].flatMap((property) => {
    const [was, is] = [seen.has(property), said.has(property)];
    return was === is ? [] : [`${what}: ${property} ${was ? 'was seen, the test has no counterexample' : 'was not seen, the test has a counterexample'}`];
  });
}

export function orderLine(row: OrderedRow, truth: TruthRow, test: Litmus, cells: readonly LabCell[]): OrderLine {
  const disagree: string[] = [];
  const agrees: string[] = [];
  const lab: string[] = [];
  for (const [column, seen] of Object.entries(truth.seen)) {
    if (!column.includes(row.only ?? '') || 'notModelled' in seen || Object.keys(row.except ?? {}).some((part) => column.includes(part))) continue;
    const wrong = compare(row.shows, column, shown(row.shows, ofRow(seen)), says(test, kernelOf(column)));
    if (wrong.length === 0) agrees.push(column);
    disagree.push(...wrong);
  }
  for (const [scenario, shows] of Object.entries(row.lab ?? {})) {
    for (const cell of cells.filter((c) => c.scenario === scenario && RAN.includes(c.status))) {
      const profile = selectProfile(cell.release).profile.name;
      const what = `${scenario} on ${cell.kernel.replace('debian:', '')}`;
      const wrong = compare(shows, what, shown(shows, ofCell(cell)), says(test, profile));
      if (wrong.length === 0) lab.push(what);
      disagree.push(...wrong);
    }
  }
  const wanted = new Set(Object.values(row.shows));
  const profiles = RELEASES.map((p) => p.name).filter((name) => [...(says(test, name) ?? [])].some((property) => wanted.has(property)));
  return { row, profiles, truth: agrees, lab, disagree };
}

/** Cells that saw something; others were not for that kernel, or did not get there. */
const RAN = ['agrees', 'disagrees'];

const cell = (text: string): string => text.replaceAll('|', '\\|');

export function orderPage(lines: readonly OrderLine[], rows: ReadonlyMap<string, TruthRow>, noOrder: Readonly<Record<string, string>>): string {
  const checked = lines.reduce((n, l) => n + l.truth.length, 0);
  const cells = new Set(lines.flatMap((l) => l.lab)).size;
  const wrong = lines.flatMap((l) => l.disagree.map((d) => `- ${l.row.row}, ${l.row.litmus}: ${d}`));
  const body = lines.map(({ row, profiles, truth, lab, disagree }) =>
    `| ${row.row} | ${cell(rows.get(row.row)?.says ?? '')} | [${row.litmus}](../litmus/${row.litmus}.yaml) | ${cell([...new Set(Object.values(row.shows))].join(', '))} | ${profiles.join(', ') || 'none'} | ${cell(truth.join(', ')) || cell(Object.values(row.except ?? {})[0] ?? '')} | ${lab.join(', ')} | ${disagree.length === 0 ? 'yes' : '**no**'} |`);
  return [
    '# Orders seen on real kernels, and their litmus tests', '',
    'Generated by `tools/litmus-truth.ts`; do not edit. One line for each row of [kernel-truth.md](kernel-truth.md) that is a matter of order, with the litmus test that does the same in',
    'every order. *Counterexample in*: the profiles for which the test is pinned to a counterexample of that property, or (`sometimes`) comes to it in some order; the search itself is in [litmus-table.md](litmus-table.md). *Measured on* and',
    '*lab*: kernels of the row, and cells of [kernel-matrix.md](kernel-matrix.md), that saw it exactly where the test has a counterexample and did not see it where it has none.', '',
    `${lines.length} lines, ${checked} measured cells and ${cells} cells of the lab held against the tests, ${wrong.length} disagree.`, '', ...wrong, ...(wrong.length > 0 ? [''] : []),
    '| row | what was seen | litmus | shown as | counterexample in | measured on | lab | agree |', '| --- | --- | --- | --- | --- | --- | --- | --- |', ...body, '',
    '## Rows that are no matter of order', '', '| row | what was seen | why |', '| --- | --- | --- |',
    ...Object.entries(noOrder).map(([id, why]) => `| ${id} | ${cell(rows.get(id)?.says ?? '')} | ${cell(why)} |`), '',
  ].join('\n');
}
