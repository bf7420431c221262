/** A process of the fake machine, and what the system calls that detach injects do to it. */
import type { Mapping } from '../../src/host/processes.ts';
import type { InjectedCall } from '../../src/host/trace.ts';

export const FS_DEV = '259:0';
export const PAGE = 4096;

export interface FakeProcess {
  readonly pid: number;
  readonly startTime: number;
  readonly comm: string;
  mappings: Mapping[];
  files: Map<number, string>;
  cwd: string;
  stopped: boolean;
  alive: boolean;
  /** Pages of its device mappings that are present, by address. */
  present: Map<number, number>;
  /** Maps the file again when it sees none mapped, so many times. */
  remaps: number;
  /** PR_MCE_KILL_LATE: memory_failure leaves it alone. */
  late: boolean;
}

export const mapping = (start: number, length: number, perms: string, dev: string): Mapping => ({ start, end: start + length, perms, offset: 0, dev, ino: 1, name: dev === FS_DEV ? '/mnt/f' : '' });

/** One system call of a process, as far as detach uses them. */
export function systemCall(p: FakeProcess, { name, args }: InjectedCall): number {
  const [a, b, c, d, e] = args.map((x) => (typeof x === 'number' ? x : -1)) as [number, number, number, number, number];
  const clear = (start: number, end: number): void => {
    p.mappings = p.mappings.filter((m) => m.end <= start || m.start >= end);
    for (const address of [...p.present.keys()]) if (address >= start && address < end) p.present.delete(address);
  };
  const lowest = (): number => { let fd = 0; while (p.files.has(fd)) fd += 1; return fd; };
  switch (name) {
    case 'memfd_create': case 'socket': { const fd = lowest(); p.files.set(fd, '0:1'); return fd; }
    case 'mmap': clear(a, a + b); p.mappings.push(mapping(a, b, (d & 1) === 1 ? 'rw-s' : 'rw-p', '0:1')); return a;
    case 'munmap': clear(a, a + b); return 0;
    case 'mremap': clear(e, e + b); clear(a, a + b); p.mappings.push(mapping(e, b, 'rw-p', '0:0')); return e;
    case 'process_vm_readv': return lengthIn(args[1]);
    case 'dup3': p.files.set(b, p.files.get(a) ?? ''); return b;
    case 'close': p.files.delete(a); return 0;
    case 'chdir': p.cwd = '8:1'; return 0;
    default: return c === c ? 0 : -38;
  }
}

/** Second word of a `struct iovec`. */
function lengthIn(arg: InjectedCall['args'][number] | undefined): number {
  if (typeof arg !== 'object') return -22;
  return Number(new DataView(arg.bytes.buffer, arg.bytes.byteOffset).getBigUint64(8, true));
}
