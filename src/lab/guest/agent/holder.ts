/** One holder process of a scenario, obeying commands over a pipe. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MapSpec, ProcessSpec } from '../../../scenario/process.ts';
import { HELPER, whereIs } from './once.ts';

export interface Reply {
  readonly ok: boolean;
  readonly errno?: string;
  readonly [key: string]: unknown;
}

/** How a wait for a holder's answer ended. */
export type Answered = { readonly kind: 'reply'; readonly reply: Reply } | { readonly kind: 'died'; readonly how: string } | { readonly kind: 'silent'; readonly spins: boolean; readonly text: string };

export interface HeldMap {
  readonly spec: MapSpec;
  readonly address: number;
  readonly size: number;
}

export class Holder {
  readonly spec: ProcessSpec;
  readonly mark: number;
  readonly pid: number;
  readonly maps = new Map<string, HeldMap>();
  readonly children: number[] = [];
  /** `exit 0`, `SIGBUS`, ... once it is gone. */
  died: string | null = null;
  private readonly child: ChildProcessWithoutNullStreams;
  private buffer = '';
  private readonly takers: ((reply: Reply) => void)[] = [];
  private readonly ended: Promise<string>;

  constructor(spec: ProcessSpec, mark: number) {
    this.spec = spec;
    this.mark = mark;
    this.child = spawn(HELPER, ['hold', String(mark), ...(spec.sigbus === 'default' ? ['default'] : [])], { stdio: 'pipe' });
    this.pid = this.child.pid ?? -1;
    this.child.stdin.on('error', () => { /* it is gone; `ended` tells */ });
    this.child.stdout.on('data', (chunk: Buffer) => this.take(chunk.toString()));
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => resolve(error.message));
      this.child.on('exit', (status, signal) => {
        this.died = signal ?? `exit ${status}`;
        resolve(this.died);
      });
    });
  }

  /** Sends a command and waits for its answer, its death or the deadline. */
  async ask(command: string, deadlineMs = 20_000): Promise<Answered> {
    if (this.died !== null) return { kind: 'died', how: this.died };
    const reply = new Promise<Reply>((resolve) => this.takers.push(resolve));
    this.child.stdin.write(`${command}\n`);
    const first = await Promise.race([
      reply.then((r): Answered => ({ kind: 'reply', reply: r })), this.ended.then((how): Answered => ({ kind: 'died', how })), sleep(deadlineMs).then(() => null),
    ]);
    if (first) return first;
    return { kind: 'silent', ...(await whereIs(this.pid)) };
  }

  /** Waits until it is gone, zombie or not; null when it still is there. */
  async awaitEnd(deadlineMs: number, stopWaiting: () => boolean): Promise<string | null> {
    const until = performance.now() + deadlineMs;
    while (performance.now() < until && !stopWaiting()) {
      if (this.died !== null) return this.died;
      await Promise.race([this.ended, sleep(100)]);
    }
    return this.died;
  }

  signal(name: NodeJS.Signals): void {
    if (this.died === null && existsSync(`/proc/${this.pid}`)) process.kill(this.pid, name);
  }

  private take(text: string): void {
    const lines = (this.buffer + text).split('\n');
    this.buffer = lines.pop() ?? '';
    for (const line of lines) {
      let reply: Reply;
      try {
        reply = JSON.parse(line) as Reply;
      } catch {
        reply = { ok: false, errno: `unreadable answer ${line.slice(0, 80)}` };
      }
      this.takers.shift()?.(reply);
    }
  }
}
