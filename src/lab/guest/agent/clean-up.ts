/** Brings a guest back to where it was before a scenario, so that the next one needs no boot of its own. Where that is not certain, it says so. */
import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { findingsIn } from '../../log-findings.ts';
import type { LogFinding } from '../../../scenario/observation.ts';
import type { Guest } from './machine.ts';
import { once } from './once.ts';
import { bind } from './steps/drivers.ts';
import { linkName, namesIn, run, textOf } from './sysfs.ts';

const DAMAGE: readonly LogFinding[] = ['oops', 'bug', 'warning', 'bad-page-map', 'rcu-stall', 'hung-task', 'soft-lockup', 'hotremove-fails', 'no-reserve', 'no-rebind', 'memory-failure'];

/** What a scenario left in its guest: page tables that still point at the device, or worse. */
export type Left = 'nothing' | 'stale' | 'damage';

/** True when the guest is as good as new. */
export async function cleanUp(guest: Guest, left: Left): Promise<boolean> {
  const s = guest.scenario;
  if (left === 'damage' || (left === 'stale' && !(await boundAgain(guest)))) return false;
  // Memory that was added, and hardware that came or went, are not put back.
  if (s.systemRam.length > 0 || s.machine.virtioMem.length + s.machine.dimms.length + s.machine.cxl.length + s.machine.virtioPmem.length + s.machine.disks.length > 0) return false;
  for (const holder of guest.holders.values()) {
    holder.signal('SIGCONT');
    for (const pid of [...holder.children, holder.pid]) endQuietly(pid, holder.died === null);
    if (await holder.awaitEnd(5000, () => false) === null) return false;
  }
  for (const f of [...s.filesystems].reverse()) {
    if (!isMounted(f.at, f.type)) continue;
    if ((await once(['umount', f.at], 10_000)).ending !== 'returned') return false;
  }
  for (const swap of s.swaps) await once(['swapoff', guest.devices.get(swap.on)?.block ?? ''], 10_000);
  try {
    if (s.machine.namespaces.length > 0) await run('ndctl', ['destroy-namespace', '-f', 'all'], 30_000);
  } catch {
    return false;
  }
  forgetJournals();
  guest.log.fresh();
  if (guest.log.lines.some((line) => findingsIn(line).some((f) => DAMAGE.includes(f)))) return false;
  return namesIn('/sys/block').every((name) => !name.startsWith('pmem')) || s.machine.namespaces.length === 0;
}

/**
 * Before 6.15 DAX entries of a page table hold no page reference: once the device is bound again, a holder of stale ones ends and the file
 * system is unmounted without a trace (docs/kernel-truth.md, part A, 1). Later kernels count them, and are not trusted any more.
 */
async function boundAgain(guest: Guest): Promise<boolean> {
  const [major = 0, minor = 0] = (textOf('/proc/sys/kernel/osrelease') ?? '').split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 15)) return false;
  for (const [name, device] of guest.devices) {
    if (device.driver === undefined || linkName(`/sys/bus/${device.bus}/devices/${device.bindName}/driver`) !== null) continue;
    if ((await bind(guest, name, undefined, 10_000)).ending !== 'returned') return false;
  }
  return true;
}

function endQuietly(pid: number, there: boolean): void {
  if (!there || !existsSync(`/proc/${pid}`)) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch { /* it went by itself */ }
}

const isMounted = (at: string, type: string): boolean => (textOf('/proc/self/mounts') ?? '').split('\n').some((line) => line.split(' ').slice(1, 3).join(' ') === `${at} ${type}`);

/** What unseat's own removals recorded is about devices that are no more. */
function forgetJournals(): void {
  for (const folder of ['/run/unseat', '/var/lib/unseat']) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      try {
        unlinkSync(`${folder}/${name}`);
      } catch { /* a directory */ }
    }
  }
}
