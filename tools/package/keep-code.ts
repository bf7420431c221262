/** Runs `scan` once and keeps what V8 made of it (dist/keep-code.cjs: after a build, and after an install). Fails quietly: it only saves time. */
import { renameSync, writeFileSync } from 'node:fs';
import { keptCode, loadQuick } from './kept-code.ts';

const quick = loadQuick(__dirname);
void quick.runQuickly({ holders: true }).then(() => {
  if (quick.kept) return;
  const file = keptCode(__dirname);
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, quick.code());
  renameSync(fresh, file);
});
