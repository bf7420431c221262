/** Scenarios by kernels, as many guests at a time as the machine has room for. */
import { availableParallelism, freemem } from 'node:os';
import type { Scenario } from '../../scenario/scenario.ts';
import type { LabKernel } from '../kernels.ts';
import { Guests, judgedAgain, type Cell, type CellOptions } from '../run/cell.ts';
import { bootKey } from '../run/session.ts';
import { cellKey, type ResultStore } from './store.ts';

const GUEST_BYTES = 4 * 1024 ** 3;

/** A guest keeps two CPUs busy and takes its memory and that of its devices. */
export const roomForGuests = (cpus = availableParallelism(), free = freemem()): number => Math.max(1, Math.min(Math.floor(cpus / 2), Math.floor(free / GUEST_BYTES)));

export interface MatrixOptions extends CellOptions {
  readonly store: ResultStore;
  /** Run cells again that are already in the store. */
  readonly again: boolean;
  readonly jobs: number;
  /** Which cells: scenario and kernel by name; absent: all. */
  readonly only?: (scenario: string, kernel: string) => boolean;
  /** Cells that were not begun after so many minutes are left for the next time. */
  readonly minutes?: number;
}

export interface MatrixResult {
  readonly cells: readonly Cell[];
  readonly fromStore: number;
  readonly left: number;
}

export async function runMatrix(scenarios: readonly Scenario[], kernels: readonly LabKernel[], options: MatrixOptions): Promise<MatrixResult> {
  const pairs = kernels.flatMap((kernel) => inBootOrder(scenarios).filter((s) => options.only?.(s.scenario, kernel.name) ?? true).map((scenario) => ({ scenario, kernel })));
  const cells: (Cell | null)[] = pairs.map(() => null);
  let next = 0;
  let fromStore = 0;
  const stopAt = options.minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.minutes * 60_000;
  const worker = async (): Promise<void> => {
    let guests = null as { readonly kernel: LabKernel; readonly run: Guests } | null;
    for (let i = next; i < pairs.length; i = next) {
      next += 1;
      const pair = pairs[i];
      if (!pair) break;
      const known = options.again ? null : fromEarlier(options.store, pair);
      if (known !== null) {
        cells[i] = known;
        fromStore += 1;
        continue;
      }
      if (performance.now() >= stopAt) continue;
      if (guests?.kernel !== pair.kernel) {
        await guests?.run.close();
        guests = { kernel: pair.kernel, run: new Guests(pair.kernel, { ...options, say: (line) => options.say(`  ${line}`) }) };
      }
      cells[i] = await one(guests.run, pair, `${i + 1}/${pairs.length}`, options);
    }
    await guests?.run.close();
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  const done = cells.filter((cell) => cell !== null);
  return { cells: done, fromStore, left: pairs.length - done.length };
}

/** Scenarios that can share a boot stand together, in the order in which the first of each kind was given. */
export function inBootOrder(scenarios: readonly Scenario[]): Scenario[] {
  const groups = Map.groupBy(scenarios, bootKey);
  return [...groups.values()].flat();
}

interface Pair { readonly scenario: Scenario; readonly kernel: LabKernel }

function fromEarlier(store: ResultStore, { scenario, kernel }: Pair): Cell | null {
  const known = store.read(scenario.scenario, kernel.name);
  return known?.key === cellKey(scenario, kernel) ? judgedAgain(known.cell, scenario) : null;
}

async function one(guests: Guests, { scenario, kernel }: Pair, place: string, options: MatrixOptions): Promise<Cell> {
  const name = `${scenario.scenario} on ${kernel.name}`;
  options.say(`${place} ${name}`);
  const cell = await guests.run(scenario);
  options.store.write({ key: cellKey(scenario, kernel), date: new Date().toISOString(), cell });
  options.say(`${place} ${name}: ${cell.status}${cell.reason === undefined ? '' : ` (${cell.reason.split('\n')[0]})`}`);
  for (const d of cell.disagreements) options.say(`  ${d.what}: expected ${d.expected}, seen ${d.seen}`);
  return cell;
}
