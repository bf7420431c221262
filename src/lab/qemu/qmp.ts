/** A client of QEMU's monitor protocol (docs/interop/qmp-spec in QEMU): commands, answers, events. */
import type { Socket } from 'node:net';

interface QmpMessage {
  readonly type?: string;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly id?: number;
  readonly QMP?: unknown;
}

export class QmpError extends Error {}

export interface QmpEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class Qmp {
  readonly events: QmpEvent[] = [];
  private readonly socket: Socket;
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private nextId = 1;
  private rest = '';
  private readonly ready: Promise<unknown>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.push(chunk.toString()));
    socket.on('error', () => this.fail('the monitor connection broke'));
    socket.on('close', () => this.fail('QEMU is gone'));
    this.ready = this.send('qmp_capabilities', {});
    this.ready.catch(() => { /* whoever executes a command is told */ });
  }

  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    await this.ready;
    return this.send(command, args);
  }

  private send(command: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = this.nextId;
    this.nextId += 1;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  private push(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() === '') continue;
      let message: QmpMessage;
      try {
        message = JSON.parse(line) as QmpMessage;
      } catch {
        continue;
      }
      this.take(message);
    }
  }

  private take(m: QmpMessage): void {
    if (m.event !== undefined) this.events.push({ name: m.event, data: m.data ?? {} });
    const waiter = m.id === undefined ? undefined : this.waiting.get(m.id);
    if (!waiter || m.id === undefined) return;
    this.waiting.delete(m.id);
    if (m.error) waiter.reject(new QmpError(m.error.desc));
    else waiter.resolve(m.return);
  }

  private fail(why: string): void {
    for (const { reject } of this.waiting.values()) reject(new QmpError(why));
    this.waiting.clear();
  }
}
