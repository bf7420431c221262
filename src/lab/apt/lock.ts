/** The lock file: exactly which packages the lab's results were made with. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { KernelChoice } from './choose.ts';

const entry = z.strictObject({
  release: z.string(),
  version: z.string(),
  packages: z.array(z.strictObject({ name: z.string(), version: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.number().int() })),
});
const lockSchema = z.record(z.string(), entry);
export type Lock = Record<string, KernelChoice>;

export const LOCK_FILE = resolve(import.meta.dirname, '../packages.lock.json');

export const readLock = (file = LOCK_FILE): Lock => (existsSync(file) ? lockSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : {});

export function writeLock(lock: Lock, file = LOCK_FILE): void {
  const sorted = Object.fromEntries(Object.entries(lock).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(sorted, null, 1)}\n`);
}
