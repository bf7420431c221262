/** The processes of a race, told what to do line by line. */
import type { ProcessSpec } from '../../../../scenario/process.ts';
import { Holder, type Reply } from '../holder.ts';

export class Racer {
  readonly name: string;
  readonly holder: Holder;

  constructor(name: string, mark: number) {
    this.name = name;
    this.holder = new Holder({ name, sigbus: 'handler' } as ProcessSpec, mark);
  }

  /** @throws Error where it refuses, ends or says nothing */
  async must(command: string): Promise<Reply> {
    const answered = await this.holder.ask(command, 30_000);
    if (answered.kind === 'reply' && answered.reply.ok) return answered.reply;
    throw new Error(`${this.name}: ${command}: ${answered.kind === 'reply' ? String(answered.reply.errno) : answered.kind === 'died' ? answered.how : 'no answer'}`);
  }

  /** Reads every page of a map and counts what it finds. */
  async read(map: string): Promise<{ pages: number; sigbus: number; readable: number; own: number }> {
    const reply = await this.must(`read map=${map}`);
    const n = (key: string): number => Number(reply[key] ?? 0);
    const own = Number(((reply['marks'] ?? {}) as Record<string, number>)[String(this.holder.mark)] ?? 0);
    return { pages: n('pages'), sigbus: n('sigbus'), readable: n('pages') - n('sigbus') - n('sigsegv'), own };
  }

  async end(): Promise<void> {
    this.holder.signal('SIGKILL');
    if (await this.holder.awaitEnd(10_000, () => false) === null) throw new Error(`${this.name} does not end`);
  }
}
