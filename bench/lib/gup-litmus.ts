/** bench/gup-removal.yaml for other numbers of processes and pages, and what bench/gup-removal.pml keeps of its states. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { BreadthFirst } from '../../src/explore/breadth-first.ts';
import { buildLitmus, lineMark } from '../../src/explore/litmus/build.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import type { Litmus } from '../../src/explore/litmus/schema.ts';
import { Kind } from '../../src/explore/nodes.ts';
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
    machine: { ...base.machine, mechanisms: size.right ? {} : { 'dax.unbind-order': 'unmap-then-dead' } },
    processes: Object.fromEntries(users.map((user) => [user, { ...(base.processes['u0'] as Litmus['processes'][string]), pages: size.pages }])),
    threads: { ...Object.fromEntries(users.map((user) => [user, lines(user)])), remover: base.threads['remover'] as string[] },
  };
}

export const gupProgram = (size: Size): Program<Kernel> => buildLitmus(gupLitmus(size), PROFILE);

/** Every state of the general kernel, and how many of them differ in what the Promela model keeps. */
export function projected(size: Size): { readonly verdict: Verdict; readonly states: number } {
  const program = buildLitmus(gupLitmus(size), PROFILE, 'marked');
  const stepper = new Stepper(program);
  const seen = new Set<number>();
  const project = projection(program, stepper, size);
  const counting: Program<Kernel> = { ...program, properties: [{ name: 'count', kind: 'never', holds: () => {
    seen.add(project());
    return false;
  } }] };
  const verdict = new BreadthFirst(counting, { now: () => 0, all: true, stepper: stepper as unknown as Stepper<never> }).run();
  return { verdict, states: seen.size };
}

/** Hash of the place of each thread and of the variables of bench/gup-removal.pml in the state that the stepper stands in. */
function projection(program: Program<Kernel>, stepper: Stepper<Kernel>, { processes, pages }: Size): () => number {
  const { state, nodes } = stepper;
  const addresses = new Map<string, number>();
  for (let address = 1; address < program.context.heap.used; address += 1) {
    const name = program.nameOf?.(address);
    if (typeof name === 'string') addresses.set(name, address);
  }
  const word = (name: string): number => {
    const address = addresses.get(name);
    if (address === undefined) throw new Error(`the litmus machine has no word ${name}`);
    return address;
  };
  const remover = processes;
  const users = Array.from({ length: processes }, (_, i) => `u${i}`);
  const marks = users.map((user) => word(lineMark(user)));
  const entries = users.flatMap((user) => Array.from({ length: pages }, (_, page) => word(`${user} pte[${page}]`)));
  const references = Array.from({ length: pages }, (_, page) => word(`dax0 page[${page}].refcount`));
  const [flags, srcu, irqsOff, dying, held] = ['dax0.dax.flags', 'dax0.dax.srcu', 'CPUs with interrupts off', 'dax0.pgmap.dying', 'dax0.pgmap.users'].map(word) as [number, number, number, number, number];
  const ALIVE = 1;
  const PRESENT = 1;
  const LABELS = 1 << 20;
  const walked = walkedTo(stepper, remover);
  return () => {
    let low = 0;
    let high = 0;
    let at = 0;
    const put = (value: number): void => {
      low ^= mixLow(at + 1, value);
      high ^= mixHigh(at + 1, value);
      at += 1;
    };
    for (let t = 0; t <= processes; t += 1) put(stepper.isOver(t) ? -1 : (nodes.a[state.row[t] as number] as number) + (t < processes ? LABELS * Math.floor(state.read(marks[t] as number) / 3) : 0));
    // The walk over the processes is at one of them: which one tells which entries it has cleared.
    const gone = stepper.isOver(remover);
    put(walked(state.row[remover] as number));
    put(state.read(flags) & ALIVE);
    put(state.read(srcu));
    put(state.read(irqsOff));
    // What is freed holds nothing: its words are anything's then.
    put(gone ? 1 : state.read(dying));
    put(gone ? 0 : state.read(held));
    for (const entry of entries) put(state.read(entry) & PRESENT);
    for (const count of references) put(gone ? 0 : state.read(count) - 1);
    // 53 bits: two of a million states share them once in 18,000 runs.
    return (low >>> 0) + (high & 0x1fffff) * 0x100000000;
  };
}

/** How many processes the walk of unmap_mapping_range has passed, by the points on the way to the node. */
function walkedTo(stepper: Stepper<Kernel>, thread: number): (node: number) => number {
  const { nodes, roots } = stepper;
  const known = new Map<number, number>();
  return (node) => {
    let count = known.get(node);
    if (count !== undefined) return count;
    count = 0;
    for (let at = node; at !== roots[thread] && at !== 0; at = nodes.parent[at] as number) {
      if (nodes.kind[at] === Kind.yield && nodes.labels[nodes.a[at] as number] === 'unmap_mapping_range: next VMA') count += 1;
    }
    known.set(node, count);
    return count;
  };
}
