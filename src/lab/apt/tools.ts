/**
 * `lab fetch tools`: QEMU, ndctl, daxctl and cxl of a newer suite with every library they need, unpacked beside the
 * system and run with that suite's own dynamic linker. apt resolves the dependencies, against an empty machine.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnseatError } from '../../errors/unseat-error.ts';
import { mustRun } from '../program.ts';
import { toolsRoot, withOwnLibraries } from '../qemu/find.ts';
import { packageRef, type PackageRef } from './choose.ts';
import { unpackInto } from './fetch.ts';
import { readLock, writeLock } from './lock.ts';
import { OPTIONS, PrivateApt } from './private-apt.ts';

export const TOOLS_SUITE = 'trixie';
const WANTED = ['qemu-system-x86', 'ndctl', 'daxctl', 'cxl'];
const PROGRAMS = ['usr/bin/ndctl', 'usr/bin/daxctl', 'usr/bin/cxl'];

/** `Inst NAME (VERSION Origin [arch])` lines of a simulated installation. Pure. */
export function installedBy(simulation: string): { name: string; version: string }[] {
  return [...simulation.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm)].map((m) => ({ name: m[1] ?? '', version: m[2] ?? '' }));
}

export interface FetchedTools {
  readonly outcome: 'fetched' | 'already there';
  readonly packages: number;
  readonly qemu: string;
}

export async function fetchTools(options: { readonly latest: boolean; readonly say: (line: string) => void }): Promise<FetchedTools> {
  const apt = await PrivateApt.open(options.latest);
  const locked = options.latest ? undefined : readLock()['tools'];
  const packages = await resolved(apt, locked?.packages);
  const qemu = packages.find((p) => p.name === 'qemu-system-x86')?.version ?? '';
  const meta = join(toolsRoot(), 'unseat-tools.json');
  if (existsSync(meta) && (JSON.parse(readFileSync(meta, 'utf8')) as Record<string, string>)['qemu-system-x86'] === qemu) return { outcome: 'already there', packages: packages.length, qemu };
  options.say(`fetching ${packages.length} packages of ${TOOLS_SUITE}, ${(packages.reduce((sum, p) => sum + p.bytes, 0) / 1e6).toFixed(0)} MB`);
  await unpackInto(apt, packages, toolsRoot());
  writeWrappers();
  writeFileSync(`${meta}.new`, `${JSON.stringify(Object.fromEntries(packages.map((p) => [p.name, p.version])), null, 1)}\n`);
  renameSync(`${meta}.new`, meta);
  if (!locked) writeLock({ ...readLock(), tools: { release: TOOLS_SUITE, version: qemu, packages } });
  return { outcome: 'fetched', packages: packages.length, qemu };
}

/** The locked versions where the mirror still has them all, else what apt resolves now. */
async function resolved(apt: PrivateApt, locked: readonly PackageRef[] | undefined): Promise<PackageRef[]> {
  const env = { APT_CONFIG: join(apt.folder, 'apt.conf') };
  const simulation = await mustRun('apt-get', [...OPTIONS, 'install', '--simulate', '--yes', '--no-install-recommends', '-o', `APT::Default-Release=${TOOLS_SUITE}`, ...WANTED], { env, deadlineMs: 300_000 });
  const wanted = locked ?? installedBy(simulation);
  const known = await apt.show(wanted.map((p) => p.name));
  const found = wanted.flatMap((p) => known.filter((s) => s['Package'] === p.name && s['Version'] === p.version).slice(0, 1).map(packageRef));
  if (found.length === wanted.length) return found;
  if (locked) return resolved(apt, undefined);
  throw new UnseatError('LAB', 'the mirror lacks packages that QEMU needs', { subject: wanted.filter((p) => !found.some((f) => f.name === p.name)).map((p) => p.name).join(', ') });
}

/** Scripts in `bin/` that start each tool with its own libraries; guests have them in their PATH. */
function writeWrappers(): void {
  const folder = join(toolsRoot(), 'bin-own');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const path of PROGRAMS) {
    const { program, prefix } = withOwnLibraries(toolsRoot(), path);
    const file = join(folder, path.split('/').at(-1) ?? path);
    writeFileSync(file, `#!/bin/sh\nexec ${[program, ...prefix].map((word) => `'${word}'`).join(' ')} "$@"\n`);
    chmodSync(file, 0o755);
  }
}
