/** The committed data of the lab: one record for each scenario and kernel, with the prediction of the simulated kernel beside what was seen. Pure. */
import type { StoredCell } from '../lab/matrix/store.ts';
import type { Cell } from '../lab/run/cell.ts';
import type { TextFile } from '../lab/write-files.ts';
import type { Observation } from '../scenario/observation.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { compareRuns, type Difference } from './compare-runs.ts';
import { matrixPage } from './kernel-matrix-page.ts';
import { reasonFor } from './listed-differences.ts';
import type { Prediction } from './prediction.ts';

/** What was seen, without times: they differ from run to run. */
export interface SeenCell {
  /** Of what the scenario did and the kernel's package (`cellKey`). */
  readonly key: string;
  readonly scenario: string;
  readonly kernel: string;
  readonly release: string;
  readonly version: string;
  readonly qemu: string;
  /** ISO date without a time. */
  readonly date: string;
  readonly status: Cell['status'];
  readonly effects: readonly string[];
  /** What unseat's own plan, made in that guest before the removal, said would come; null where it was not asked. */
  readonly forecast: readonly string[] | null;
  /** Seen and not forecast. */
  readonly missed: readonly string[];
  readonly observations: readonly Record<string, unknown>[];
  /** From what the scenario itself expects. */
  readonly disagreements: Cell['disagreements'];
  readonly reason?: string;
}

export interface MatrixCell extends SeenCell {
  /** What the simulated kernel said of the same file; absent where the guest saw nothing to compare. */
  readonly predicted?: { readonly effects: readonly string[]; readonly profile: string } | { readonly not: string };
  readonly differences: readonly (Difference & { readonly listed?: string })[];
}

export function seenCell(stored: StoredCell): SeenCell {
  const c = stored.cell;
  const forecast = c.forecast?.effects ?? null;
  return {
    key: stored.key, scenario: c.scenario, kernel: c.kernel, release: c.release, version: c.version, qemu: c.qemu, date: stored.date.slice(0, 10), status: c.status,
    effects: c.effects, forecast, missed: forecast && wasRun(c) ? c.effects.filter((e) => !forecast.includes(e) && e !== 'clean' && isOfRemoval(c, e)) : [],
    observations: c.observations.map(({ milliseconds: _ms, detail: _detail, unseat, ...facts }) => ({ ...facts, ...wayOf(unseat) })), disagreements: c.disagreements,
    ...(c.reason === undefined ? {} : { reason: c.reason.split('\n')[0] ?? '' }),
  };
}

export const wasRun = (c: Pick<SeenCell, 'status'>): boolean => c.status === 'agrees' || c.status === 'disagrees';

/** By which way unseat removed: `--force` takes detach where it can. */
function wayOf(unseat: unknown): { way?: string } {
  const way = typeof unseat === 'object' && unseat !== null && 'way' in unseat ? unseat.way : undefined;
  return typeof way === 'string' ? { way } : {};
}

/** A refusal or an endless wait of another step (an offline, say) is not what the forecast of the removal speaks of. */
const isOfRemoval = (c: Cell, effect: string): boolean =>
  (effect !== 'veto' && effect !== 'never-ends') || c.observations.some((o) => (o.verb === 'unbind' || o.verb === 'pull') && o.ending !== 'returned');

export function matrixCell(seen: SeenCell, scenario: Scenario, prediction: Prediction): MatrixCell {
  if (!wasRun(seen)) return { ...seen, differences: [] };
  if ('not' in prediction) return { ...seen, predicted: { not: prediction.not }, differences: [] };
  const [major = 0, minor = 0] = seen.release.split('.').map(Number);
  const differences = compareRuns(scenario, prediction.observations, seen.observations as unknown as Observation[]).map((d) => {
    const listed = reasonFor(seen.scenario, { major, minor }, d);
    return listed === null ? d : { ...d, listed };
  });
  return { ...seen, predicted: { effects: prediction.effects, profile: prediction.profile }, differences };
}

const order = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

/** @param cells in any order; one line each in the data, so that a change shows as the lines it is */
export function matrixFiles(cells: readonly MatrixCell[], titles: ReadonlyMap<string, string>): TextFile[] {
  const sorted = [...cells].sort((a, b) => order(a.scenario, b.scenario) || order(a.kernel, b.kernel));
  return [
    { path: 'evidence/kernel-matrix.json', text: `{"cells": [\n${sorted.map((c) => JSON.stringify(c)).join(',\n')}\n]}\n` },
    { path: 'docs/kernel-matrix.md', text: matrixPage(sorted, titles) },
  ];
}
