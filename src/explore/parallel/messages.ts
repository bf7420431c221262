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

export interface WorkerTask extends Standing {
  readonly source: ProgramSource;
  /** Of the program as the first thread built it. */
  readonly fingerprint: string;
  readonly symmetry: boolean;
  readonly selfCheck: number;
  readonly remember: boolean;
  readonly index: number;
  readonly workers: number;
  readonly blocks: SharedBlocks;
  readonly log: Int32Array;
  readonly table: SharedTable;
}

/** A worker has nothing more to do until it is told. */
export interface Arrived extends Standing {
  readonly kind: 'arrived';
  readonly transitions: number;
  readonly reruns: number;
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
