/** A stopped process in the child's hands: who carries chains, and the chains themselves. */
import type { Carriers } from '../../trace.ts';
import type { InjectValue, StopValue, WireCall } from './protocol.ts';
import { CALL_NUMBERS } from './arch/x86-64/calls.ts';
import { buildChain } from './arch/x86-64/frames.ts';
import type { FrameCall } from './arch/x86-64/frames.ts';
import { GadgetFinder } from './arch/x86-64/gadgets.ts';
import { blockAllSignals, commit, readFrameState, readMask, readThread, roomFor, settleRseq, threadObstacle } from './arch/x86-64/thread.ts';
import type { ThreadState } from './arch/x86-64/thread.ts';
import { Memory, readMaps } from './proc.ts';
import type { MapLine } from './proc.ts';
import { LAST_WAIT, runChain, runWhole } from './run-chain.ts';
import { detachStanding, releaseThread, stopAll } from './stop.ts';

/** Stack room asked for at the stop, before it is known which calls will come. */
const USUAL_ROOM = roomFor(24, 256);
const RANK = { exact: 0, longer: 1, interrupted: 2 } as const;

export class StoppedProcess {
  readonly pid: number;
  readonly threads: readonly number[];
  private readonly memory: Memory;
  /** Nobody but a chain changes them while every thread stands still. */
  private maps: readonly MapLine[] | null = null;
  private readonly finder: GadgetFinder;
  /** Threads that have run since the stop, to carry a chain. */
  private readonly carried = new Set<number>();
  /** A thread that is there: memory and maps are read by it, because the first thread may have ended. */
  private readonly reader: number;

  constructor(pid: number, deadlineMs: number, finder: GadgetFinder) {
    this.pid = pid;
    this.finder = finder;
    this.threads = stopAll(pid, deadlineMs);
    this.reader = this.threads[0] ?? pid;
    try {
      this.memory = new Memory(this.reader);
    } catch (error) {
      for (const tid of this.threads) releaseThread(tid, performance.now() + 100);
      throw error;
    }
  }

  describe(): StopValue {
    const maps = (this.maps = readMaps(this.reader));
    if (this.finder.find(maps, (a, b) => this.memory.read(a, b), []) === null) {
      return { threads: this.threads, obstacle: 'no code to build a chain with (syscall; ret and the signal restorer) is mapped' };
    }
    const choice = this.chooseCarrier(maps, USUAL_ROOM);
    return typeof choice === 'string'
      ? { threads: this.threads, obstacle: choice }
      : { threads: this.threads, carrier: choice.tid, effect: choice.effect };
  }

  /** The thread on which a chain does least harm: one that computes, or whose interrupted call goes on exactly. */
  private chooseCarrier(maps: readonly MapLine[], room: number, { only, not }: Carriers = {}): ThreadState | string {
    let obstacle = only === undefined ? 'no thread is left' : `thread ${only.join(', ')} has ended`;
    let best: ThreadState | null = null;
    for (const tid of this.threads) {
      if (not?.includes(tid) === true || only?.includes(tid) === false) continue;
      const state = readThread(tid);
      const no = threadObstacle(this.pid, state, maps, this.memory, room);
      if (no !== null) obstacle = no;
      else if (best === null || RANK[state.effect] < RANK[best.effect]) best = state;
      if (best?.effect === 'exact') break;
    }
    return best ?? obstacle;
  }

  inject(calls: readonly WireCall[], deadlineMs: number, carriers?: Carriers): InjectValue {
    const began = performance.now();
    const failed = (detail: string, errno = 'EINVAL'): InjectValue => ({ ok: false, definite: true, milliseconds: performance.now() - began, results: [], errno, detail });
    const dataBytes = calls.flatMap((c) => c.args).reduce<number>((sum, a) => sum + (typeof a === 'object' ? a.base64.length + 16 : 0), 0);
    const maps = this.maps ?? readMaps(this.reader);
    this.maps = null;
    const carrier = this.chooseCarrier(maps, roomFor(calls.length + 1, dataBytes + 64), carriers);
    // A shorter chain may still fit.
    if (typeof carrier === 'string') return failed(carrier, 'ENOSPC');
    const gadgets = this.finder.find(maps, (a, b) => this.memory.read(a, b), touchedRanges(calls));
    const state = readFrameState(carrier.tid);
    if (gadgets === null || state === null) return failed('no code to build a chain with, or no extended state');
    settleRseq(carrier, this.memory);
    const data = placeData(gadgets.store === null ? calls : [...calls, LAST_WAIT], carrier.saved.address('rsp') - 128);
    const unknown = calls.find((c) => CALL_NUMBERS[c.name] === undefined);
    if (unknown !== undefined) return failed(`no number is known for the call ${unknown.name}`);
    const chain = buildChain({ saved: carrier.saved, mask: readMask(carrier.tid), state, calls: data.calls, gadgets, top: data.top });
    const bytes = Buffer.concat([chain.bytes, data.bytes]);
    if (!this.memory.write(chain.address, bytes)) return failed(`the stack of thread ${carrier.tid} could not be written`);
    this.carried.add(carrier.tid);
    commit(carrier.tid, chain.entry);
    blockAllSignals(carrier.tid);
    const run = chain.results === null
      ? runChain(carrier.tid, calls.length, began + deadlineMs)
      : runWhole(carrier.tid, this.memory, { results: chain.results, calls: calls.length, lastStack: chain.lastStack }, began + deadlineMs);
    return { ...run, ...unexpected(calls, run), milliseconds: performance.now() - began };
  }

  peek(address: number, length: number): Buffer | null {
    const into = Buffer.alloc(length);
    const got = this.memory.read(address, into);
    return got < 0 ? null : into.subarray(0, got);
  }

  /** Returns the threads that could not be let go yet. */
  release(): number[] {
    this.memory.close();
    return this.threads.filter((tid) => !(!this.carried.has(tid) && detachStanding(tid)) && !releaseThread(tid, performance.now() + 200));
  }
}

function unexpected(calls: readonly WireCall[], run: { ok: boolean; results: readonly number[] }): { ok: boolean; detail?: string } {
  if (!run.ok) return { ok: false };
  for (const [i, call] of calls.entries()) {
    const result = run.results[i];
    if (call.expect !== undefined && result !== call.expect) return { ok: false, detail: `call ${i + 1} (${call.name}) returned ${result}, not ${call.expect}` };
  }
  return { ok: true };
}

/** Address ranges that mmap, munmap and mremap of the chain replace: code there must not carry it, if there is a choice. */
function touchedRanges(calls: readonly WireCall[]): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  for (const call of calls) {
    const [a, b, , , e] = call.args;
    if ((call.name === 'mmap' || call.name === 'munmap') && typeof a === 'number' && typeof b === 'number' && a !== 0) ranges.push({ start: a, end: a + b });
    if (call.name === 'mremap' && typeof e === 'number' && typeof b === 'number') ranges.push({ start: e, end: e + b });
  }
  return ranges;
}

/** Puts call data (names, vectors) right below the red zone, and their addresses into the arguments. */
function placeData(calls: readonly WireCall[], below: number): { calls: FrameCall[]; bytes: Buffer; top: number } {
  const blobs: { at: number; bytes: Buffer }[] = [];
  let at = below - (below % 64);
  const end = at;
  const placed = calls.map((call) => ({
    number: CALL_NUMBERS[call.name] ?? -1,
    args: call.args.map((arg) => {
      if (arg === 'minus-one') return -1n;
      if (typeof arg === 'number') return BigInt(arg);
      const bytes = Buffer.from(arg.base64, 'base64');
      at -= Math.ceil(bytes.length / 16) * 16;
      blobs.push({ at, bytes });
      return BigInt(at);
    }),
  }));
  const top = at - (at % 64);
  const bytes = Buffer.alloc(end - top);
  for (const blob of blobs) blob.bytes.copy(bytes, blob.at - top);
  return { calls: placed, bytes, top };
}
