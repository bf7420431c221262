/** The published JSON Schema of `layout --json` (draft 2020-12). `schema/layout.json` is this, written out by tools/schema.ts. */
import { z } from 'zod';
import { bytes, count, nullable, range, rangeShape, text } from '../../machine/schema/basics.ts';
import type { NamespaceVerdict } from '../layout/namespaces.ts';
import type { LayoutReport } from '../layout/types.ts';

const mode = z.enum(['raw', 'fsdax-mem', 'fsdax-dev', 'devdax', 'sector']);
const layoutRange = z.strictObject({ ...rangeShape, kind: z.enum(['ram', 'pmem', 'reserved']), text });
const error = z.strictObject({ from: z.enum(['kernel', 'ndctl']), text, code: text });

const modeVerdict = z.strictObject({
  mode, by: z.enum(['boot', 'ndctl', 'sysfs']), works: z.boolean(), usable: nullable(range), lostAtStart: bytes, lostAtEnd: bytes, errors: z.array(error), remark: nullable(text),
});
const rangeVerdict = z.strictObject({
  range: layoutRange, region: text, fits: z.enum(['yes', 'partly', 'no']), sections: z.tuple([count, count]), modes: z.array(modeVerdict),
  neighbours: z.array(z.strictObject({ section: count, with: layoutRange, sameSubSection: z.boolean(), collides: z.boolean() })),
  asRam: z.strictObject({ from: nullable(range), blocks: count, bytes, range: nullable(range), lost: bytes, says: nullable(text) }),
});
const blockVerdict = z.strictObject({
  ...rangeShape, index: count, ramBytes: bytes, foreign: z.array(z.strictObject({ ...rangeShape, what: z.enum(['pmem', 'reserved', 'hole']) })), canGoOffline: z.boolean(), because: text,
});
const namespace = z.strictObject({
  request: z.strictObject({ size: bytes, mode, align: nullable(bytes) }), name: text, range: nullable(range), usable: nullable(range), error: nullable(error),
});

export const layoutReport: z.ZodType<LayoutReport & { readonly namespaces?: readonly NamespaceVerdict[] }> = z.strictObject({
  blockSize: bytes, sectionSize: bytes, subSectionSize: bytes,
  ranges: z.array(layoutRange),
  overlaps: z.array(z.strictObject({ a: layoutRange, b: layoutRange, common: range })),
  generations: z.array(z.strictObject({ profiles: z.array(text), ranges: z.array(rangeVerdict), blocks: z.array(blockVerdict) })),
  namespaces: z.array(namespace).exactOptional(),
});

export const layoutJsonSchema = (): Record<string, unknown> =>
  ({ title: 'unseat layout --json: do ranges fit', ...(z.toJSONSchema(layoutReport, { target: 'draft-2020-12', reused: 'inline' }) as Record<string, unknown>) });
