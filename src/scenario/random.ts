/**
 * Random scenarios: the same number gives the same scenario for ever, so that the simulated kernel and the lab can be
 * compared on what nobody thought of. They expect nothing; what the two see must be equal. Pure.
 */
import { stringify } from 'yaml';
import { readScenario } from './read.ts';
import type { Scenario } from './scenario.ts';

/** A generator of whole numbers below `n` (xorshift on 32 bits; any small generator would do). */
function generator(seed: number): (n: number) => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) | 0 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

type Plain = Record<string, unknown>;

/** The text of a scenario file. @param seed 0 to 2^31-1 */
export function randomText(seed: number): string {
  const below = generator(seed);
  for (let i = 0; i < 8; i += 1) below(2);
  const one = <T>(...choices: T[]): T => choices[below(choices.length)] as T;
  const name = `random-${seed}`;
  const plain = one(true, true, false) ? fsdax(name, one, below) : devdax(name, one);
  return stringify(plain);
}

/** @param seed 0 to 2^31-1 */
export const randomScenario = (seed: number): Scenario => readScenario(randomText(seed), `random-${seed}.yaml`);

/** `random-17`, as a scenario is named on a command line; null for another name. */
export function randomByName(name: string): Scenario | null {
  const seed = /^random-(\d{1,9})$/.exec(name)?.[1];
  return seed === undefined ? null : randomScenario(Number(seed));
}

type One = <T>(...choices: T[]) => T;

function fsdax(name: string, one: One, below: (n: number) => number): Plain {
  const fs = one<Plain>({ type: 'ext4' }, { type: 'ext4' }, { type: 'xfs' }, { type: 'xfs', rmapbt: true });
  const processes = Array.from({ length: 1 + below(3) }, (_, i): Plain => fsdaxProcess(i, one));
  const names = processes.map((p) => p['name'] as string);
  const steps: Plain[] = [];
  if (one(true, false)) steps.push({ sync: '/mnt' });
  if (one(true, false, false)) steps.push({ kill: one(...names) });
  const alive = names.filter((n) => !steps.some((s) => s['kill'] === n));
  for (const n of alive) if (one(true, false, false)) steps.push({ stop: n }, { hardOffline: n }, { pagemap: n }, { cont: n });
  steps.push({ unbind: 'data', within: 15 });
  for (const n of alive) steps.push({ read: n });
  if (one(true, false)) {
    steps.push({ bind: 'data' });
    for (const n of alive) steps.push({ read: n });
  }
  return {
    scenario: name, title: `random scenario ${name}`, machine: { nvdimms: [{ name: 'nvdimm0', size: '512M' }], namespaces: [{ name: 'data', on: 'nvdimm0', mode: 'fsdax', map: one('mem', 'mem', 'dev') }] },
    filesystems: [{ on: 'data', at: '/mnt', ...fs }], processes, steps, ...(fs['type'] === 'xfs' ? { kernels: '>=6.1' } : {}),
  };
}

function fsdaxProcess(i: number, one: One): Plain {
  const share = one('shared', 'shared', 'private');
  const map: Plain = {
    file: `/mnt/${one('one', 'two', `own${i}`)}`, size: one('64K', '2M', '4M'), share, align: one('2M', '4K'), prot: one('rw', 'rw', 'r'),
    touch: share === 'private' ? one('read', 'write-every-other') : 'write', locked: one(true, false, false), nohuge: one(true, false, false),
  };
  // A read-only map cannot be written to; its file must be there, and longest users come first.
  if (map['prot'] === 'r') Object.assign(map, { prot: 'rw', touch: 'read' });
  return { name: `p${i}`, maps: [map], keepFds: one(true, false), forks: one(0, 0, 1) };
}

function devdax(name: string, one: One): Plain {
  const steps: Plain[] = [];
  if (one(true, false)) steps.push({ write: 'old' });
  steps.push({ unbind: 'data' }, { read: 'old' }, { pagemap: 'old' });
  if (one(true, false)) steps.push({ write: 'old' });
  if (one(true, true, false)) {
    steps.push({ bind: 'data' });
    if (one(true, false)) steps.push({ start: 'next' });
    steps.push({ read: 'old' });
  }
  return {
    scenario: name, title: `random scenario ${name}`, machine: { nvdimms: [{ name: 'nvdimm0', size: '512M' }], namespaces: [{ name: 'data', on: 'nvdimm0', mode: 'devdax', map: one('mem', 'dev') }] },
    processes: [
      { name: 'old', maps: [{ device: 'data', size: one('2M', '4M', '8M') }], keepFds: one(true, false), forks: one(0, 0, 1) },
      { name: 'next', started: false, maps: [{ device: 'data', size: '8M' }] },
    ], steps,
  };
}
