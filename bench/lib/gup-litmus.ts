/** bench/gup-removal.yaml for other numbers of processes and pages, and what bench/gup-removal.pml keeps of its states. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { BreadthFirst } from '../../src/explore/breadth-first.ts';
import { buildLitmus, lineMark } from '../../src/explore/litmus/build.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import type { Litmus } from '../../src/explore/litmus/schema.ts';
import type { Look, Program, ViewPart } from '../../src/explore/program.ts';
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
  const { state } = stepper;
  const parts = partsOf(program, size, exchange);
  const look: Look = { read: (address) => state.read(address), at: (thread) => stepper.point(thread) };
  const counting: Program<Kernel> = { ...program, properties: [{ name: 'count', kind: 'never', holds: () => {
    const [low, high] = parts.map((part) => part(look)).reduce(([l, h], [pl, ph]) => [(l + pl) | 0, (h + ph) | 0]);
    // 53 bits: two of a million states share them once in 18,000 runs.
    seen.add((low >>> 0) + (high & 0x1fffff) * 0x100000000);
    return false;
  } }] };
  const verdict = new BreadthFirst(counting, { now: () => 0, all: true, remember: false, stepper: stepper as unknown as Stepper<never> }).run();
  return { verdict, states: seen.size };
}

/** The program with what the Promela model keeps as all that counts of a state; with `exchange`, users that stand alike are taken for each other. */
export function viewed(size: Size, exchange: boolean): Program<Kernel> {
  const program = buildLitmus(gupLitmus(size), PROFILE, 'marked');
  return { ...program, view: partsOf(program, size, exchange) };
}

/**
 * What bench/gup-removal.pml keeps of a state: the place of each thread and its variables. With `exchange` a part does not
 * say which user it is of.
 */
function partsOf(program: Program<Kernel>, { processes, pages }: Size, exchange: boolean): ViewPart[] {
  const word = wordsOf(program);
  const remover = processes;
  const references = Array.from({ length: pages }, (_, page) => word(`dax0 page[${page}].refcount`));
  const [flags, srcu, irqsOff, dying, held] = ['dax0.dax.flags', 'dax0.dax.srcu', 'CPUs with interrupts off', 'dax0.pgmap.dying', 'dax0.pgmap.users'].map(word) as [number, number, number, number, number];
  const lineGroup = Array.from({ length: 3 * pages + 1 }, (_, line) => Math.floor(line / 3));
  const users = Array.from({ length: processes }, (_, thread): ViewPart => {
    const user = `u${thread}`;
    const [mark, visited] = [word(lineMark(user)), word(`${user}.vma.visited`)];
    const entries = Array.from({ length: pages }, (_v, page) => word(`${user} pte[${page}]`));
    return (look) => hashOf(exchange ? 1 : thread + 2, [look.at(thread), lineGroup[look.read(mark)]!, look.read(visited), ...entries.map((entry) => look.read(entry) & PRESENT)]);
  });
  // What is freed holds nothing: its words are anything's then.
  const parts: ((look: Look) => readonly number[])[] = [
    (look) => [look.at(remover), look.read(flags) & ALIVE],
    (look) => [look.read(srcu)],
    (look) => [look.read(irqsOff)],
    (look) => (look.at(remover) === OVER ? [] : [look.read(dying), look.read(held)]),
    ...references.map((count) => (look: Look) => (look.at(remover) === OVER ? [] : [look.read(count)])),
  ];
  return [...users, ...parts.map((part, i): ViewPart => (look) => hashOf(-1 - i, part(look)))];
}

function hashOf(seed: number, values: readonly number[]): readonly [number, number] {
  let [low, high] = [seed, seed];
  for (const value of values) [low, high] = [mixLow(low, value) ^ high, mixHigh(high, value) + low];
  return [mixLow(low, high), mixHigh(high, low)];
}
/** Where a thread stands that is over. */
const OVER = -1;
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
