/** Programs of the system, by argument vector. */
import type { ActResult } from '../actions.ts';
import { errnoOf } from './absence.ts';

/** What is kept of a program's output, in bytes; the rest is read and dropped. */
const KEPT = 1 << 20;
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin';

export function runProgram(program: string, args: readonly string[], deadlineMs: number): Promise<ActResult & { readonly stdout?: string }> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = process.getBuiltinModule('node:child_process').spawn(program, args, { shell: false, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? PATH, LC_ALL: 'C' } });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const settle = (result: Omit<ActResult, 'milliseconds'>): void => {
      clearTimeout(timer);
      resolve({ ...result, milliseconds: performance.now() - started, stdout: stdout() });
    };
    const timer = setTimeout(() => {
      child.removeAllListeners();
      child.on('error', () => {});
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      settle({ ok: false, errno: 'ETIMEDOUT', definite: false, detail: `${program} did not end within ${deadlineMs} ms` });
    }, deadlineMs);
    child.once('error', (error) => settle({ ok: false, errno: errnoOf(error), definite: true, detail: error.message }));
    child.once('close', (code, signal) => {
      const said = stderr().trim();
      if (code === 0) settle({ ok: true, definite: true, ...(said === '' ? {} : { detail: said }) });
      else settle({ ok: false, definite: signal === null, detail: `${program}: ${signal ?? `exit status ${code}`}${said === '' ? '' : `: ${said}`}` });
    });
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    if (length < KEPT) chunks.push(chunk.subarray(0, KEPT - length));
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
