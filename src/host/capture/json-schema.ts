/** The published JSON Schema of `capture --json` (draft 2020-12), which holds the manifest's too. `schema/capture.json` is this, written out by tools/schema.ts. */
import { z } from 'zod';
import { ManifestSchema } from './manifest.ts';

export const captureResult = z.strictObject({
  path: z.string(),
  entries: z.number().int().nonnegative(),
  /** Of the archive. */
  bytes: z.number().int().nonnegative(),
  unreadable: z.number().int().nonnegative(),
  manifest: ManifestSchema,
});

export const captureJsonSchema = (): Record<string, unknown> =>
  ({ title: 'unseat capture --json: what was written', ...(z.toJSONSchema(captureResult, { target: 'draft-2020-12', reused: 'inline' }) as Record<string, unknown>) });
