/** `npm test`: type check, then every test. Arguments narrow it to files; `npm test -- src/range` takes a folder. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const wanted = process.argv.slice(2);
const patterns = wanted.length === 0
  ? ['src/**/*.test.ts', 'test/**/*.test.ts']
  : wanted.map((path) => (statSync(path, { throwIfNoEntry: false })?.isDirectory() ? `${path}/**/*.test.ts` : path));

if (wanted.length === 0) {
  const check = spawnSync('tsc', ['--noEmit'], { stdio: 'inherit' });
  if (check.status !== 0) {
    console.log('0 passed, 1 failed');
    process.exit(check.status ?? 1);
  }
}
// Without it a machine of two processors would run one file after the other.
const concurrency = `--test-concurrency=${Math.max(2, availableParallelism() - 1)}`;
const run = spawnSync(process.execPath, ['--test', concurrency, '--test-reporter=./tools/reporter.ts', ...patterns], { stdio: 'inherit' });
process.exit(run.status ?? 1);
