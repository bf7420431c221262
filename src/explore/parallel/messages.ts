/** What the threads of a search are given and say. */
import type { ErrorCode } from '../../errors/codes.ts';
import { UnseatError, type ErrorFacts } from '../../errors/unseat-error.ts';
import type { Standing } from '../findings.ts';
import type { ProgramSource } from './source.ts';
import type { SharedBlocks } from './blocks.ts';

export interface SharedTable {
  readonly words: Int32Array;
  readonly stride: number;
}

/** How a search is made, by each of its threads alike. */
export interface Manner {
  readonly symmetry: boolean;
  readonly selfCheck: number;
  readonly remember: boolean;
}

/** What the threads of a search share. */
export interface Common {
  /** How many threads there may be. */
  readonly threads: number;
  readonly manner: Manner;
  readonly blocks: SharedBlocks;
  readonly log: Int32Array;
}

export interface WorkerTask extends Common, Standing {
  readonly source: ProgramSource;
  /** Of the program as the first thread built it. */
  readonly fingerprint: string;
  readonly index: number;
  readonly table: SharedTable;
}

/** A table in place of the one before, of which each of `parts` threads enters a part. A thread that is no part of it has not come yet, or has nothing to enter. */
export interface NewTable extends SharedTable {
  readonly part: number;
  readonly parts: number;
}

/** What a thread has found that it had not told. */
export interface News extends Standing {
  readonly kind: 'news';
}

export interface Failed {
  readonly kind: 'failed';
  readonly code: ErrorCode;
  readonly message: string;
  readonly facts: ErrorFacts;
}

export function failure(error: unknown): Failed {
  if (error instanceof UnseatError) return { kind: 'failed', code: error.code, message: error.message, facts: error.facts };
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  return { kind: 'failed', code: 'INTERNAL', message, facts: { cause: stack.split('\n').slice(1, 4).map((line) => line.trim()).join('; ') } };
}
