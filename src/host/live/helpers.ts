/**
 * Helper children: each does one act at a time and may be given up. A child that hangs in the kernel cannot be killed
 * before it wakes; it is sent SIGKILL, let go of, and never waited for.
 */
import type { ChildProcess } from 'node:child_process';
import type { ActResult } from '../actions.ts';
import { childEntry } from './entry.ts';
import type { Answer, Operation } from './operations.ts';

export class Helpers {
  private readonly idle: ChildProcess[] = [];
  private closed = false;

  /** Resolves at the deadline at the latest; `definite` is false then, and when the child died on the way. */
  perform(operation: Operation, deadlineMs: number): Promise<ActResult> {
    const started = performance.now();
    const child = this.idle.pop() ?? start();
    hold(child);
    return new Promise((resolve) => {
      const settle = (result: Omit<ActResult, 'milliseconds'>): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve({ ...result, milliseconds: performance.now() - started });
      };
      const timer = setTimeout(() => {
        abandon(child);
        settle({ ok: false, errno: 'ETIMEDOUT', definite: false, detail: `no answer within ${deadlineMs} ms; the child ${child.pid} was told to end` });
      }, deadlineMs);
      child.once('message', (answer: Answer) => {
        if (answer.spent === true) {
          // It ends by itself; until then it holds the namespace that it went to.
          child.removeAllListeners('exit').once('exit', () => settle(resultOf(answer)));
        } else {
          settle(resultOf(answer));
          this.release(child);
        }
      });
      child.once('exit', (code, signal) => settle({ ok: false, definite: false, detail: `the helper child ended (${signal ?? `status ${code}`})` }));
      child.once('error', (error) => settle({ ok: false, definite: false, detail: `the helper child failed: ${error.message}` }));
      child.send(operation);
    });
  }

  close(): void {
    this.closed = true;
    for (const child of this.idle.splice(0)) abandon(child);
  }

  private release(child: ChildProcess): void {
    if (this.closed || !child.connected) return abandon(child);
    child.once('exit', () => this.forget(child));
    child.once('error', () => this.forget(child));
    letGo(child);
    this.idle.push(child);
  }

  private forget(child: ChildProcess): void {
    const at = this.idle.indexOf(child);
    if (at >= 0) this.idle.splice(at, 1);
  }
}

function start(): ChildProcess {
  const [file, ...args] = childEntry('child.ts');
  // Loaded only here: most commands act on nothing, and start-up would pay for it.
  return process.getBuiltinModule('node:child_process').fork(file, args, { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
}

const hold = (child: ChildProcess): void => {
  child.removeAllListeners();
  child.ref();
  child.channel?.ref();
};

/** An idle child does not keep us running; it ends by itself when we do. */
const letGo = (child: ChildProcess): void => {
  child.unref();
  child.channel?.unref();
};

function abandon(child: ChildProcess): void {
  child.removeAllListeners();
  // An IPC channel that breaks while it is taken down is no news.
  child.on('error', () => {});
  child.kill('SIGKILL');
  if (child.connected) child.disconnect();
  child.unref();
}

function resultOf(answer: Answer): Omit<ActResult, 'milliseconds'> {
  const { ok, errno, detail } = answer;
  return { ok, definite: true, ...(errno === undefined ? {} : { errno }), ...(detail === undefined ? {} : { detail }) };
}
