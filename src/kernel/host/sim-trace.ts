/** The Trace facet: a stopped task carries out system calls by the kernel's own paths. */
import { missing, type Fact } from '../../host/fact.ts';
import type { ActResult, ProcessRef } from '../../host/actions.ts';
import type { CallArgument, Carriers, ChainResult, InjectedCall, Stopped, Trace } from '../../host/trace.ts';
import { EBADF, EEXIST, EFAULT, EINVAL } from '../errno.ts';
import { FD, fdClose, fdInstall, fdsOf } from '../fs/file.ts';
import { INODE, INODE_REG, newInode } from '../fs/inode.ts';
import { iput } from '../fs/super.ts';
import type { Kernel } from '../kernel.ts';
import { userRead, userWrite } from '../mm/access.ts';
import { HOLDER } from '../mm/pin-holders.ts';
import { doMmap, mmapFixed, munmap } from '../mm/mmap.ts';
import { mmOf, VMA, vmaEnd, vmaLookup, vmasOf, vmaStart, VM_READ, VM_SHARED, VM_WRITE } from '../mm/mm_struct.ts';
import { run } from '../setup/run.ts';
import type { Path } from '../state/path.ts';
import { continueTask, findTask, fsTask, isAlive, stopTask, TASK, TASK_STOPPED, taskPid, taskState } from '../task.ts';
import { continueProcess, stopProcess, threadsOf } from '../thread-group.ts';
import { startTime } from './proc-process.ts';
import type { World } from './world.ts';

const PAGE = 4096;
const ok: ActResult = { ok: true, definite: true, milliseconds: 1 };

export class SimTrace implements Trace {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  obstacle(process: ProcessRef): Fact<string | null> {
    return this.task(process) === 0 ? missing('vanished', `/proc/${process.pid}`, 'ESRCH') : null;
  }

  async stop(process: ProcessRef): Promise<Fact<Stopped>> {
    const task = this.task(process);
    if (task === 0) return missing('vanished', `/proc/${process.pid}`, 'ESRCH');
    stopProcess(this.world.k, task);
    return { process, threads: this.threads(task).map((thread) => taskPid(this.world.k, thread)), carrier: process.pid };
  }

  async inject(process: ProcessRef, chain: readonly InjectedCall[], _deadlineMs: number, { only, not }: Carriers = {}): Promise<ChainResult> {
    const { k } = this.world;
    const first = this.task(process);
    const task = first === 0 ? 0 : this.threads(first).find((thread) => only?.includes(taskPid(k, thread)) !== false && not?.includes(taskPid(k, thread)) !== true) ?? 0;
    if (first !== 0 && task === 0) return { ok: false, errno: 'ENOSPC', definite: true, milliseconds: 1, detail: 'no thread that may carry the calls is left', results: [] };
    if (task === 0) return { ok: false, errno: 'ESRCH', definite: true, milliseconds: 1, results: [] };
    if (taskState(k, task) !== TASK_STOPPED) return { ok: false, errno: 'EINVAL', definite: true, milliseconds: 1, detail: 'the process is not stopped', results: [] };
    const results: number[] = [];
    continueTask(k, task);
    for (const call of chain) {
      const ran = run(k, systemCall(k, task, call), task);
      if (ran.oops !== null || ran.hangs !== null || ran.spins !== null) {
        return { ok: false, definite: false, milliseconds: 1, detail: `${call.name} did not come back: ${ran.oops ?? ran.hangs ?? ran.spins}`, results };
      }
      results.push(ran.rc);
    }
    if (isAlive(k, task)) stopTask(k, task);
    return { ...ok, results };
  }

  pipeBytes(process: ProcessRef, number: number, thread?: number): Fact<number> {
    const { k } = this.world;
    const task = thread === undefined ? this.task(process) : findTask(k, thread);
    if (task === 0) return missing('vanished', `/proc/${process.pid}`, 'ESRCH');
    const fd = fdByNumber(k, task, number);
    const holder = fd === 0 ? 0 : k.heap.load(fd + FD.holder);
    return holder === 0 ? 0 : k.heap.load(holder + HOLDER.count) * PAGE;
  }

  async peek(process: ProcessRef, address: number, into: Uint8Array): Promise<Fact<number>> {
    return missing('unreadable', `/proc/${process.pid}/mem`, `a simulated page has one value, not ${into.length} bytes at ${address}`);
  }

  async release(process: ProcessRef): Promise<ActResult> {
    const task = this.task(process);
    if (task !== 0) continueProcess(this.world.k, task);
    return ok;
  }

  private threads(task: number): number[] {
    return [...threadsOf(this.world.k, task)].filter((thread) => isAlive(this.world.k, thread));
  }

  private task(process: ProcessRef): number {
    const { k } = this.world;
    const task = findTask(k, process.pid);
    return task !== 0 && isAlive(k, task) && startTime(k, task) === process.startTime ? task : 0;
  }
}

const number = (arg: CallArgument | undefined): number => (typeof arg === 'number' ? arg : arg === 'minus-one' ? -1 : 0);

/** One system call of the task: its result, or -errno. Addresses in bytes. */
function* systemCall(k: Kernel, task: number, { name, args }: InjectedCall): Path<number> {
  const [a, b, c, d, e] = args.map(number) as [number, number, number, number, number];
  switch (name) {
    case 'memfd_create':
    case 'socket':
      return installNew(k, task, name === 'socket' ? 'socket' : 'unseat');
    case 'close':
      return yield* closeNumber(k, task, a);
    case 'dup3':
      return yield* dup3(k, task, a, b);
    case 'chdir':
      return yield* chdirRoot(k, task);
    case 'mmap':
      return yield* mmap(k, task, a, b, c, d, e);
    case 'munmap':
      return yield* k.call(munmap, task, a / PAGE, Math.ceil((a + b) / PAGE));
    case 'mprotect':
      return mprotect(k, task, a / PAGE, Math.ceil((a + b) / PAGE), c);
    case 'mremap':
      return yield* mremap(k, task, a / PAGE, b / PAGE, e / PAGE);
    case 'process_vm_readv':
      return yield* copyPages(k, task, vector(args[3]), vector(args[1]));
    default:
      return -EINVAL;
  }
}

function installNew(k: Kernel, task: number, name: string): number {
  const inode = newInode(k, INODE_REG, 0);
  k.heap.store(inode + INODE.nlink, 0);
  k.heap.store(inode + INODE.name, k.names.of(name));
  return k.heap.load(fdInstall(k, task, inode) + FD.number);
}

const fdByNumber = (k: Kernel, task: number, wanted: number): number => [...fdsOf(k, task)].find((fd) => k.heap.load(fd + FD.number) === wanted) ?? 0;

function* closeNumber(k: Kernel, task: number, wanted: number): Path<number> {
  const fd = fdByNumber(k, task, wanted);
  return fd === 0 ? -EBADF : yield* k.call(fdClose, task, fd);
}

function* dup3(k: Kernel, task: number, from: number, to: number): Path<number> {
  const source = fdByNumber(k, task, from);
  const target = fdByNumber(k, task, to);
  if (source === 0 || target === 0) return -EBADF;
  const inode = k.heap.load(source + FD.inode);
  const before = k.heap.load(target + FD.inode);
  k.heap.add(inode + INODE.count, 1);
  k.heap.store(target + FD.inode, inode);
  if (before !== 0) yield* k.call(iput, before);
  return to;
}

function* chdirRoot(k: Kernel, task: number): Path<number> {
  const owner = fsTask(k, task);
  const cwd = k.heap.load(owner + TASK.cwd);
  k.heap.store(owner + TASK.cwd, 0);
  if (cwd !== 0) yield* k.call(iput, cwd);
  return 0;
}

const MAP_SHARED = 1;
const MAP_ANONYMOUS = 0x20;
const flagsOf = (prot: number): number => ((prot & 1) !== 0 ? VM_READ : 0) | ((prot & 2) !== 0 ? VM_WRITE : 0);

function* mmap(k: Kernel, task: number, address: number, length: number, prot: number, flags: number, fd: number): Path<number> {
  const vpn = address / PAGE;
  const pages = Math.ceil(length / PAGE);
  const shared = (flags & MAP_SHARED) !== 0 ? VM_SHARED : 0;
  if ((flags & MAP_ANONYMOUS) !== 0) {
    if ([...vmasOf(k, mmOf(k, task))].some((vma) => vmaStart(k, vma) < vpn + pages && vpn < vmaEnd(k, vma))) return -EEXIST;
    const vma = doMmap(k, task, { inode: 0, pgoff: 0, pages, flags: flagsOf(prot) | shared, vpn });
    return vma < 0 ? vma : address;
  }
  const file = fdByNumber(k, task, fd);
  if (file === 0) return -EBADF;
  const vma = yield* mmapFixed(k, task, vpn, pages, k.heap.load(file + FD.inode), 0, flagsOf(prot) | shared);
  return vma < 0 ? vma : address;
}

function mprotect(k: Kernel, task: number, from: number, to: number, prot: number): number {
  for (const vma of vmasOf(k, mmOf(k, task))) {
    if (vmaStart(k, vma) < from || vmaEnd(k, vma) > to) continue;
    k.heap.store(vma + VMA.flags, (k.heap.load(vma + VMA.flags) & ~(VM_READ | VM_WRITE)) | flagsOf(prot));
  }
  return 0;
}

/** MREMAP_MAYMOVE | MREMAP_FIXED of anonymous memory: the pages appear at the new place, what was there is gone. */
function* mremap(k: Kernel, task: number, from: number, pages: number, to: number): Path<number> {
  const old = vmaLookup(k, mmOf(k, task), from);
  if (old === 0) return -EFAULT;
  const flags = k.heap.load(old + VMA.flags);
  yield* k.call(munmap, task, to, to + pages);
  const vma = doMmap(k, task, { inode: 0, pgoff: 0, pages, flags: flags | VM_READ | VM_WRITE, vpn: to });
  if (vma < 0) return vma;
  k.heap.store(old + VMA.flags, flags | VM_READ | VM_WRITE);
  yield* copyPages(k, task, { base: from * PAGE, length: pages * PAGE }, { base: to * PAGE, length: pages * PAGE });
  k.heap.store(vma + VMA.flags, flags);
  yield* k.call(munmap, task, from, from + pages);
  return to * PAGE;
}

interface Vector {
  readonly base: number;
  readonly length: number;
}

function vector(arg: CallArgument | undefined): Vector {
  if (typeof arg !== 'object') return { base: 0, length: 0 };
  const view = new DataView(arg.bytes.buffer, arg.bytes.byteOffset);
  return { base: Number(view.getBigUint64(0, true)), length: Number(view.getBigUint64(8, true)) };
}

/** Copies page by page; ends short at the first page that cannot be read. Bytes copied, or -EFAULT when it is the first. */
function* copyPages(k: Kernel, task: number, from: Vector, to: Vector): Path<number> {
  for (let done = 0; done < from.length; done += PAGE) {
    const value = yield* userReadAsKernel(k, task, (from.base + done) / PAGE);
    if (value === null) return done === 0 ? -EFAULT : done;
    yield* k.call(userWrite, task, (to.base + done) / PAGE, value);
  }
  return from.length;
}

/** A read through the kernel: a page that would raise SIGBUS gives an error and no signal. */
function* userReadAsKernel(k: Kernel, task: number, vpn: number): Path<number | null> {
  const [pending, taken] = [k.heap.load(task + TASK.pending), k.heap.load(task + TASK.sigbusTaken)];
  const value = yield* userRead(k, task, vpn);
  k.heap.store(task + TASK.pending, pending);
  k.heap.store(task + TASK.sigbusTaken, taken);
  return value <= -1000 ? null : value;
}
