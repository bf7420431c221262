/** Runs programs with their time by the clock and their processor time: on a machine with other work, only the latter compares. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  /** Milliseconds by the clock. */
  readonly wall: number;
  /** Milliseconds of user and system time, all threads. */
  readonly cpu: number;
}

/** Compiles the wrapper once; call `end` when done. */
export function timer(): { run(program: string, args: readonly string[]): Run; end(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'unseat-timed-'));
  const wrapper = join(directory, 'timed');
  const result = join(directory, 'result');
  execFileSync('gcc', ['-O2', '-o', wrapper, join(import.meta.dirname, 'timed.c')]);
  return {
    run: (program, args) => {
      const { stdout, stderr, status } = spawnSync(wrapper, [result, program, ...args], { encoding: 'utf8', maxBuffer: 1 << 30 });
      const [wall = NaN, cpu = NaN] = readFileSync(result, 'utf8').trim().split(' ').map(Number);
      return { stdout, stderr, status, wall, cpu };
    },
    end: () => rmSync(directory, { recursive: true }),
  };
}
