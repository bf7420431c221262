/** Brings a guest back to where it was before a scenario, so that the next one needs no boot of its own. Where that is not certain, it says so. */
import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { findingsIn } from '../../log-findings.ts';
import { countsPoison } from '../../modules/wanted.ts';
import type { LogFinding } from '../../../scenario/observation.ts';
import type { Guest } from './machine.ts';
import { once } from './once.ts';
import { blocksIn, blockState, stateFile } from './setup/system-ram.ts';
import { bind } from './steps/drivers.ts';
import { linkName, namesIn, run, textOf } from './sysfs.ts';

const DAMAGE: readonly LogFinding[] = ['oops', 'bug', 'warning', 'bad-page-map', 'rcu-stall', 'hung-task', 'soft-lockup', 'hotremove-fails', 'no-reserve', 'no-rebind'];

/** What a scenario left in its guest: page tables that still point at the device, or worse. */
export type Left = 'nothing' | 'stale' | 'damage';

/** True when the guest is as good as new. */
export async function cleanUp(guest: Guest, left: Left): Promise<boolean> {
  const s = guest.scenario;
  // Poison goes with the memmap of the device; the counter of it does not come back.
  if (countsPoison(s) && poisoned()) return false;
  if (left === 'damage' || (left === 'stale' && !(await boundAgain(guest)))) return false;
  // Hardware that came or went is not put back.
  if (s.machine.virtioMem.length + s.machine.dimms.length + s.machine.cxl.length + s.machine.virtioPmem.length + s.machine.disks.length > 0) return false;
  for (const holder of guest.holders.values()) {
    holder.signal('SIGCONT');
    for (const pid of [...holder.children, holder.pid]) endQuietly(pid, holder.died === null);
    if (await holder.awaitEnd(5000, () => false) === null) return false;
  }
  if (!(await givenBack(guest))) return false;
  for (const f of [...s.filesystems].reverse()) {
    if (!isMounted(f.at, f.type)) continue;
    if ((await once(['umount', f.at], 10_000)).ending !== 'returned') return false;
  }
  for (const swap of s.swaps) await once(['swapoff', guest.devices.get(swap.on)?.block ?? ''], 10_000);
  if (s.swaps.length > 0 && (textOf('/proc/swaps') ?? '').trim().split('\n').length > 1) return false;
  try {
    if (s.machine.memmapPmem.length > 0) await destroyOurs(guest);
    else if (s.machine.namespaces.length > 0) await run('ndctl', ['destroy-namespace', '-f', 'all'], 30_000);
  } catch {
    return false;
  }
  forgetJournals();
  await once(['write', '/proc/sys/vm/memory_failure_early_kill', '0'], 5000);
  guest.log.fresh();
  if (guest.log.lines.some((line) => findingsIn(line).some((f) => DAMAGE.includes(f)))) return false;
  return namesIn('/sys/block').every((name) => !name.startsWith('pmem')) || s.machine.namespaces.length === 0 || s.machine.memmapPmem.length > 0;
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

const poisoned = (): boolean => !/^HardwareCorrupted:\s+0 kB$/m.test(textOf('/proc/meminfo') ?? '');

/** Legacy pmem that nothing was made of stays as the kernel found it. */
async function destroyOurs(guest: Guest): Promise<void> {
  for (const { namespace, region } of guest.devices.values()) {
    if (namespace !== undefined && namesIn(`/sys/bus/nd/devices/${region}`).includes(namespace)) await run('ndctl', ['destroy-namespace', '-f', namespace], 60_000);
  }
}

/** Memory of dax devices that kmem has goes offline and back; where a block stays, the guest is not as it was. */
async function givenBack(guest: Guest): Promise<boolean> {
  for (const device of guest.devices.values()) {
    if (device.bus !== 'dax' || linkName(`/sys/bus/dax/devices/${device.bindName}/driver`) !== 'kmem') continue;
    for (const index of device.range ? blocksIn(device.range) : []) {
      if (blockState(index) !== 'offline' && (await once(['write', stateFile(index), 'offline'], 20_000)).ending !== 'returned') return false;
    }
    if ((await once(['write', '/sys/bus/dax/drivers/kmem/unbind', device.bindName ?? ''], 10_000)).ending !== 'returned') return false;
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
