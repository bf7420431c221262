/** The published JSON Schema of `remove --json`, `resume --json` and `rollback --json`, and of the records under /var/lib/unseat. */
import { z } from 'zod';
import { nullable, text } from '../../machine/schema/basics.ts';
import type { StepReport } from '../engine/step.ts';
import type { UndoReport } from '../engine/undo.ts';
import type { RemovalRecord } from '../record.ts';

const step: z.ZodType<StepReport> = z.strictObject({
  id: text, title: text, outcome: z.enum(['done', 'already', 'failed', 'unknown']).describe('already: it was so before anything was done. unknown: what took effect is not certain.'),
  milliseconds: z.number().describe('milliseconds'), says: nullable(text),
});
const undo: z.ZodType<UndoReport> = z.strictObject({
  id: text, title: text, ok: z.boolean(), says: nullable(text), stays: z.boolean().exactOptional().describe('Nothing puts it back, however often it is tried; `says` names who can.'),
});

export const removalRecord: z.ZodType<RemovalRecord> = z.strictObject({
  version: z.literal(1), device: text, deviceName: text, way: z.enum(['graceful', 'detach', 'force', 'kill']), kernel: nullable(text), begun: nullable(text), ended: nullable(text),
  status: z.enum(['done', 'called-off', 'partly', 'rolled-back']).describe('called-off: everything is as before. partly: the journal is kept; resume goes on, rollback puts back what can be.'),
  steps: z.array(step), undone: z.array(undo), kernelLog: z.array(text).describe('Lines of the kernel log since the beginning that mean harm.'),
  before: z.unknown().describe('The device and its holders as they were.'),
  noticed: z.array(text).exactOptional().describe('What happened meanwhile and is not of the removal\'s doing: a button that was pressed.'),
  unkept: text.exactOptional().describe('Why this record, or the end of the journal, could not be kept on disk.'),
});

export const removalJsonSchema = (): Record<string, unknown> =>
  ({ title: 'unseat remove --json: what a removal did', ...(z.toJSONSchema(removalRecord, { target: 'draft-2020-12', reused: 'inline' }) as Record<string, unknown>) });
