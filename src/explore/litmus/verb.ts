/** A verb of a litmus thread: what it takes, and how a line becomes a call of a kernel path. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { PathFunction } from '../../kernel/state/path.ts';
import type { BuiltMachine, DeviceHandle } from './machine.ts';
import { inodeNamed, type ProcessHandle } from './processes.ts';
import type { Operation } from './operation.ts';

/** A number known at set-up, or the result of an earlier line of the same thread. */
export type Argument = number | { readonly result: string };

export interface Step {
  readonly path: PathFunction<Kernel>;
  readonly args: readonly Argument[];
}

export interface Verb {
  /** `PROCESS [page=N]`, for people. */
  readonly takes: string;
  readonly says: string;
  readonly make: (line: Line) => Step;
}

/** One line with what its words mean on the machine. */
export class Line {
  readonly built: BuiltMachine;
  readonly processes: ReadonlyMap<string, ProcessHandle>;
  readonly op: Operation;

  constructor(built: BuiltMachine, processes: ReadonlyMap<string, ProcessHandle>, op: Operation) {
    this.built = built;
    this.processes = processes;
    this.op = op;
  }

  get k(): Kernel {
    return this.built.k;
  }

  word(i: number): string {
    const word = this.op.args[i];
    if (word === undefined) throw this.wrong(`${this.op.verb} needs ${i + 1} argument${i === 0 ? '' : 's'}`);
    return word;
  }

  process(i = 0): ProcessHandle {
    const name = this.word(i);
    const found = this.processes.get(name);
    if (found === undefined) throw this.wrong(`there is no process ${name}`);
    return found;
  }

  device(i = 0): DeviceHandle {
    const name = this.word(i);
    const found = this.built.devices.get(name);
    if (found === undefined) throw this.wrong(`there is no device ${name}`);
    return found;
  }

  deviceOf<K extends DeviceHandle['kind']>(kind: K, i = 0): Extract<DeviceHandle, { kind: K }> {
    const device = this.device(i);
    if (device.kind !== kind) throw this.wrong(`${this.word(i)} is a ${device.kind}, not a ${kind}`);
    return device as Extract<DeviceHandle, { kind: K }>;
  }

  inode(i = 0): number {
    return inodeNamed(this.built, this.word(i));
  }

  sb(i = 0): number {
    const { sb } = this.deviceOf('pmem', i);
    if (sb === 0) throw this.wrong(`${this.word(i)} has no file system`);
    return sb;
  }

  slot(i = 0): number {
    const found = this.built.slots.get(this.word(i));
    if (found === undefined) throw this.wrong(`there is no slot ${this.word(i)}`);
    return found;
  }

  /** `page=N` of what a process maps, as a virtual page. */
  vpn(i = 0): number {
    const process = this.process(i);
    if (process.vma === 0) throw this.wrong(`${this.word(i)} maps nothing`);
    const page = this.option('page', 0);
    if (page >= process.pages) throw this.wrong(`${this.word(i)} maps ${process.pages} pages`);
    return process.vpn + page;
  }

  option(name: string, otherwise: number): number {
    const text = this.op.options[name];
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (!Number.isInteger(value)) throw this.wrong(`${name}=${text} is no whole number`);
    return value;
  }

  /** A bare word such as `longterm`. */
  has(word: string): boolean {
    return this.op.args.includes(word);
  }

  /** The result of the line that was named so. */
  result(i = 0): Argument {
    return { result: this.word(i) };
  }

  wrong(message: string): UnseatError {
    return new UnseatError('BAD_SCENARIO', message, { seen: this.op.text });
  }
}
