/** Results of cells as files, so that a matrix that was stopped goes on where it was. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Scenario } from '../../scenario/scenario.ts';
import type { LabKernel } from '../kernels.ts';
import type { Cell } from '../run/cell.ts';

export interface StoredCell {
  /** Of what the scenario does and the kernel's package: a cell with another key is out of date. */
  readonly key: string;
  /** ISO date, UTC. */
  readonly date: string;
  readonly cell: Cell;
}

/**
 * Made of what a guest is given, without what is said or expected of it: another title or expectation does not make a run invalid.
 * What is off or empty is left out, so that a new field of scenarios leaves results as they are.
 */
export const cellKey = ({ machine, systemRam, filesystems, swaps, processes, steps }: Scenario, kernel: Pick<LabKernel, 'release' | 'version'>): string =>
  createHash('sha256').update(JSON.stringify([machine, systemRam, filesystems, swaps, processes, steps, kernel.release, kernel.version], isSet)).digest('hex').slice(0, 16);

const isSet = (_key: string, value: unknown): unknown => (value === false || value === null || (Array.isArray(value) && value.length === 0) ? undefined : value);

export class ResultStore {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  private path(scenario: string, kernel: string): string {
    return join(this.folder, kernel.replace(/[^A-Za-z0-9.+-]/g, '_'), `${scenario}.json`);
  }

  read(scenario: string, kernel: string): StoredCell | null {
    const path = this.path(scenario, kernel);
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StoredCell) : null;
  }

  write(stored: StoredCell): void {
    const path = this.path(stored.cell.scenario, stored.cell.kernel);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, `${JSON.stringify(stored, null, 1)}\n`);
    renameSync(`${path}.new`, path);
  }

  all(): StoredCell[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.json')).sort()
      .map((f) => JSON.parse(readFileSync(join(this.folder, f), 'utf8')) as StoredCell);
  }
}

/** The cells of the committed data below `folder`, as they stand there; empty where there is none. */
export function committedCells(folder: string): readonly unknown[] {
  const path = join(folder, 'evidence/kernel-matrix.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { readonly cells: readonly unknown[] }).cells : [];
}
