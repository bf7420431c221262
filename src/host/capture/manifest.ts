/** `manifest.json` of unseat's own captures: what was taken, when, by whom, and what was left out. */
import { z } from 'zod';
import { badCapture } from './limits.ts';

export const MANIFEST_FORMAT = 'unseat-capture';
export const MANIFEST_VERSION = 1;

const nullable = <T extends z.ZodType>(type: T) => type.nullable();

export const ManifestSchema = z.object({
  format: z.literal(MANIFEST_FORMAT),
  version: z.number().int().positive(),
  tool: z.string(),
  command: nullable(z.string()),
  takenAt: nullable(z.string()),
  host: z.string(),
  kind: z.string(),
  release: nullable(z.string()),
  kernelVersion: nullable(z.string()),
  arch: nullable(z.string()),
  pageSize: nullable(z.number().int().positive()),
  uid: nullable(z.number().int().nonnegative()),
  /** CapEff as two 32-bit halves, low first. */
  capabilities: nullable(z.tuple([z.number(), z.number()])),
  anonymized: z.boolean(),
  /** Directories, as inside the machine, of which every name is there or in unreadable.txt; and paths that the machine does not have. */
  complete: z.array(z.string()),
  leftOut: z.array(z.object({ what: z.string(), why: z.string() })),
});

export type Manifest = z.infer<typeof ManifestSchema>;

/** Throws BAD_CAPTURE where the manifest is no manifest, or of a later version than this one reads. */
export function parseManifest(archive: string, text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badCapture(archive, 'manifest.json is no JSON', (error as Error).message);
  }
  const parsed = ManifestSchema.safeParse(value);
  if (!parsed.success) throw badCapture(archive, 'manifest.json does not have its form', z.prettifyError(parsed.error).replaceAll('\n', '; '));
  if (parsed.data.version > MANIFEST_VERSION) {
    throw badCapture(archive, 'the capture is of a later format', `version ${parsed.data.version}, this unseat reads up to ${MANIFEST_VERSION}`, 'Use a newer unseat to read it.');
  }
  return parsed.data;
}
