/** Set-up of processes: what they map, open and pin. Pages; virtual page numbers. */
import { UnseatError } from '../../errors/unseat-error.ts';
import { fdInstall } from '../fs/file.ts';
import { INODE, SB, ihold } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import { doMmap, populateVma } from '../mm/mmap.ts';
import { mmAlloc, vmaPages, vmaStart, VM_NOHUGEPAGE, VM_READ, VM_SHARED, VM_SYNC, VM_WRITE, VM_LOCKED } from '../mm/mm_struct.ts';
import { userRead, userWrite } from '../mm/access.ts';
import { newTask, setMceKill, TASK, TF_HANDLES_SIGBUS } from '../task.ts';
import { must, run } from './run.ts';

export interface ProcessInput {
  readonly comm?: string;
  readonly domain?: number;
  /** False: SIGBUS ends it. */
  readonly handlesSigbus?: boolean;
  readonly mceKill?: 'early' | 'late';
}

export function addProcess(k: Kernel, input: ProcessInput = {}): number {
  const task = newTask(k, input.comm ?? 'h', input.handlesSigbus === false ? 0 : TF_HANDLES_SIGBUS);
  k.heap.store(task + TASK.mm, mmAlloc(k));
  k.heap.store(task + TASK.domain, input.domain ?? 1);
  if (input.mceKill !== undefined) setMceKill(k, task, input.mceKill);
  return task;
}

export interface MapInput {
  readonly private?: boolean;
  readonly readOnly?: boolean;
  readonly sync?: boolean;
  readonly noHuge?: boolean;
  readonly locked?: boolean;
  readonly offset?: number;
  readonly pages?: number;
  /** Pages off the 2 MiB alignment, so that only PTEs fit. */
  readonly offBy?: number;
  /** Where it must lie; anywhere unless told. */
  readonly vpn?: number;
}

/** mmap of a file or a device-dax node. Returns the VMA; nothing is faulted in yet. */
export function mapFile(k: Kernel, task: number, inode: number, input: MapInput = {}): number {
  const flags = VM_READ | (input.readOnly === true ? 0 : VM_WRITE) | (input.private === true ? 0 : VM_SHARED)
    | (input.sync === true ? VM_SYNC : 0) | (input.noHuge === true ? VM_NOHUGEPAGE : 0) | (input.locked === true ? VM_LOCKED : 0);
  const pgoff = input.offset ?? 0;
  const vma = doMmap(k, task, { inode, pgoff, pages: input.pages ?? k.heap.load(inode + INODE.pages) - pgoff, flags, offBy: input.offBy ?? 0, ...(input.vpn === undefined ? {} : { vpn: input.vpn }) });
  if (vma < 0) throw new UnseatError('INTERNAL', `simulated mmap failed with ${vma}`);
  return vma;
}

/** Anonymous memory of a process. */
export function mapAnonymous(k: Kernel, task: number, pages: number): number {
  return doMmap(k, task, { inode: 0, pgoff: 0, pages, flags: VM_READ | VM_WRITE });
}

/** Touches every page of a VMA, by reading or by writing a marker (page index + 1). */
export function touchAll(k: Kernel, task: number, vma: number, how: 'read' | 'write'): void {
  const start = vmaStart(k, vma);
  for (let i = 0; i < vmaPages(k, vma); i += 1) must(k, how === 'read' ? userRead(k, task, start + i) : userWrite(k, task, start + i, i + 1), 'first touch');
}

/** Faults a VMA in without touching data: for large machines. */
export const faultIn = (k: Kernel, vma: number, write: boolean): number => run(k, populateVma(k, vma, write ? 1 : 0)).rc;

/** open(): a descriptor of an inode. */
export const openFile = (k: Kernel, task: number, inode: number): number => fdInstall(k, task, inode);

/** chdir() into a directory of a file system. */
export function chdir(k: Kernel, task: number, inode: number): void {
  ihold(k, inode);
  k.heap.store(task + TASK.cwd, inode);
}

/** One more mount of the same file system (another mount namespace). */
export const addMount = (k: Kernel, sb: number): number => k.heap.add(sb + SB.mounts, 1);
