/** The guest's end of the virtio-serial port. */
import { openSync, read, readdirSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { encode, LineReader, type FromGuest, type FromHost, type HostAction } from '../../channel/protocol.ts';

type Answer = Extract<FromHost, { type: 'answer' }>;
export type Order = Exclude<FromHost, { type: 'answer' }>;

export class GuestChannel {
  private readonly fd: number;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private nextId = 1;
  private onOrder: ((message: Order) => void) | null = null;

  constructor() {
    this.fd = openSync(portPath(), 'r+');
    const reader = new LineReader<FromHost>((message) => this.take(message));
    const buffer = Buffer.alloc(1 << 16);
    const next = (): void => read(this.fd, buffer, 0, buffer.length, null, (error, count) => {
      if (!error && count > 0) reader.push(buffer.toString('utf8', 0, count));
      // Nothing to read means that the other end is not there yet.
      if (error || count === 0) void sleep(50).then(next);
      else next();
    });
    next();
  }

  send(message: FromGuest): void {
    const bytes = Buffer.from(encode(message));
    for (let at = 0; at < bytes.length;) at += writeSync(this.fd, bytes, at);
  }

  awaitOrder(): Promise<Order> {
    return new Promise((resolve) => { this.onOrder = resolve; });
  }

  /** Asks the host to do something to the hardware. */
  ask(action: HostAction): Promise<Answer> {
    const id = this.nextId;
    this.nextId += 1;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.send({ type: 'ask', id, action });
    });
  }

  private take(message: FromHost): void {
    if (message.type !== 'answer') return this.onOrder?.(message);
    this.waiting.get(message.id)?.(message);
    this.waiting.delete(message.id);
  }
}

function portPath(): string {
  const folder = '/sys/class/virtio-ports';
  const port = readdirSync(folder).find((name) => readFileSync(`${folder}/${name}/name`, 'utf8').trim() === 'unseat');
  if (port === undefined) throw new Error('no virtio-serial port named unseat');
  return `/dev/${port}`;
}
