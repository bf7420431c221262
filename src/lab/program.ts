/** Runs a program of the system by argument vector, with a deadline, and gives back what it said. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { UnseatError } from '../errors/unseat-error.ts';

export interface Ran {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly deadlineMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  /** Stdout as latin1: one character per byte. */
  readonly binary?: boolean;
}

export function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { env: { ...process.env, ...options.env }, cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let timedOut = false;
    const timer = setTimeout(() => { timedOut = true; child.kill('SIGKILL'); }, options.deadlineMs ?? 60_000);
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => { /* the program did not read its input; its exit status tells */ });
    child.stdin.end(options.input);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new UnseatError('MISSING_TOOL', `cannot run ${program}`, { subject: program, cause: error.message }));
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, timedOut, stdout: Buffer.concat(out).toString(options.binary === true ? 'latin1' : 'utf8'), stderr: Buffer.concat(err).toString() });
    });
  });
}

/** Stdout of a program that must succeed. */
export async function mustRun(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await runProgram(program, args, options);
  if (ran.status === 0) return ran.stdout;
  throw new UnseatError('LAB', `${program} ${args[0] ?? ''} ${ran.timedOut ? 'did not end in its time' : `ended with ${ran.signal ?? `status ${ran.status}`}`}`, {
    subject: program, cause: (ran.stderr.trim() || ran.stdout.trim()).split('\n').slice(-4).join('; '),
  });
}

/** The path of a program in PATH and the places of system programs; null where there is none. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
  for (const folder of folders) {
    const path = join(folder === '' ? '.' : folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch { /* the next folder */ }
  }
  return null;
}
