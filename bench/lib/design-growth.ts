/** One size of a machine doubled and doubled again, all others as they are. */
import { measureCell, type Cell } from './designs.ts';

export const AXES = ['device', 'mapped', 'inodes', 'processes'] as const;
/** device: pages of the device beside those that are mapped; mapped: pages of the file that all processes map. */
export type Axis = (typeof AXES)[number];

export interface Point {
  readonly operations: number;
  /** Processor time of the removal: the least of three where it is short. */
  readonly milliseconds: number;
}

const bases = new Map<string, Point>();

export function growths(base: Cell, axis: Axis): Point[] {
  return [1, 2, 4].map((times) => {
    const cell = { ...base, [axis]: (base[axis] ?? 0) * times };
    const key = JSON.stringify(cell);
    const known = bases.get(key);
    if (known !== undefined) return known;
    const runs = [measureCell(cell)];
    while (runs.length < 3 && runs.at(-1)!.cpu < 100) runs.push(measureCell(cell));
    const point = { operations: runs[0]?.operations ?? NaN, milliseconds: Math.min(...runs.map((r) => r.cpu)) };
    bases.set(key, point);
    return point;
  });
}
