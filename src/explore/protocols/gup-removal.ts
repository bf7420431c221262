/**
 * One protocol for comparison with other model checkers: users fault pages in, read them, take them with GUP-fast and put
 * them back; a remover takes the device away. Nothing but the variables that the protocol is about: it has the order of
 * drivers/dax/bus.c, fs/dax.c, mm/gup.c and mm/memremap.c (5.10), one step where the kernel paths have one.
 *
 * Right order: dead, wait for faults under way, unmap, wait for CPUs with interrupts off, wait for references, free.
 * Wrong order: unmap first. bench/gup-removal.pml is the same in Promela.
 */
import { Heap } from '../../kernel/state/heap.ts';
import { AT, BLOCKED, call, choose, repeat, type Path } from '../../kernel/state/path.ts';
import type { Program } from '../program.ts';

export interface Protocol {
  readonly heap: Heap;
  readonly processes: number;
  readonly pages: number;
  /** Words. */
  readonly alive: number;
  readonly memmap: number;
  readonly irqsOff: number;
  readonly srcu: number;
  readonly bad: number;
  /** pages words for each process, then its mark of having been walked. */
  readonly ptes: number;
  readonly refs: number;
}

const perProcess = (c: { readonly pages: number }): number => c.pages + 1;
const pteOf = (c: Protocol, me: number, page: number): number => c.ptes + me * perProcess(c) + page;
const walkedOf = (c: Protocol, me: number): number => c.ptes + me * perProcess(c) + c.pages;

/** What a user does next: 3 * page + FAULT, GUP or READ. */
const FAULT = 0;
const GUP = 1;
const READ = 2;

/** Picks a page and an access, and reads the entry; a plain read is over with that. */
function* look(c: Protocol, me = 0): Path {
  const page = choose(c, c.pages, 'page');
  if (c.heap.load(pteOf(c, me, page)) === 0) return page * 3 + FAULT;
  if (choose(c, 2, 'access') === 0) {
    if (c.heap.load(c.memmap) === 0) c.heap.store(c.bad, 1);
    return page * 3 + READ;
  }
  c.heap.add(c.irqsOff, 1);
  return page * 3 + GUP;
}
/** dax_read_lock and dax_alive: 1 when the fault goes on. */
function* faultEnter(c: Protocol): Path {
  if (c.heap.load(c.alive) === 0) return 0;
  c.heap.add(c.srcu, 1);
  return 1;
}
function* faultInsert(c: Protocol, me = 0, page = 0): Path {
  c.heap.store(pteOf(c, me, page), 1);
  c.heap.add(c.srcu, -1);
  return 0;
}
function* gupTake(c: Protocol, page = 0): Path {
  if (c.heap.load(c.memmap) === 0) c.heap.store(c.bad, 1);
  c.heap.add(c.refs + page, 1);
  return 0;
}
/** Reads the entry again; interrupts on. 1 when the reference stays. */
function* gupRecheck(c: Protocol, me = 0, page = 0): Path {
  const same = c.heap.load(pteOf(c, me, page));
  if (same === 0) c.heap.add(c.refs + page, -1);
  c.heap.add(c.irqsOff, -1);
  return same;
}
function* put(c: Protocol, page = 0): Path {
  if (c.heap.load(c.memmap) === 0) c.heap.store(c.bad, 1);
  c.heap.add(c.refs + page, -1);
  return 0;
}

function userRound(me: number): (c: Protocol) => Path {
  return function* round(c: Protocol): Path {
    yield AT('user: read the pte');
    const next = yield* call(c, look, me);
    const page = Math.floor(next / 3);
    if (next % 3 === FAULT) {
      yield AT('fault: dax_alive');
      if ((yield* call(c, faultEnter)) === 0) return 0;
      yield AT('fault: insert the pte');
      yield* call(c, faultInsert, me, page);
    } else if (next % 3 === GUP) {
      yield AT('gup_fast: take the reference');
      yield* call(c, gupTake, page);
      yield AT('gup_fast: read the pte again');
      if ((yield* call(c, gupRecheck, me, page)) === 0) return 0;
      yield AT('put_page');
      yield* call(c, put, page);
    }
    return 0;
  };
}

/** Clears all entries of one process that has not been walked yet; any of them may be next, so that processes are interchangeable. */
function* unmapOne(c: Protocol): Path {
  const left: number[] = [];
  for (let p = 0; p < c.processes; p += 1) if (c.heap.load(walkedOf(c, p)) === 0) left.push(p);
  const chosen = left[choose(c, left.length, 'process')] as number;
  for (let page = 0; page < c.pages; page += 1) c.heap.store(pteOf(c, chosen, page), 0);
  c.heap.store(walkedOf(c, chosen), 1);
  return 0;
}
function* die(c: Protocol): Path<void> {
  yield AT('kill_dax: not alive');
  c.heap.store(c.alive, 0);
  yield AT('kill_dax: synchronize_srcu');
  while (c.heap.load(c.srcu) !== 0) yield BLOCKED('D synchronize_srcu');
}
function* unmapAll(c: Protocol): Path<void> {
  for (let i = 0; i < c.processes; i += 1) {
    yield AT('unmap one process');
    yield* call(c, unmapOne);
  }
  yield AT('flush: interrupts on everywhere');
  while (c.heap.load(c.irqsOff) !== 0) yield BLOCKED('D flush_tlb');
}
function* remover(c: Protocol, rightOrder = 1): Path {
  if (rightOrder === 1) yield* die(c);
  yield* unmapAll(c);
  if (rightOrder === 0) yield* die(c);
  for (let page = 0; page < c.pages; page += 1) {
    yield AT('wait for references');
    while (c.heap.load(c.refs + page) !== 0) yield BLOCKED('D wait for references');
  }
  yield AT('free the memmap');
  c.heap.store(c.memmap, 0);
  return 0;
}

/** The program for `processes` users, `pages` pages and one remover; users never end. */
export function gupRemoval(processes: number, pages: number, rightOrder: boolean): Program<Protocol> {
  const heap = new Heap(1 << 10);
  const [alive, memmap, irqsOff, srcu, bad] = Array.from({ length: 5 }, () => heap.reserve(1)) as [number, number, number, number, number];
  const c: Protocol = { heap, processes, pages, alive, memmap, irqsOff, srcu, bad, ptes: heap.reserve(processes * (pages + 1)), refs: heap.reserve(pages) };
  heap.store(alive, 1);
  heap.store(memmap, 1);
  const users = Array.from({ length: processes }, (_, me) => {
    const round = userRound(me);
    function* user(k: Protocol): Path {
      return yield* repeat(k, round, 0);
    }
    return { name: `user ${me}`, path: user, args: [], daemon: true };
  });
  return {
    name: `gup-removal ${processes}x${pages}`,
    context: c,
    threads: [...users, { name: 'remover', path: remover, args: [rightOrder ? 1 : 0] }],
    properties: [{ name: 'use of a page that is gone', kind: 'never', holds: (k) => k.heap.load(k.bad) !== 0 }],
    symmetry: [{ threads: users.map((_, i) => i), words: users.map((_, p) => Array.from({ length: perProcess(c) }, (_v, i) => c.ptes + p * perProcess(c) + i)) }],
  };
}
