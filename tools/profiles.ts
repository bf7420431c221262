/** Writes docs/profiles.md from the profiles. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { profilesDocument } from '../src/profile/table.ts';

writeFileSync(resolve(import.meta.dirname, '../docs/profiles.md'), profilesDocument());
