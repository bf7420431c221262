/** The initramfs of a guest: BusyBox, the modules in load order, the compiled helper, and where the project is. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { cacheFolder, cacheRoot } from '../cache.ts';
import type { LabKernel } from '../kernels.ts';
import { moduleClosure } from '../modules/closure.ts';
import { wantedModules } from '../modules/wanted.ts';
import { findProgram, mustRun } from '../program.ts';
import { toolsRoot } from '../qemu/find.ts';
import { bundledAgent, bundledUnseat } from './bundles.ts';
import { cpioArchive, type CpioEntry } from './cpio.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
const GUEST = resolve(import.meta.dirname, '../guest');

export interface Initramfs {
  readonly path: string;
  /** Modules that the scenario asks for and this kernel does not have. */
  readonly missingModules: readonly string[];
}

export async function buildInitramfs(kernel: LabKernel, scenario: Scenario, options: { readonly shell: boolean }): Promise<Initramfs> {
  const busybox = findProgram('busybox');
  if (busybox === null) throw new UnseatError('MISSING_TOOL', 'the lab needs BusyBox (static)', { subject: 'busybox', next: 'Install the package busybox-static.' });
  const closure = await moduleClosure(kernel.modules, wantedModules(scenario));
  const entries: CpioEntry[] = [
    { path: 'bin', kind: 'directory' }, { path: 'modules', kind: 'directory' }, { path: 'dev', kind: 'directory' },
    { path: 'dev/console', kind: 'char', major: 5, minor: 1 },
    { path: 'bin/busybox', kind: 'file', content: readFileSync(busybox), executable: true },
    { path: 'init', kind: 'file', content: readFileSync(join(GUEST, 'init.sh')), executable: true },
    { path: 'second.sh', kind: 'file', content: readFileSync(join(GUEST, 'second.sh')) },
    { path: 'unseat-guest', kind: 'file', content: readFileSync(await guestProgram()), executable: true },
    { path: 'agent.mjs', kind: 'file', content: await bundledAgent() },
    { path: 'unseat.env', kind: 'file', content: Buffer.from(environment(kernel, scenario, options.shell, await bundledUnseat())) },
    { path: 'modules/order', kind: 'file', content: Buffer.from(`${closure.modules.map((m) => m.name).join('\n')}\n`) },
    ...closure.modules.map((m): CpioEntry => ({ path: `modules/${m.name}.ko`, kind: 'file', content: m.bytes })),
  ];
  const archive = cpioArchive(entries);
  const hash = createHash('sha256').update(archive).digest('hex').slice(0, 16);
  const path = join(cacheFolder('initramfs'), `${kernel.release}-${hash}.cpio`);
  if (!existsSync(path)) {
    forgetOld(cacheFolder('initramfs'));
    writeWhole(path, archive);
  }
  return { path, missingModules: closure.missing };
}

function environment(kernel: LabKernel, scenario: Scenario, shell: boolean, unseat: string): string {
  const node = realpathSync(process.execPath);
  const old = kernel.series.major < 6;
  // A tmpfs over a place that holds Node, the project or the tools would hide them.
  const places = ['/run', '/mnt', '/tmp', '/var/lib', '/root'].filter((place) => ![node, PROJECT, cacheRoot()].some((path) => path.startsWith(`${place}/`)));
  const set = { NODE: node, PROJECT, UNSEAT: unseat, AUTO_ONLINE: scenario.machine.autoOnline, NINEP_OPTIONS: old ? ',cache=mmap ,cache=none' : ',cache=loose ,cache=mmap',
    TMPFS: places.join(' '), COPY_NODE: old ? '1' : '', SHELL_WANTED: shell ? '1' : '', GUEST_PATH: `${dirname(node)}:${newCxl(scenario)}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${toolsRoot()}/bin-own` };
  return Object.entries(set).map(([key, value]) => `${key}='${value.replaceAll("'", "'\\''")}'\n`).join('');
}

/** CXL regions need the cxl tool of a newer suite; for all else the system's own tools come first. */
const newCxl = (scenario: Scenario): string => (scenario.machine.cxl.length > 0 ? `${toolsRoot()}/bin-own:` : '');

/** The C helper, compiled statically once per content. */
export async function guestProgram(): Promise<string> {
  const folder = join(GUEST, 'c');
  const sources = readdirSync(folder).filter((name) => /\.[ch]$/.test(name)).sort();
  const hash = createHash('sha256');
  for (const name of sources) hash.update(name).update(readFileSync(join(folder, name)));
  const path = join(cacheFolder('guest'), `unseat-guest-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(path)) return path;
  const compiler = findProgram('gcc') ?? findProgram('cc');
  if (compiler === null) throw new UnseatError('MISSING_TOOL', 'the lab needs a C compiler with a static C library', { subject: 'gcc', next: 'Install the packages gcc and libc6-dev.' });
  await mustRun(compiler, ['-static', '-O1', '-Wall', '-pthread', '-o', `${path}.new`, ...sources.filter((name) => name.endsWith('.c')).map((name) => join(folder, name))], { deadlineMs: 120_000 });
  renameSync(`${path}.new`, path);
  return path;
}

const KEPT = 40;

/** Every change of the agent makes new ones of 12 MiB; QEMU reads its own when it starts. */
function forgetOld(folder: string): void {
  const hourAgo = Date.now() - 3_600_000;
  const all = readdirSync(folder).map((name) => ({ path: join(folder, name), at: statSync(join(folder, name)).mtimeMs })).sort((a, b) => b.at - a.at);
  for (const old of all.slice(KEPT)) if (old.at < hourAgo) rmSync(old.path, { force: true });
}

function writeWhole(path: string, content: Uint8Array): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
