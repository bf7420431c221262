/**
 * Runs the litmus library under one mutant after the other, in one program that holds them all. Machines are set up
 * without mutation: what is mutated is what threads do. Started by tools/mutate.ts, from a bundle.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { buildLitmus } from '../src/explore/litmus/build.ts';
import { searchLitmus } from '../src/explore/litmus/check.ts';
import { readLitmus } from '../src/explore/litmus/read.ts';
import type { Litmus } from '../src/explore/litmus/schema.ts';
import type { Profile } from '../src/profile/profile.ts';
import { profileByName } from '../src/profile/select.ts';

export interface Search { readonly test: string; readonly profile: string }
/** `search: null`: mutant `id` is done. */
export type FromWorker =
  | { readonly what: 'baseline'; readonly searches: readonly Search[]; readonly said: readonly string[]; readonly hits: readonly Uint8Array[] }
  | { readonly what: 'caught'; readonly id: number; readonly search: number; readonly said: string }
  | { readonly what: 'done'; readonly id: number };
export type ToWorker =
  | { readonly what: 'baseline' }
  /** What the baseline said, for a worker that takes over. */
  | { readonly what: 'know'; readonly said: readonly string[] }
  /** Searches to run, and after how many different tests that catch it to stop. */
  | { readonly what: 'try'; readonly id: number; readonly searches: readonly number[]; readonly enough: number };

interface Data { readonly litmus: readonly { readonly name: string; readonly text: string }[]; readonly profiles: readonly string[]; readonly mutants: number; readonly at: Int32Array }

const data = workerData as Data;
const hits = new Uint8Array(data.mutants);
let active = -1;
(globalThis as unknown as { unseatMutant: unknown }).unseatMutant = {
  keeps(id: number): boolean {
    hits[id] = 1;
    return id !== active;
  },
};

const tests = data.litmus.map((l) => readLitmus(l.text, l.name));
const searches: { test: Litmus; profile: Profile }[] = tests.flatMap((test) =>
  (test.profiles ?? data.profiles).filter((p) => data.profiles.includes(p) || p.startsWith('proposal:')).map((p) => ({ test, profile: profileByName(p) as Profile })));
const port = parentPort as NonNullable<typeof parentPort>;
const tell = (message: FromWorker): void => port.postMessage(message);

/** What the library says of one search, with mutant `id` in force while its threads run. */
function run(index: number, id: number): string {
  const { test, profile } = searches[index] as (typeof searches)[number];
  active = -1;
  let program: ReturnType<typeof buildLitmus>;
  try {
    program = buildLitmus(test, profile);
  } catch {
    return 'absent';
  }
  hits.fill(0);
  active = id;
  try {
    const r = searchLitmus(test, profile, program, { now: () => 0, all: true, maxStates: 8_000 });
    const never = test.sometimes.filter((text) => r.verdict?.neverSeen.includes(text) === true);
    return r.status === 'violated' ? [...r.violated, ...never.map((text) => `never ${text}`)].join(', ') : r.status;
  } catch (error) {
    return `fails: ${(error as Error).message.slice(0, 80)}`;
  } finally {
    active = -1;
  }
}

let said: readonly string[] = [];
port.on('message', (message: ToWorker) => {
  if (message.what === 'baseline') {
    const found: Uint8Array[] = [];
    said = searches.map((_, i) => {
      const words = run(i, -1);
      found.push(hits.slice());
      return words;
    });
    tell({ what: 'baseline', searches: searches.map((s) => ({ test: s.test.litmus, profile: s.profile.name })), said, hits: found });
    return;
  }
  if (message.what === 'know') {
    said = message.said;
    return;
  }
  const by = new Set<string>();
  for (const index of message.searches) {
    const { test } = searches[index] as (typeof searches)[number];
    if (by.has(test.litmus)) continue;
    Atomics.store(data.at, 0, index);
    const now = run(index, message.id);
    if (now === said[index]) continue;
    by.add(test.litmus);
    tell({ what: 'caught', id: message.id, search: index, said: now });
    if (by.size >= message.enough) break;
  }
  Atomics.store(data.at, 0, -1);
  tell({ what: 'done', id: message.id });
});
