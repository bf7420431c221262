/**
 * Mutations of kernel paths and of the removal protocol: a statement dropped, two swapped, one moved across a lock. Each
 * is tried on a copy of src/ against the litmus library (three generations); one that changes no verdict survives.
 *
 *   node tools/mutate.ts [--limit N] [--jobs N]      writes docs/mutations.md
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const option = (name: string, otherwise: number): number => { const at = process.argv.indexOf(name); return at < 0 ? otherwise : Number(process.argv[at + 1]); };
const LIMIT = option('--limit', 150);
const JOBS = option('--jobs', 2);
const SECONDS = 120;
/** Files whose paths litmus threads run, and the removal's own steps. */
const FILES = [
  'src/kernel/mm/gup.ts', 'src/kernel/mm/memremap.ts', 'src/kernel/mm/memory.ts', 'src/kernel/mm/memory-failure.ts', 'src/kernel/mm/exit.ts', 'src/kernel/mm/mmap.ts',
  'src/kernel/mm/migrate.ts', 'src/kernel/mm/memory_hotplug/offline.ts', 'src/kernel/mm/memory_hotplug/remove.ts', 'src/kernel/fs/dax.ts', 'src/kernel/fs/dax-fault.ts',
  'src/kernel/fs/fault.ts', 'src/kernel/fs/super.ts', 'src/kernel/fs/sync.ts', 'src/kernel/drivers/dax/super.ts', 'src/kernel/drivers/dax/bus.ts', 'src/kernel/drivers/dax/device.ts',
  'src/kernel/drivers/nvdimm/pmem.ts', 'src/kernel/drivers/base/dd.ts', 'src/kernel/drivers/base/block-state.ts', 'src/kernel/drivers/cxl/region.ts', 'src/kernel/drivers/pci/pciehp.ts',
  'src/kernel/virt/kvm.ts', 'src/explore/litmus/paths.ts',
];

interface Mutation { readonly file: string; readonly line: number; readonly how: 'drop' | 'swap' | 'out of lock'; readonly text: string; readonly lines: readonly string[] }

/** A statement of one line inside a path that changes state, waits or calls; not a declaration, a return or a log line. */
const STATEMENT = /^ {2,}(yield\*? |if \(k\.concurrent\) yield |while \(.*\) yield BLOCKED|k\.heap\.|heap\.|[a-zA-Z]+\(k[,)]|if \(.*\) (yield\* |k\.heap|[a-zA-Z]+\(k)).*;$/;
const SKIP = /log\.write|devPrintk|costs|warn\(|AT\(/;
const LOCK = /[lL]ock\(|Unlock\(|ReadLock|ReadUnlock|upWrite|downWrite|hotplugDone|HotplugBegin/;

function mutationsOf(file: string): Mutation[] {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const found: Mutation[] = [];
  for (const [i, line] of lines.entries()) {
    if (!STATEMENT.test(line) || SKIP.test(line)) continue;
    found.push({ file, line: i + 1, how: 'drop', text: line.trim(), lines: lines.filter((_, at) => at !== i) });
    const next = lines[i + 1] ?? '';
    const indent = (text: string): number => text.length - text.trimStart().length;
    if (!STATEMENT.test(next) || SKIP.test(next) || indent(next) !== indent(line)) continue;
    const swapped = [...lines];
    [swapped[i], swapped[i + 1]] = [next, line];
    found.push({ file, line: i + 1, how: LOCK.test(line) !== LOCK.test(next) ? 'out of lock' : 'swap', text: `${line.trim()}  <->  ${next.trim()}`, lines: swapped });
  }
  return found;
}

/** Runs the library in a copy; prints the first test that says something else than its pin, as `TEST on PROFILE: VERDICT`. */
const RUNNER = `
import { readdirSync, readFileSync } from 'node:fs';
import { checkLitmus } from './src/explore/litmus/check.ts';
import { readLitmus } from './src/explore/litmus/read.ts';
import { profileByName } from './src/profile/select.ts';
const tests = readdirSync('./litmus').filter((n) => n.endsWith('.yaml')).map((n) => readLitmus(readFileSync('./litmus/' + n, 'utf8'), n));
outer: for (const test of tests) for (const name of (test.profiles ?? ['5.10', '6.12', '7.2']).filter((p) => ['5.10', '6.12', '7.2'].includes(p) || p.startsWith('proposal'))) {
  let said = null;
  try {
    const r = checkLitmus(test, profileByName(name), { now: () => 0, all: true, maxStates: 60000 });
    if (r.asExpected === false || (r.status === 'absent')) said = r.status + ' ' + r.violated.join(', ');
  } catch (error) { said = 'fails: ' + error.message.slice(0, 80); }
  if (said !== null) { console.log(test.litmus + ' on ' + name + ': ' + said); break outer; }
}
`;

function makeCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unseat-mutate-'));
  for (const part of ['src', 'litmus', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'run.ts'), RUNNER);
  mkdirSync(join(folder, 'out'), { recursive: true });
  return folder;
}

function tryIn(folder: string): Promise<string> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--max-old-space-size=2000', 'run.ts'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); });
    child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString(); });
    const timer = setTimeout(() => child.kill('SIGKILL'), SECONDS * 1000);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      done(signal !== null ? 'never ends (a wait or a loop without end)' : code !== 0 ? `cannot be run: ${err.split('\n').find((l) => l.includes('Error')) ?? ''}`.slice(0, 120) : out.trim());
    });
  });
}

/** Every k-th of all, so that a limited run has some of every file. */
const everything = FILES.flatMap(mutationsOf);
const stride = Math.max(1, everything.length / LIMIT);
const chosen = Array.from({ length: Math.min(LIMIT, everything.length) }, (_, i) => everything[Math.floor(i * stride)] as Mutation);
const results: { readonly mutation: Mutation; readonly caught: string }[] = [];
const folders = Array.from({ length: JOBS }, makeCopy);
try {
  const baseline = await tryIn(folders[0] as string);
  if (baseline !== '') throw new Error(`the library does not hold without mutation: ${baseline}`);
  let next = 0;
  await Promise.all(folders.map(async (folder) => {
    while (next < chosen.length) {
      const mutation = chosen[next] as Mutation;
      next += 1;
      const path = join(folder, mutation.file);
      writeFileSync(path, mutation.lines.join('\n'));
      const caught = await tryIn(folder);
      writeFileSync(path, readFileSync(join(root, mutation.file), 'utf8'));
      results.push({ mutation, caught });
      process.stderr.write(`${results.length}/${chosen.length} ${caught === '' ? 'SURVIVES' : 'caught'} ${mutation.file}:${mutation.line} ${mutation.how}\n`);
      if (results.length % 10 === 0) writePage();
    }
  }));
} finally {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
writePage();

/** Why a survivor may survive, where the text alone says it. */
function reasonOf({ how, text }: Mutation): string {
  if (/dumpPage|memoryNotify/.test(text) && how !== 'drop') return 'a log line or a notifier that nobody in the library has';
  if (/dumpPage/.test(text)) return 'log only';
  if (how !== 'drop' && !text.includes('yield')) return 'nobody can look between the two: the path has no point there';
  if (/PGMAP\.(node|altmap|owner)|TASK\.cwd|hwpoison|REQUEST\.task/.test(text)) return 'bookkeeping that no predicate of the library looks at';
  return 'no litmus test looks at it yet';
}

function writePage(): void {
  const caught = results.filter((r) => r.caught !== '');
  const cell = (text: string): string => text.replace(/\|/g, '\\|');
  const by = new Map<string, number>();
  for (const r of caught) { const name = r.caught.split(' on ')[0] as string; by.set(name, (by.get(name) ?? 0) + 1); }
  const sorted = [...results].sort((a, b) => a.mutation.file.localeCompare(b.mutation.file) || a.mutation.line - b.mutation.line);
  writeFileSync(join(root, 'docs/mutations.md'), [
    '# Mutations of kernel paths', '', '<!-- Generated by tools/mutate.ts -->', '',
    `${results.length} of ${everything.length} possible mutations were tried: a statement dropped, two swapped, one moved across a lock. ${caught.length} changed the verdict of a`,
    `litmus test (the first one is named; pinned verdicts on 5.10, 6.12, 7.2 and the proposals), ${results.length - caught.length} survive.`, '',
    '## Survivors', '', '| where | how | statement | reason |', '| --- | --- | --- | --- |',
    ...sorted.filter((r) => r.caught === '').map(({ mutation: m }) => `| ${m.file.replace('src/', '')}:${m.line} | ${m.how} | \`${cell(m.text)}\` | ${reasonOf(m)} |`), '',
    '## Caught', '', '| where | how | statement | by |', '| --- | --- | --- | --- |',
    ...sorted.filter((r) => r.caught !== '').map(({ mutation: m, caught: c }) => `| ${m.file.replace('src/', '')}:${m.line} | ${m.how} | \`${cell(m.text)}\` | ${cell(c)} |`), '',
  ].join('\n'));
}
