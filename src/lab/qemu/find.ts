/** Which QEMU there is: the system's, or a newer one unpacked in the cache. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnseatError } from '../../errors/unseat-error.ts';
import { cacheRoot } from '../cache.ts';
import { findProgram, runProgram } from '../program.ts';

export interface Qemu {
  /** The program and what must stand before QEMU's own arguments (a dynamic linker with its library path). */
  readonly program: string;
  readonly prefix: readonly string[];
  readonly version: string;
  readonly major: number;
  readonly from: 'system' | 'cache';
}

/** Arguments that start a program of an unpacked newer suite with that suite's own libraries. */
export function withOwnLibraries(root: string, program: string): { program: string; prefix: string[] } {
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu', 'usr/lib', 'usr/lib/x86_64-linux-gnu/pulseaudio'].map((p) => join(root, p)).join(':');
  return { program: join(root, 'usr/lib64/ld-linux-x86-64.so.2'), prefix: ['--library-path', libraries, join(root, program)] };
}

export const toolsRoot = (): string => join(cacheRoot(), 'tools');

async function versionOf(program: string, prefix: readonly string[]): Promise<string | null> {
  try {
    const ran = await runProgram(program, [...prefix, '--version'], { deadlineMs: 10_000 });
    return /version (\d+\.\d+\.\d+)/.exec(ran.stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}

export async function availableQemus(): Promise<Qemu[]> {
  const found: Qemu[] = [];
  const add = async (program: string, prefix: readonly string[], from: Qemu['from']): Promise<void> => {
    const version = await versionOf(program, prefix);
    if (version !== null) found.push({ program, prefix, version, major: Number(version.split('.')[0]), from });
  };
  const system = findProgram('qemu-system-x86_64');
  if (system !== null) await add(system, [], 'system');
  const own = withOwnLibraries(toolsRoot(), 'usr/bin/qemu-system-x86_64');
  if (existsSync(own.program)) await add(own.program, [...own.prefix, '-L', join(toolsRoot(), 'usr/share/qemu'), '-L', join(toolsRoot(), 'usr/share/seabios'), '-L', join(toolsRoot(), 'usr/lib/ipxe/qemu')], 'cache');
  return found;
}

/** @param atLeast major version that the scenario's devices need */
export async function chooseQemu(atLeast: number): Promise<Qemu> {
  const all = await availableQemus();
  const fit = all.find((q) => q.major >= atLeast);
  if (fit) return fit;
  throw new UnseatError('MISSING_TOOL', all.length === 0 ? 'QEMU is not installed' : `this scenario needs QEMU ${atLeast} or newer`, {
    subject: 'qemu-system-x86_64', ...(all[0] ? { seen: all.map((q) => q.version).join(', ') } : {}),
    next: all.length === 0 ? 'Install the package qemu-system-x86, or fetch it with: unseat lab fetch tools' : 'Fetch a newer one with: unseat lab fetch tools',
  });
}

/** The tools that were fetched, as name and version; empty where none were. */
export function fetchedTools(): Record<string, string> {
  const meta = join(toolsRoot(), 'unseat-tools.json');
  return existsSync(meta) ? (JSON.parse(readFileSync(meta, 'utf8')) as Record<string, string>) : {};
}
