/** Writes generated files, each whole or not at all. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface TextFile {
  /** Relative to the folder that is written to. */
  readonly path: string;
  readonly text: string;
  readonly executable?: boolean;
}

export function writeFiles(folder: string, files: readonly TextFile[]): void {
  for (const file of files) {
    const path = join(folder, file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, file.text, { mode: file.executable === true ? 0o755 : 0o644 });
    renameSync(`${path}.new`, path);
  }
}
