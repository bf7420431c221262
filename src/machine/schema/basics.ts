/** Building blocks of the published JSON Schemas. Each schema is checked by the compiler against the type that it describes. */
import { z } from 'zod';
import type { Missing } from '../../host/fact.ts';
import type { PhysRange } from '../../range/phys-range.ts';
import type { Machine, Note } from '../machine.ts';

export const nullable = <T extends z.ZodType>(type: T) => type.nullable();
export const text = z.string();
export const bytes = z.int().nonnegative().describe('bytes');
export const address = z.int().nonnegative().describe('physical address, bytes');
export const count = z.int().nonnegative();
export const deviceNumber = z.string().regex(/^\d+:\d+$/).describe('major:minor, decimal');
export const byteString = z.string().describe('name in bytes: one character of code 0 to 255 for each byte');

export const rangeShape = { start: address, end: address.describe('first byte after the range') };
export const range: z.ZodType<PhysRange> = z.strictObject(rangeShape);

export const missing: z.ZodType<Missing> = z.strictObject({
  missing: z.enum(['absent', 'not-captured', 'denied', 'vanished', 'unreadable', 'malformed', 'unsafe']),
  path: text,
  detail: text.exactOptional(),
});

export const note: z.ZodType<Note> = z.strictObject({ code: text, text, subject: text.exactOptional(), absence: missing.exactOptional() });
export const host: z.ZodType<Machine['host']> = z.strictObject({ kind: text, label: text, takenAt: text.exactOptional() });
