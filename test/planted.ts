/** Small trees of /proc and /sys made for one test, opened as a capture of a directory. Values are texts; `-> x` is a symbolic link. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { openCapture } from '../src/host/capture/open.ts';
import type { Host } from '../src/host/host.ts';

export type Tree = Readonly<Record<string, string>>;

export async function planted(t: TestContext, tree: Tree): Promise<Host> {
  const root = mkdtempSync(join(tmpdir(), 'unseat-tree-'));
  for (const [path, text] of Object.entries(tree)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), file);
    else writeFileSync(file, text);
  }
  const host = await openCapture(root);
  t.after(() => {
    host.close();
    rmSync(root, { recursive: true });
  });
  return host;
}
