/**
 * Which system calls make a stopped process let go of a device, in which order. Pure: the same on every host.
 *
 * Two chains, because a chain cannot look at its own results. The first one makes private copies and changes nothing
 * that the process can see; only when its results are checked does the second one replace what is held.
 */
import type { Carriers, InjectedCall } from '../../../host/trace.ts';
import * as call from './calls.ts';
import { freeAddress } from './free-address.ts';
import { nothingApart, type Held, type HeldApart, type HeldMapping } from './held.ts';

export interface Chain {
  readonly calls: readonly InjectedCall[];
  /** Absent: any thread, because all share descriptors and directories. */
  readonly carriers?: Carriers;
}

export interface Detach {
  /** Makes the copies. Empty where nothing is mapped privately. */
  readonly copy: readonly InjectedCall[];
  /** Replaces what is held; several chains where one would need too much stack. Each is complete in itself. */
  readonly replace: readonly Chain[];
  /** Takes the copies away again, for when the first chain failed or the removal is called off in between. */
  readonly abandon: readonly InjectedCall[];
  /** RAM that the copies need, in bytes. */
  readonly copyBytes: number;
}

/** A chain of so many calls takes about 60 KiB of stack; where there is less the caller asks for shorter ones. */
export const CALLS_PER_CHAIN = 144;
/** process_vm_readv moves at most MAX_RW_COUNT bytes, a page less than 2 GiB. */
const COPY_UNIT = 1024 * 1024 * 1024;

/** A string says why it cannot be done. */
export function decideDetach(held: Held, perChain: number = CALLS_PER_CHAIN): Detach | string {
  const chunks = <T>(items: readonly T[]): T[][] => inChunks(items, perChain);
  const obstacle = obstacleIn(held);
  if (obstacle !== null) return obstacle;
  const privates = held.mappings.filter((m) => m.perms[3] === 'p').map((m) => splitAtEnd(m, held.pageSize));
  const placed = placeCopies(held, privates.flatMap((p) => (p.inside === null ? [] : [p.inside])));
  if (typeof placed === 'string') return placed;
  const [first, second] = freeDescriptors(held.usedDescriptors);
  const full = [held, ...held.apart].find((table) => freeDescriptors(table.usedDescriptors)[1] >= held.descriptorLimit);
  if (full !== undefined) return `no descriptor number is free below the limit of ${held.descriptorLimit}`;
  const notApart = held.apart.length === 0 ? {} : { carriers: { not: held.apart.flatMap((apart) => apart.threads) } };
  const dead = [...held.mappings.filter((m) => m.perms[3] === 's'), ...privates.flatMap((p) => (p.outside === null ? [] : [p.outside]))];
  return {
    copy: placed.flatMap((p) => copyCalls(held, p)),
    abandon: placed.flatMap((p) => [call.munmap(p.at, p.end - p.start), ...(readable(p) ? [] : [call.mprotect(p.start, p.end - p.start, p.perms)])]),
    copyBytes: placed.reduce((sum, p) => sum + p.end - p.start, 0),
    replace: [
      // First: where such a thread cannot carry calls, nothing of the process has been touched.
      ...held.apart.filter((apart) => !nothingApart(apart)).flatMap((apart) => ofThreads(apart, perChain)),
      ...merged([
        ...chunks(replacements(dead)).map((part) => [call.memfd(first), ...part.map((make) => make(first)), call.close(first)]),
        ...chunks(placed).map((part) => part.flatMap((p) => putCopy(p))),
        ...deadDescriptors(held, perChain),
        ...(held.cwd ? [[call.chdirRoot()]] : []),
        // Only when its text is not mapped from there any more (kernel/fork.c, replace_mm_exe_file()).
        ...(held.exe ? [call.otherExe(first, second)] : []),
      ], perChain).map((calls): Chain => ({ calls, ...notApart })),
    ],
  };
}

/** Threads with descriptors or directories of their own let go of them themselves. */
function ofThreads(apart: HeldApart, perChain: number): Chain[] {
  const chains = [...deadDescriptors(apart, perChain), ...(apart.cwd ? [[call.chdirRoot()]] : [])];
  return merged(chains, perChain).map((calls) => ({ calls, carriers: { only: apart.threads } }));
}

function deadDescriptors({ descriptors, usedDescriptors }: Pick<Held, 'descriptors' | 'usedDescriptors'>, perChain: number): InjectedCall[][] {
  const [first] = freeDescriptors(usedDescriptors);
  return inChunks(descriptors, perChain).map((part) => [call.deadSocket(first), ...part.map((d) => call.dupOver(first, d.fd, d.closeOnExec)), call.close(first)]);
}

interface Placed extends HeldMapping {
  /** Address of the copy until it is moved into place. */
  readonly at: number;
}

function obstacleIn(held: Held): string | null {
  if (held.root || held.apart.some((apart) => apart.root)) return 'its root directory (chroot) is on the device, and another one would let it out of the part of the file system that it was locked into';
  if (held.exe && !held.mayChangeExe) return 'its program file is on the device, and it lacks CAP_SYS_RESOURCE, which putting another in its place takes';
  return null;
}

/** Pages behind the end of the file have no content to be copied. */
function splitAtEnd(m: HeldMapping, pageSize: number): { inside: HeldMapping | null; outside: HeldMapping | null } {
  const size = m.fileSize;
  const end = size === null ? m.end : Math.min(m.end, Math.max(m.start, m.start + Math.ceil((size - m.offset) / pageSize) * pageSize));
  return {
    inside: end > m.start ? { ...m, end } : null,
    outside: end < m.end ? { ...m, start: end } : null,
  };
}

function placeCopies(held: Held, mappings: readonly HeldMapping[]): Placed[] | string {
  const taken = held.layout.map((r) => ({ ...r }));
  const placed: Placed[] = [];
  for (const m of mappings) {
    const at = freeAddress(taken, m.end - m.start, m.start);
    if (at === null) return `no free addresses for a copy of ${m.end - m.start} bytes`;
    taken.push({ start: at, end: at + m.end - m.start });
    placed.push({ ...m, at });
  }
  return placed;
}

const readable = (m: { perms: string }): boolean => m.perms[0] === 'r';

function copyCalls(held: Held, p: Placed): InjectedCall[] {
  const length = p.end - p.start;
  const calls = [call.newMemory(p.at, length)];
  if (!readable(p)) calls.push(call.mprotect(p.start, length, 'r--p'));
  for (let done = 0; done < length; done += COPY_UNIT) {
    calls.push(call.copyOwnMemory(held.ownPid, p.start + done, p.at + done, Math.min(COPY_UNIT, length - done)));
  }
  return calls;
}

function putCopy(p: Placed): InjectedCall[] {
  const length = p.end - p.start;
  return [...(p.perms.startsWith('rw-') ? [] : [call.mprotect(p.at, length, p.perms)]), call.moveOver(p.at, length, p.start)];
}

interface Piece {
  readonly start: number;
  end: number;
  readonly perms: string;
}

/**
 * One call for each run without a gap, then one for each part of it with another protection: unmapping a run at once costs
 * the kernel much less than part by part. What may be executed is replaced by itself: a memfd that must not be executed
 * takes the protection at mmap() alone.
 */
function replacements(dead: readonly HeldMapping[]): ((fd: number) => InjectedCall)[] {
  return runs(joined(dead)).flatMap((run) => {
    const perms = commonest(run);
    const start = run[0]?.start ?? 0;
    const end = run.at(-1)?.end ?? start;
    const others = run.filter((m) => m.perms.slice(0, 3) !== perms.slice(0, 3));
    return [(fd: number) => call.replaceByMemfd(start, end - start, perms, fd), ...others.map((m) => () => call.mprotect(m.start, m.end - m.start, m.perms))];
  });
}

/** Neighbours with the same protection are one piece. */
function joined(mappings: readonly HeldMapping[]): Piece[] {
  const sorted = [...mappings].sort((a, b) => a.start - b.start);
  const result: Piece[] = [];
  for (const { start, end, perms } of sorted) {
    const last = result.at(-1);
    if (last !== undefined && last.end === start && last.perms === perms) last.end = end;
    else result.push({ start, end, perms });
  }
  return result;
}

function runs(pieces: readonly Piece[]): Piece[][] {
  const result: Piece[][] = [];
  for (const piece of pieces) {
    const last = result.at(-1)?.at(-1);
    const fits = last !== undefined && last.end === piece.start && last.perms[2] !== 'x' && piece.perms[2] !== 'x';
    if (fits) result.at(-1)?.push(piece);
    else result.push([piece]);
  }
  return result;
}

function commonest(run: readonly Piece[]): string {
  const counts = new Map<string, number>();
  for (const { perms } of run) counts.set(perms, (counts.get(perms) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'rw-s';
}

function freeDescriptors(used: readonly number[]): [number, number] {
  const set = new Set(used);
  const free: number[] = [];
  for (let fd = 0; free.length < 2; fd += 1) if (!set.has(fd)) free.push(fd);
  return free as [number, number];
}

export function inChunks<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let i = 0; i < items.length; i += size) result.push(items.slice(i, i + size));
  return result;
}

/** Short chains become one: one commit for an ordinary process. */
function merged(chains: readonly (readonly InjectedCall[])[], perChain: number): InjectedCall[][] {
  const result: InjectedCall[][] = [];
  for (const next of chains) {
    const last = result.at(-1);
    if (last !== undefined && last.length + next.length <= perChain) last.push(...next);
    else result.push([...next]);
  }
  return result;
}
