/** From results to the committed data: each cell judged by its scenario as it is now, with its prediction. */
import { cellKey, type StoredCell } from '../lab/matrix/store.ts';
import { judgedAgain } from '../lab/run/cell.ts';
import { inKernelRange, parseRelease } from '../scenario/kernel-range.ts';
import type { Observation } from '../scenario/observation.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { verdict } from '../scenario/verdict.ts';
import { matrixCell, seenCell, wasRun, type MatrixCell, type SeenCell } from './kernel-matrix.ts';
import { predict } from './prediction.ts';

/** The cells of this machine's results, and of the committed data those that this machine has not run. */
export function merged(stored: readonly StoredCell[], committed: readonly SeenCell[], scenarios: ReadonlyMap<string, Scenario>): SeenCell[] {
  const own = stored.flatMap((one) => {
    const scenario = scenarios.get(one.cell.scenario);
    const cell = scenario === undefined ? null : judgedAgain(one.cell, scenario);
    return cell === null ? [] : [seenCell({ ...one, cell })];
  });
  const fresh = own.filter((one) => isCurrent(one, scenarios));
  const has = new Set(fresh.map(nameOf));
  return [...fresh, ...committed.filter((one) => !has.has(nameOf(one)))];
}

const nameOf = (one: SeenCell): string => `${one.scenario} ${one.kernel}`;

/** What was seen with another text of a scenario is no evidence for this one. */
function isCurrent(one: SeenCell, scenarios: ReadonlyMap<string, Scenario>): boolean {
  const scenario = scenarios.get(one.scenario);
  if (scenario === undefined || one.key !== cellKey(scenario, one)) return false;
  // A scenario that is for this kernel by now has not been run on it.
  const series = parseRelease(one.release);
  return one.status !== 'not-applicable' || series === null || !inKernelRange(scenario.kernels, series);
}

/** @param seen cells; those of scenarios that are no more or do something else now are left out */
export async function evidenceOf(seen: readonly SeenCell[], scenarios: ReadonlyMap<string, Scenario>): Promise<MatrixCell[]> {
  const cells: MatrixCell[] = [];
  for (const one of seen.filter((cell) => isCurrent(cell, scenarios))) {
    const scenario = scenarios.get(one.scenario);
    if (scenario !== undefined) cells.push(matrixCell(judged(one, scenario), scenario, await predict(scenario, one.release)));
  }
  return cells;
}

function judged(one: SeenCell, scenario: Scenario): SeenCell {
  const series = parseRelease(one.release);
  if (!wasRun(one) || series === null) return one;
  const disagreements = verdict(scenario, series, one.observations as unknown as Observation[]);
  return { ...one, disagreements, status: disagreements.length === 0 ? 'agrees' : 'disagrees' };
}
