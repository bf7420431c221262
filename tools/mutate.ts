/**
 * Mutations of kernel paths and of the removal protocol: a statement dropped, two swapped, one moved across a lock. All
 * are compiled into one program with a switch; each is tried against the litmus tests whose threads run its statement.
 *
 *   node tools/mutate.ts [--only FILE-PART,..] [--slice I/N] [--again DIR] [--dry] [--json FILE] [--tests TEST,..] [--page] [--all-catchers]     writes evidence/mutations.json and docs/mutations.md
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build, type Plugin } from 'esbuild';
import { checkLitmus } from '../src/explore/litmus/check.ts';
import { readLitmus } from '../src/explore/litmus/read.ts';
import type { Litmus } from '../src/explore/litmus/schema.ts';
import type { Profile } from '../src/profile/profile.ts';
import { profileByName } from '../src/profile/select.ts';
import type { Catch, MutationResult, MutationRun } from '../src/evidence/mutation-run.ts';
import { mutationSites, withMutations, type PlacedSite } from '../src/evidence/mutation-sites.ts';
import { writeMutationPage } from './mutation-sources.ts';
import { MUTATED } from './mutated-files.ts';
import type { FromWorker, ToWorker } from './mutate-worker.ts';

const root = resolve(import.meta.dirname, '..');
const PROFILES = ['5.2', '5.10', '6.12', '7.2'];
/** Milliseconds of processor time after which one search is taken to have no end. */
const PATIENCE = 2000;
/** `--slice I/N`: every N-th mutation from the I-th; what earlier slices found stays in the file. */
const [slice, slices] = (process.argv.includes('--slice') ? (process.argv[process.argv.indexOf('--slice') + 1] ?? '0/1') : '0/1').split('/').map(Number) as [number, number];
const listOf = (name: string): string[] => (process.argv.includes(name) ? (process.argv[process.argv.indexOf(name) + 1] ?? '').split(',') : []);
/** `--only PART,..`: files whose name has one of the parts. */
const ONLY = listOf('--only');
/** `--again DIR`: results of an earlier run in DIR stay where the file is the same and two tests noticed; the rest is tried again, by `--fresh TEST,..` alone where the earlier run had the other tests, but by all in files of `--whole PART,..`, and where the second test that had noticed was taken away. */
const FRESH = listOf('--fresh');
const WHOLE = listOf('--whole');
/** `--until HH:MM` (UTC): what is not tried again by then keeps its earlier result. */
const UNTIL = listOf('--until')[0] ?? null;
const again = process.argv.includes('--again') ? resolve(process.argv[process.argv.indexOf('--again') + 1] ?? '.') : null;
const enough = process.argv.includes('--all-catchers') ? 1000 : 2;

const sources = new Map(MUTATED.filter((file) => existsSync(join(root, file))).map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const sites: PlacedSite[] = [];
const first = new Map<string, number>();
for (const [file, text] of sources) {
  first.set(file, sites.length);
  sites.push(...mutationSites(file, text));
}

const mutating: Plugin = {
  name: 'mutating',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const file = path.slice(root.length + 1);
      const text = sources.get(file);
      return text === undefined ? undefined : { contents: withMutations(text, sites.filter((s) => s.file === file), first.get(file) as number), loader: 'ts' };
    });
  },
};

const folder = mkdtempSync(join(tmpdir(), 'unseat-mutate-'));
const bundle = join(folder, 'worker.mjs');
/** `--tests A,B`: by these alone. */
const TESTS = listOf('--tests');
/** `--json FILE`: writes the results there and no page. */
const [into] = listOf('--json');
const litmus = readdirSync(join(root, 'litmus')).filter((n) => n.endsWith('.yaml') && (TESTS.length === 0 || TESTS.includes(n.replace('.yaml', '')))).sort().map((name) => ({ name, text: readFileSync(join(root, 'litmus', name), 'utf8') }));

/** Milliseconds of processor time of this program: the worker's, since the rest of it only waits. */
const spent = (): number => (({ user, system }) => (user + system) / 1000)(process.cpuUsage());

/** One worker, replaced when a mutant makes a search without end. */
class Runner {
  private worker: Worker | null = null;
  private readonly at = new Int32Array(new SharedArrayBuffer(4));
  baseline: Extract<FromWorker, { what: 'baseline' }> | null = null;

  private async start(): Promise<Worker> {
    const worker = new Worker(bundle, { workerData: { litmus, profiles: PROFILES, mutants: sites.length, at: this.at }, resourceLimits: { maxOldGenerationSizeMb: 1500 } });
    this.worker = worker;
    if (this.baseline !== null) {
      worker.postMessage({ what: 'know', said: this.baseline.said } satisfies ToWorker);
      return worker;
    }
    worker.postMessage({ what: 'baseline' } satisfies ToWorker);
    this.baseline = await new Promise((done, fail) => { worker.once('message', (m) => { worker.off('error', fail); done(m); }); worker.once('error', fail); });
    return worker;
  }

  async ready(): Promise<Extract<FromWorker, { what: 'baseline' }>> {
    if (this.worker === null) await this.start();
    return this.baseline as Extract<FromWorker, { what: 'baseline' }>;
  }

  /** Tries mutant `id` on these searches; the catches so far are told to `caught`. False when it had to be killed at search `at`. */
  private async once(id: number, searches: readonly number[], caught: (c: Catch) => void): Promise<number | null> {
    const worker = this.worker ?? (await this.start());
    const { searches: known } = await this.ready();
    return new Promise((done) => {
      let last = -1;
      let since = spent();
      const watch = setInterval(() => {
        const now = Atomics.load(this.at, 0);
        if (now !== last) since = spent();
        last = now;
        if (now >= 0 && spent() - since >= PATIENCE) void finish(now);
      }, 500);
      const finish = async (stuck: number | null): Promise<void> => {
        clearInterval(watch);
        worker.off('message', heard);
        worker.off('error', died);
        if (stuck !== null) {
          this.worker = null;
          Atomics.store(this.at, 0, -1);
          await worker.terminate();
        }
        done(stuck);
      };
      const heard = (m: FromWorker): void => {
        if (m.what === 'caught') caught({ litmus: known[m.search]?.test ?? '', profile: known[m.search]?.profile ?? '', said: m.said });
        if (m.what === 'done') void finish(null);
      };
      const died = (): void => void finish(Atomics.load(this.at, 0));
      worker.on('message', heard);
      worker.on('error', died);
      worker.postMessage({ what: 'try', id, searches, enough } satisfies ToWorker);
    });
  }

  async catches(id: number, searches: readonly number[]): Promise<Catch[]> {
    const found: Catch[] = [];
    let left = searches;
    for (;;) {
      const stuck = await this.once(id, left, (c) => found.push(c));
      if (stuck === null || stuck < 0) return found;
      const { searches: known } = await this.ready();
      found.push({ litmus: known[stuck]?.test ?? '', profile: known[stuck]?.profile ?? '', said: 'never ends (a loop or states without end)' });
      left = left.slice(left.indexOf(stuck) + 1).filter((i) => !found.some((f) => f.litmus === known[i]?.test));
      if (new Set(found.map((f) => f.litmus)).size >= enough || left.length === 0) return found;
    }
  }

  async end(): Promise<void> {
    await this.worker?.terminate();
  }
}

/** Results of an earlier run, in files that have not changed since. */
function kept(folder: string): Map<string, MutationResult> {
  const { results: earlier } = JSON.parse(readFileSync(join(folder, 'evidence/mutations.json'), 'utf8')) as MutationRun;
  const same = new Map<string, boolean>();
  const isSame = (file: string): boolean => {
    const known = same.get(file) ?? (existsSync(join(folder, file)) && readFileSync(join(folder, file), 'utf8') === sources.get(file));
    same.set(file, known);
    return known;
  };
  const there = new Set(litmus.map((l) => l.name.replace('.yaml', '')));
  return new Map(earlier.filter((r) => isSame(r.file) && r.caught.every((c) => there.has(c.litmus))).map((r) => [`${r.file}:${r.line} ${r.how} ${r.text}`, r]));
}

/** Threads of the removal: its steps, and what happens to whoever it stopped when it dies. */
const REMOVAL_THREADS = ['unseat', 'crash'];

/** Each line of the removal left out, and each two swapped, in the tests where the removal is right. */
function protocolMutations(): MutationResult[] {
  return litmus.flatMap(({ name, text }) => {
    const test = readLitmus(text, name);
    return test.expect['default'] === 'ok' ? REMOVAL_THREADS.flatMap((thread) => changedLines(test, thread, { name, text })) : [];
  });
}

function changedLines(test: Litmus, thread: string, { name, text }: { readonly name: string; readonly text: string }): MutationResult[] {
  const lines = test.threads[thread] ?? [];
  const at = text.split('\n').findIndex((line) => line.includes(`${thread}: [`)) + 1;
  const without = lines.map((line, i) => ({ how: 'drop' as const, says: line, lines: lines.filter((_, j) => j !== i) }));
  const swapped = lines.slice(1).map((line, i) => ({ how: 'swap' as const, says: `${lines[i]}  <->  ${line}`, lines: lines.map((l, j) => (j === i ? line : j === i + 1 ? (lines[i] as string) : l)) }));
  return [...without, ...swapped].map((change) => {
    const caught: Catch[] = [];
    // A thread without lines is one that is not there.
    const { [thread]: _, ...others } = test.threads;
    const threads = change.lines.length === 0 ? others : { ...test.threads, [thread]: [...change.lines] };
    for (const profile of (test.profiles ?? PROFILES).filter((p) => PROFILES.includes(p))) {
      const r = checkLitmus({ ...test, threads }, profileByName(profile) as Profile, { now: () => 0, all: true, maxStates: 20_000 });
      if (r.status === 'ok' || caught.length > 0) continue;
      caught.push({ litmus: test.litmus, profile, said: r.status === 'violated' ? r.violated.join(', ') : r.status });
    }
    return { file: `litmus/${name}`, line: at, how: change.how, text: change.says, caught, ranBy: 1 };
  });
}

if (process.argv.includes('--page')) {
  writeMutationPage();
  process.exit(0);
}
const runner = new Runner();
const began = performance.now();
try {
  await build({ entryPoints: [join(root, 'tools/mutate-worker.ts')], outfile: bundle, bundle: true, platform: 'node', format: 'esm', target: 'node24', banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" }, plugins: [mutating], logLevel: 'error' });
  const { searches, said, hits } = await runner.ready();
  const notRun: Record<string, number> = {};
  const results: MutationResult[] = [];
  let left = 0;
  const known = again === null ? new Map<string, MutationResult>() : kept(again);
  for (const [id, site] of sites.entries()) {
    const running = searches.map((_, i) => i).filter((i) => hits[i]?.[id] === 1);
    if (running.length === 0) {
      notRun[site.file] = (notRun[site.file] ?? 0) + 1;
      continue;
    }
    if ((ONLY.length > 0 && !ONLY.some((part) => site.file.includes(part))) || id % slices !== slice) continue;
    const before = known.get(`${site.file}:${site.line} ${site.how} ${site.text}`);
    const enoughKnown = before !== undefined && new Set(before.caught.map((c) => c.litmus)).size > 1;
    const late = UNTIL !== null && new Date().toISOString().slice(11, 16) >= UNTIL;
    if (before !== undefined && (enoughKnown || late)) {
      results.push(before);
      continue;
    }
    if (late) {
      left += 1;
      continue;
    }
    const fresh = before !== undefined && before.partial !== true && FRESH.length > 0 && !WHOLE.some((part) => site.file.includes(part)) ? running.filter((i) => FRESH.includes(searches[i]?.test ?? '')) : running;
    const known1 = before === undefined || fresh === running ? [] : before.caught;
    const found = fresh.length === 0 ? [] : await runner.catches(id, fresh);
    const caught = [...known1, ...found.filter((c) => !known1.some((o) => o.litmus === c.litmus))].slice(0, enough);
    const { file, line, how, text } = site;
    results.push({ file, line, how, text, caught, ranBy: new Set(running.map((i) => searches[i]?.test)).size });
    if (results.length % 50 === 0 && into !== undefined) writeFileSync(into, JSON.stringify({ results }));
    if (results.length % 25 === 0 || process.env['UNSEAT_TRACE_MUTANTS'] !== undefined) process.stderr.write(`${results.length} tried, ${results.filter((r) => r.caught.length > 0).length} caught, ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  }
  results.push(...(ONLY.length === 0 && slice === 0 ? protocolMutations() : []));
  const run: MutationRun = { profiles: PROFILES, litmus: [...new Set(searches.map((s) => s.test))], notRun, results };
  const survivors = results.filter((r) => r.caught.length === 0);
  console.log(`${sites.length} sites, ${results.length} run by threads and tried: ${results.length - survivors.length} caught, ${survivors.length} survive; ${left} not tried for want of time; ${said.length} searches; ${((performance.now() - began) / 1000).toFixed(0)} s`);
  if (into !== undefined) writeFileSync(into, `${JSON.stringify(run, null, 1)}\n`);
  else if (process.argv.includes('--dry')) {
    for (const s of survivors) console.log(`SURVIVES ${s.file.replace('src/', '')}:${s.line} ${s.how} (${s.ranBy}) ${s.text}`);
  } else if (ONLY.length === 0) {
    const path = join(root, 'evidence/mutations.json');
    const earlier = slice === 0 || !existsSync(path) ? [] : (JSON.parse(readFileSync(path, 'utf8')) as MutationRun).results;
    const all = [...earlier, ...results].sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
    writeFileSync(path, `${JSON.stringify({ ...run, results: all }, null, 1)}\n`);
    writeMutationPage();
  }
} finally {
  await runner.end();
  rmSync(folder, { recursive: true, force: true });
}
