/** One system call that may hang or kill whoever makes it, made by a child of its own with a deadline. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ending } from '../../../scenario/observation.ts';

export const HELPER = '/run/unseat-guest';

export interface Outcome {
  readonly ending: Ending;
  readonly errno?: string;
  readonly milliseconds: number;
  /** The helper's answer. */
  readonly answer: Readonly<Record<string, unknown>>;
  readonly detail?: string;
}

/** Runs the helper (or another program) and says how it ended; a child that is still there at the deadline is left where it is. */
export async function once(args: readonly string[], deadlineMs: number, program = HELPER): Promise<Outcome> {
  const begun = performance.now();
  const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); });
  child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString(); });
  const ended = new Promise<{ status: number | null; signal: string | null }>((resolve) => {
    child.on('error', (error) => { err += error.message; resolve({ status: 127, signal: null }); });
    child.on('close', (status, signal) => resolve({ status, signal }));
  });
  const result = await Promise.race([ended, sleep(deadlineMs).then(() => null)]);
  const milliseconds = Math.round(performance.now() - begun);
  if (result === null) {
    const where = await whereIs(child.pid ?? 0);
    child.unref();
    // A wait that a signal can end (an offline that loops, a child of unseat) ends here; one that cannot goes on.
    child.kill('SIGKILL');
    return { ending: where.spins ? 'spins' : 'hangs', milliseconds, answer: {}, detail: where.text };
  }
  const answer = lastJson(out);
  if (result.signal !== null) return { ending: 'oops', milliseconds, answer, detail: `killed by ${result.signal}` };
  const errno = typeof answer['errno'] === 'string' ? { errno: answer['errno'] } : {};
  const detail = err.trim() === '' ? {} : { detail: err.trim().slice(0, 2000) };
  if (result.status === 127) return { ending: 'not-available', milliseconds, answer, ...detail };
  return { ending: result.status === 0 ? 'returned' : 'refused', milliseconds, answer, ...errno, ...detail };
}

const LOOKS = 9;

/** Whether a task runs in the kernel or sleeps there. A loop may rest between its rounds (offline_pages() drains): most looks decide. */
export async function whereIs(pid: number): Promise<{ spins: boolean; text: string }> {
  const states: string[] = [];
  for (let i = 0; i < LOOKS; i += 1) {
    states.push(/\) (\w)/.exec(readOr(`/proc/${pid}/stat`))?.[1] ?? '?');
    await sleep(100);
  }
  const stack = readOr(`/proc/${pid}/stack`).split('\n').slice(0, 12).join('\n');
  return { spins: states.filter((s) => s === 'R').length > LOOKS / 2, text: `state ${states.join('')}\n${stack}` };
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function lastJson(text: string): Record<string, unknown> {
  for (const line of text.trim().split('\n').reverse()) {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
    } catch { /* not the answer */ }
  }
  return {};
}
