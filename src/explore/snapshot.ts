/** A search between two levels, as plain numbers: to be gone on with by several threads, or later from a file. */
import type { Standing } from './findings.ts';
import type { TableWords } from './visited.ts';

export interface Snapshot extends Standing {
  /** Everything learnt so far (lessons.ts), and the digest of it. */
  readonly lessons: Int32Array;
  readonly digest: string;
  readonly table: TableWords;
  /** States that wait to be expanded, as Frontier keeps them. */
  readonly frontier: Int32Array;
  readonly waiting: number;
  /** Levels expanded. */
  readonly depth: number;
  readonly transitions: number;
}
