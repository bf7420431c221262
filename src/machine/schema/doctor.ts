/** The published JSON Schema of `doctor --json` (draft 2020-12). `schema/doctor.json` is this, written out by tools/schema.ts. */
import { z } from 'zod';
import type { Doctor } from '../doctor/doctor.ts';
import { count, text } from './basics.ts';

const state = z.enum(['ok', 'limited', 'missing', 'unknown']);

export const doctor: z.ZodType<Doctor> = z.strictObject({
  host: z.strictObject({ kind: text, label: text }),
  areas: z.array(z.strictObject({
    name: z.enum(['look', 'act', 'kernel']),
    checks: z.array(z.strictObject({ id: text.describe('stable name'), state, fact: text, consequence: text })),
  })),
  counts: z.strictObject({ ok: count, limited: count, missing: count, unknown: count }),
});

export const doctorJsonSchema = (): Record<string, unknown> =>
  ({ title: 'unseat doctor --json: what this kernel and this user can and cannot see or do', ...(z.toJSONSchema(doctor, { target: 'draft-2020-12', reused: 'inline' }) as Record<string, unknown>) });
