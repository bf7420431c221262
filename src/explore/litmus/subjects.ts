/** What predicates speak of: the machine of a litmus test, its processes and threads, found by name. All throw UnseatError BAD_SCENARIO. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { BuiltMachine, RamHandle, DeviceHandle, PmemHandle } from './machine.ts';
import type { ProcessHandle } from './processes.ts';

export interface Subjects {
  readonly built: BuiltMachine;
  readonly processes: ReadonlyMap<string, ProcessHandle>;
  readonly threads: readonly string[];
  /** The same machine built anew, for what can only be learnt by doing it. */
  readonly twin: () => BuiltMachine;
}
export type Done = (thread: number) => number | undefined;
export type Holds = (k: Kernel, done: Done) => boolean;

export interface Predicate {
  readonly takes: string;
  readonly says: string;
  readonly make: (s: Subjects, args: readonly string[]) => Holds;
}

export const missing = (what: string): UnseatError => new UnseatError('BAD_SCENARIO', what);

export function threadOf(s: Subjects, name: string | undefined): number {
  const index = s.threads.indexOf(name ?? '');
  if (index < 0) throw missing(`there is no thread ${name ?? ''}`);
  return index;
}

export function processOf(s: Subjects, name: string | undefined): ProcessHandle {
  const found = s.processes.get(name ?? '');
  if (found === undefined) throw missing(`there is no process ${name ?? ''}`);
  return found;
}

function deviceOf(s: Subjects, name: string | undefined): DeviceHandle {
  const device = s.built.devices.get(name ?? '');
  if (device === undefined) throw missing(`there is no device ${name ?? ''}`);
  return device;
}

/** Pages of a device: first, and one past the last. */
export const rangeOf = (s: Subjects, name: string | undefined): readonly [number, number] => deviceOf(s, name).range;

/** A device that a driver can have. */
export function drivenOf(s: Subjects, name: string | undefined): DeviceHandle {
  const device = deviceOf(s, name);
  if (device.dev === 0) throw missing(`${name ?? ''} has no driver`);
  return device;
}

export function ramOf(s: Subjects, name: string | undefined): RamHandle {
  const device = deviceOf(s, name);
  if (device.kind !== 'ram') throw missing(`${name ?? ''} is no ram`);
  return device;
}

export function pmemOf(s: Subjects, name: string | undefined): PmemHandle {
  const device = deviceOf(s, name);
  if (device.kind !== 'pmem') throw missing(`${name ?? ''} is no pmem`);
  return device;
}

export function fileOf(s: Subjects, name: string | undefined): number {
  const inode = s.built.files.get(name ?? '');
  if (inode === undefined) throw missing(`there is no file ${name ?? ''}`);
  return inode;
}

export function slotOf(s: Subjects, name: string | undefined): number {
  const slot = s.built.slots.get(name ?? '');
  if (slot === undefined) throw missing(`there is no slot ${name ?? ''}`);
  return slot;
}
