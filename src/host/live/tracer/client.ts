/** Our side of the child that stops and edits processes. The child starts with the first request. */
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { isMissing, missing } from '../../fact.ts';
import type { Fact } from '../../fact.ts';
import type { ActResult, ProcessRef } from '../../actions.ts';
import type { Carriers, ChainResult, InjectedCall, Stopped, Trace } from '../../trace.ts';
import { childEntry } from '../entry.ts';
import { obstacleTo } from './obstacle.ts';
import { pipeBytes } from './pipe-bytes.ts';
import { HELLO, toWire } from './protocol.ts';
import type { InjectValue, Reply, Request, SettingToPutBack, StopValue } from './protocol.ts';

/** Given to the child on top of its own deadline, before it is taken for hung. */
const GRACE_MS = 2_000;
const QUICK_MS = 10_000;

type Child = ChildProcessByStdio<Writable, Readable, null>;
type Answer = Reply | { readonly ok: false; readonly reason: 'died'; readonly detail: string };

export class Tracer implements Trace {
  private child: Child | null = null;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private lastId = 0;
  /** Resolves when the child has said that it is up, or has died. */
  private up: Promise<void> = Promise.resolve();
  private isUp: (() => void) | null = null;
  private settings: readonly SettingToPutBack[] = [];
  /** Held by the child that lives now. */
  private readonly held = new Set<number>();

  obstacle(process: ProcessRef): Fact<string | null> {
    return process.pid === this.child?.pid ? 'this is unseat itself' : obstacleTo(process);
  }

  async stop(process: ProcessRef, deadlineMs: number): Promise<Fact<Stopped>> {
    const path = `/proc/${process.pid}`;
    const obstacle = this.obstacle(process);
    if (isMissing(obstacle)) return obstacle;
    const answer = await this.ask({ op: 'stop', ...process, deadlineMs }, deadlineMs + GRACE_MS);
    if (!answer.ok) return missing(answer.reason === 'died' ? 'unreadable' : answer.reason, path, answer.detail);
    const value = answer.value as StopValue;
    this.held.add(process.pid);
    const no = obstacle ?? value.obstacle;
    return {
      process,
      threads: value.threads,
      ...(no === undefined && value.carrier !== undefined ? { carrier: value.carrier } : {}),
      ...(no === undefined ? {} : { obstacle: no }),
    };
  }

  async inject(process: ProcessRef, chain: readonly InjectedCall[], deadlineMs: number, carriers?: Carriers): Promise<ChainResult> {
    const began = performance.now();
    const calls = chain.map((c) => ({ name: c.name, args: c.args.map(toWire), ...(c.expect === undefined ? {} : { expect: c.expect }) }));
    const answer = await this.ask({ op: 'inject', pid: process.pid, calls, deadlineMs, ...(carriers === undefined ? {} : { carriers }) }, deadlineMs + GRACE_MS);
    if (answer.ok) return answer.value as InjectValue;
    return { ok: false, errno: 'ESRCH', definite: answer.reason !== 'died', milliseconds: performance.now() - began, results: [], detail: answer.detail };
  }

  async peek(process: ProcessRef, address: number, into: Uint8Array): Promise<Fact<number>> {
    const answer = await this.ask({ op: 'peek', pid: process.pid, address, length: into.length }, QUICK_MS);
    if (!answer.ok) return missing('unreadable', `/proc/${process.pid}/mem`, answer.detail);
    const bytes = Buffer.from(answer.value as string, 'base64');
    into.set(bytes);
    return bytes.length;
  }

  async release(process: ProcessRef): Promise<ActResult> {
    const began = performance.now();
    const done = (ok: boolean, detail?: string): ActResult => ({ ok, definite: true, milliseconds: performance.now() - began, ...(detail === undefined ? {} : { detail }) });
    this.held.delete(process.pid);
    // Without a child nothing is stopped: its death lets every process go.
    if (this.child === null) return done(true);
    const answer = await this.ask({ op: 'release', pid: process.pid }, QUICK_MS);
    return answer.ok || answer.reason === 'died' ? done(true) : done(false, answer.detail);
  }

  /** Settings that the child writes back when we are gone. The list replaces the one before; empty means nothing. */
  async putBackWhenGone(settings: readonly SettingToPutBack[]): Promise<ActResult> {
    this.settings = settings;
    const began = performance.now();
    const answer = await this.ask({ op: 'put-back', settings }, QUICK_MS);
    return { ok: answer.ok, definite: true, milliseconds: performance.now() - began, ...(answer.ok ? {} : { detail: answer.detail }) };
  }

  pipeBytes(process: ProcessRef, fd: number, thread?: number): Fact<number> {
    return pipeBytes(process, fd, thread);
  }

  holds(process: ProcessRef): boolean {
    return this.child !== null && this.held.has(process.pid);
  }

  /** Process id of the child; null while there is none. */
  get childPid(): number | null {
    return this.child?.pid ?? null;
  }

  close(): void {
    this.child?.stdin.end();
    this.child = null;
  }

  /** The deadline runs from when the child is up: a machine under load must not be taken for a process that does not stop. */
  private ask(request: Request, deadlineMs: number): Promise<Answer> {
    const child = this.child ?? this.start();
    child.ref();
    return this.isUp === null ? this.askNow(child, request, deadlineMs) : this.up.then(() => this.askNow(child, request, deadlineMs));
  }

  private askNow(child: Child, request: Request, deadlineMs: number): Promise<Answer> {
    if (this.child !== child) return Promise.resolve({ ok: false, reason: 'died', detail: 'the tracer ended before it was asked' });
    this.lastId += 1;
    const id = this.lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        // A hung child holds processes stopped; its death lets them go.
        child.kill('SIGKILL');
        settle({ ok: false, reason: 'died', detail: `the tracer did not answer within ${deadlineMs} ms and was ended` });
      }, deadlineMs);
      const settle = (answer: Answer): void => {
        clearTimeout(timer);
        this.waiting.delete(id);
        if (this.waiting.size === 0) child.unref();
        resolve(answer);
      };
      this.waiting.set(id, settle);
      child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }

  private start(): Child {
    const [file, ...args] = childEntry('tracer/main.ts');
    const child = process.getBuiltinModule('node:child_process').spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    let pending = '';
    child.stdout.setEncoding('latin1');
    child.stdout.on('data', (text: string) => {
      pending += text;
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) this.received(line);
    });
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => this.lost(child, error.message));
    child.on('exit', (code, signal) => this.lost(child, signal ?? `status ${code}`));
    this.child = child;
    this.up = new Promise((resolve) => {
      this.isUp = resolve;
    });
    unrefStreams(child);
    if (this.settings.length > 0) child.stdin.write(`${JSON.stringify({ id: 0, op: 'put-back', settings: this.settings })}\n`);
    return child;
  }

  private received(line: string): void {
    const { id, ...reply } = JSON.parse(line) as Reply & { id: number };
    if (id === HELLO) this.nowUp();
    this.waiting.get(id)?.(reply as Reply);
  }

  private nowUp(): void {
    this.isUp?.();
    this.isUp = null;
  }

  private lost(child: Child, how: string): void {
    this.nowUp();
    if (this.child === child) {
      this.child = null;
      this.held.clear();
    }
    for (const settle of [...this.waiting.values()]) settle({ ok: false, reason: 'died', detail: `the tracer ended (${how}); every process that it had stopped goes on` });
  }
}

/** Pipes to the child do not keep us running; requests do, through the child itself. */
function unrefStreams(child: Child): void {
  for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref?: () => void }).unref?.();
}

/** The Trace facet of the live machine. */
export const traceFacet = (): Tracer => new Tracer();
