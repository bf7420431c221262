/** What is kept of a removal under /var/lib/unseat, after the journal has served. */
import type { Store } from '../host/actions.ts';
import type { Way } from '../steps/reason.ts';
import type { StepReport } from './engine/step.ts';
import type { UndoReport } from './engine/undo.ts';

export const RECORD_DIRECTORY = '/var/lib/unseat';

/**
 * `called-off`: a step failed and everything is as before. `partly`: a step failed and something stays changed; the
 * journal is kept.
 */
export type RemovalStatus = 'done' | 'called-off' | 'partly' | 'rolled-back';

export interface RemovalRecord {
  readonly version: 1;
  readonly device: string;
  readonly deviceName: string;
  readonly way: Way;
  readonly kernel: string | null;
  readonly begun: string | null;
  readonly ended: string | null;
  readonly status: RemovalStatus;
  readonly steps: readonly StepReport[];
  readonly undone: readonly UndoReport[];
  /** Lines of the kernel log since the beginning that mean harm. */
  readonly kernelLog: readonly string[];
  readonly before: unknown;
  /** What happened around the removal and is not of its doing: a button that was pressed. Absent where nothing did. */
  readonly noticed?: readonly string[];
  /** Why this record, or the end of the journal, could not be kept on disk; absent where it was. */
  readonly unkept?: string;
}

export async function keepRecord(store: Store, record: RemovalRecord): Promise<string> {
  const when = (record.ended ?? 'unknown').replace(/[^0-9A-Za-z]/g, '');
  const path = `${RECORD_DIRECTORY}/${record.device.replace(/[^A-Za-z0-9._-]/g, '_')}-${when}.json`;
  await store.replace(path, `${JSON.stringify(record, null, 2)}\n`);
  return path;
}
