/** bench/gup-removal.yaml for other numbers of processes and pages, and what bench/gup-removal.pml keeps of its states. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { BreadthFirst } from '../../src/explore/breadth-first.ts';
import { buildLitmus, lineMark } from '../../src/explore/litmus/build.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import type { Litmus } from '../../src/explore/litmus/schema.ts';
import type { Program } from '../../src/explore/program.ts';
import { Stepper } from '../../src/explore/stepper.ts';
import { mixHigh, mixLow } from '../../src/explore/state-row.ts';
import type { Verdict } from '../../src/explore/verdict.ts';
import type { Profile } from '../../src/profile/profile.ts';
import { profileByName } from '../../src/profile/select.ts';

export interface Size { readonly processes: number; readonly pages: number; readonly right: boolean }

/** The kernel whose order the Promela model has: page references hold the pagemap, GUP-fast takes a reference on it. */
export const PROFILE = profileByName('5.10') as Profile;
const FILE = resolve(import.meta.dirname, '../gup-removal.yaml');

/** The file, for so many users and pages: its one user is copied, its lines for page 0 repeated. */
export function gupLitmus(size: Size): Litmus {
  const base = readLitmus(readFileSync(FILE, 'utf8'), FILE);
  const users = Array.from({ length: size.processes }, (_, i) => `u${i}`);
  const lines = (user: string): string[] => Array.from({ length: size.pages }, (_, page) => (base.threads['u0'] as readonly string[]).map((line) => line.replaceAll('u0', user).replace('page=0', `page=${page}`))).flat();
  return {
    ...base,
    machine: { ...base.machine, mechanisms: { ...base.machine.mechanisms, ...(size.right ? {} : { 'dax.unbind-order': 'unmap-then-dead' }) } },
    processes: Object.fromEntries(users.map((user) => [user, { ...(base.processes['u0'] as Litmus['processes'][string]), pages: size.pages }])),
    threads: { ...Object.fromEntries(users.map((user) => [user, lines(user)])), remover: base.threads['remover'] as string[] },
  };
}

export const gupProgram = (size: Size): Program<Kernel> => buildLitmus(gupLitmus(size), PROFILE);

/** Every state of the general kernel, and how many of them differ in what the Promela model keeps, users told apart or exchanged. */
export function projected(size: Size, exchange = false): { readonly verdict: Verdict; readonly states: number } {
  const program = buildLitmus(gupLitmus(size), PROFILE, 'marked');
  const stepper = new Stepper(program);
  const seen = new Set<number>();
  const project = projection(program, stepper, size, exchange);
  const counting: Program<Kernel> = { ...program, properties: [{ name: 'count', kind: 'never', holds: () => {
    const [low, high] = project();
    // 53 bits: two of a million states share them once in 18,000 runs.
    seen.add((low >>> 0) + (high & 0x1fffff) * 0x100000000);
    return false;
  } }] };
  const verdict = new BreadthFirst(counting, { now: () => 0, all: true, stepper: stepper as unknown as Stepper<never> }).run();
  return { verdict, states: seen.size };
}

/** The program with what the Promela model keeps as all that counts of a state; with `exchange`, users that stand alike are taken for each other. */
export function viewed(size: Size, exchange: boolean): Program<Kernel> {
  const program = buildLitmus(gupLitmus(size), PROFILE, 'marked');
  let view: (() => readonly [number, number]) | null = null;
  return { ...program, view: (stepper) => (view ??= projection(program, stepper, size, exchange))() };
}

/**
 * Hash of the place of each thread and of the variables of bench/gup-removal.pml in the state that the stepper stands in:
 * of the users one after the other, or added up, which does not know who is who.
 */
function projection(program: Program<Kernel>, stepper: Stepper<Kernel>, { processes, pages }: Size, exchange: boolean): () => readonly [number, number] {
  const { state, nodes } = stepper;
  const word = wordsOf(program);
  const users = Array.from({ length: processes }, (_, i) => `u${i}`).map((user, thread) => ({
    thread, mark: word(lineMark(user)), visited: word(`${user}.vma.visited`), entries: Array.from({ length: pages }, (_, page) => word(`${user} pte[${page}]`)),
  }));
  const remover = processes;
  const references = Array.from({ length: pages }, (_, page) => word(`dax0 page[${page}].refcount`));
  const [flags, srcu, irqsOff, dying, held] = ['dax0.dax.flags', 'dax0.dax.srcu', 'CPUs with interrupts off', 'dax0.pgmap.dying', 'dax0.pgmap.users'].map(word) as [number, number, number, number, number];
  const start = nodes.label('start');
  const place = (thread: number): number => {
    const node = state.row[thread] as number;
    return node === stepper.roots[thread] ? start : stepper.isOver(thread) ? OVER : (nodes.a[node] as number);
  };
  const lineGroup = Array.from({ length: 3 * pages + 1 }, (_, line) => Math.floor(line / 3));
  return () => {
    const gone = stepper.isOver(remover);
    let [low, high] = [0, 0];
    // One number for each user: fewer numbers to mix, and this is done for every step.
    for (const { thread, mark, visited, entries } of users) {
      let user = (place(thread) * MANY + lineGroup[state.read(mark)]!) * 2 + state.read(visited);
      for (const entry of entries) user = user * 2 + (state.read(entry) & PRESENT);
      const seed = exchange ? 1 : thread + 2;
      const [ownLow, ownHigh] = [mixLow(seed, user), mixHigh(seed, user)];
      low = (low + mixLow(ownLow, ownHigh)) | 0;
      high = (high + mixHigh(ownHigh, ownLow)) | 0;
    }
    // What is freed holds nothing: its words are anything's then.
    let shared = ((state.read(flags) & ALIVE) * MANY + state.read(srcu)) * MANY + state.read(irqsOff);
    shared = (shared * 2 + (gone ? 1 : state.read(dying))) * MANY + (gone ? 0 : state.read(held));
    for (const count of references) shared = shared * MANY + (gone ? 0 : state.read(count) - 1);
    const there = place(remover);
    return [mixLow(low, shared) ^ mixLow(there + 3, high), mixHigh(high, shared) ^ mixHigh(there + 3, low)];
  };
}
/** More than any count here comes to: there are at most as many of each as there are users, and of pages. */
const MANY = 8;
/** No label has this number. */
const OVER = 0xffff;
const ALIVE = 1;
const PRESENT = 1;

/** Address of a word of the machine by the name that counterexamples give it. */
function wordsOf(program: Program<Kernel>): (name: string) => number {
  const addresses = new Map<string, number>();
  for (let address = 1; address < program.context.heap.used; address += 1) {
    const name = program.nameOf?.(address);
    if (typeof name === 'string') addresses.set(name, address);
  }
  return (name) => {
    const address = addresses.get(name);
    if (address === undefined) throw new Error(`the litmus machine has no word ${name}`);
    return address;
  };
}
