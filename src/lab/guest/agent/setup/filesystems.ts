/** Makes and mounts the declared file systems. */
import { mkdirSync } from 'node:fs';
import type { Filesystem } from '../../../../scenario/layout.ts';
import { mkfsArguments, mountOptions } from '../../mkfs.ts';
import { deviceOf, NotAvailable, type Guest } from '../machine.ts';
import { once, type Outcome } from '../once.ts';
import { run } from '../sysfs.ts';

export function filesystemAt(guest: Guest, at: string): Filesystem {
  const f = guest.scenario.filesystems.find((one) => one.at === at);
  if (!f) throw new NotAvailable(`no file system is declared at ${at}`);
  return f;
}

export function blockOf(guest: Guest, name: string): string {
  const block = deviceOf(guest, name).block;
  if (block === undefined) throw new NotAvailable(`${name} has no block device`);
  return block;
}

export async function mkfs(guest: Guest, f: Filesystem): Promise<void> {
  const [program, args] = mkfsArguments(f);
  await run(program, [...args, blockOf(guest, f.on)]);
}

export function mountFs(guest: Guest, f: Filesystem, deadlineMs: number): Promise<Outcome> {
  mkdirSync(f.at, { recursive: true });
  return once(['mount', blockOf(guest, f.on), f.at, f.type, `${f.readOnly ? 'ro' : 'rw'},${mountOptions(f)}`], deadlineMs);
}

export async function makeFilesystems(guest: Guest): Promise<void> {
  for (const f of guest.scenario.filesystems) {
    if (guest.scenario.steps.some((step) => step.verb === 'medium' && step.argument === f.on)) await once(['zero', blockOf(guest, f.on)], 60_000);
    await mkfs(guest, f);
    if (!f.mounted) continue;
    const mounted = await mountFs(guest, f, 20_000);
    if (mounted.ending !== 'returned') throw new NotAvailable(`mount of ${f.at}: ${mounted.errno ?? mounted.ending}`);
  }
}

/** Swap on whole devices, as the scenario begins with it. */
export async function swapOn(guest: Guest, name: string, deadlineMs: number): Promise<Outcome> {
  await run('mkswap', [blockOf(guest, name)]);
  return once(['swapon', blockOf(guest, name)], deadlineMs);
}

export async function makeSwaps(guest: Guest): Promise<void> {
  for (const { on } of guest.scenario.swaps) {
    const done = await swapOn(guest, on, 20_000);
    if (done.ending !== 'returned') throw new NotAvailable(`swapon of ${on}: ${done.errno ?? done.ending}`);
  }
}
