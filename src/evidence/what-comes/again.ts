/** Trials of what comes after the device is bound again, for its old holders and its next owner. */
import { domainsOf } from '../../kernel/domains.ts';
import { deviceData, deviceDriver, driverCore } from '../../kernel/drivers/base/bus.ts';
import { bindStore, unbindStore } from '../../kernel/drivers/base/dd.ts';
import { DEVDAX } from '../../kernel/drivers/dax/bus.ts';
import { createDevDax } from '../../kernel/drivers/dax/dev_dax.ts';
import { DAX_KMEM, daxKmemInit } from '../../kernel/drivers/dax/kmem.ts';
import { fdClose, fdsOf } from '../../kernel/fs/file.ts';
import { exitTask } from '../../kernel/mm/exit.ts';
import { destroyNamespaceOf, handOverDevDax } from '../../kernel/setup/devdax.ts';
import { handOver } from '../../kernel/setup/fsdax.ts';
import { touchTest } from '../../kernel/setup/look.ts';
import { run } from '../../kernel/setup/run.ts';
import type { Effect } from '../../scenario/effect.ts';
import { end, unmount } from './holders.ts';
import type { Make } from './removals.ts';
import { fileVmas, nodeOf, removed, tasks, type Tried } from './tried.ts';

const rebind = (t: Tried): number => run(t.k, bindStore(t.k, t.driver, t.device)).rc;

export function nextOwner(make: Make, found: Set<Effect>): void {
  const t = removed(make);
  // The memory of a virtio-mem device is the host's: there is no owner after it.
  if (t.bus === 'virtio' || rebind(t) < 0) return;
  if (t.bus === 'dax') handOverDevDax(t.k, t.device, 2);
  else handOver(t.k, t.device, 2);
  for (const task of tasks(t)) for (const vma of fileVmas(t.k, task)) touchTest(t.k, task, vma, 'read');
  const domains = domainsOf(t.k);
  if ([0, 1, 2].some((via) => t.k.heap.load(domains.crossReads + via) + t.k.heap.load(domains.crossWrites + via) > 0)) found.add('next-owner-exposed');
}

export function endAfterRebind(make: Make, found: Set<Effect>): void {
  const t = removed(make);
  if (t.mounts.length === 0 || rebind(t) < 0) return;
  end(t, found);
  unmount(t, found, 'kernel-bug-later');
}

/** A descriptor kept over unbind and bind, then the device is destroyed. */
export function destroyLater(make: Make, found: Set<Effect>): void {
  const t = removed(make);
  if (t.bus !== 'dax' || t.k.heap.load(deviceData(t.k, t.device) + DEVDAX.inode) === 0 || rebind(t) < 0) return;
  for (const task of tasks(t)) {
    for (const fd of [...fdsOf(t.k, task)]) run(t.k, fdClose(t.k, task, fd), task);
    run(t.k, exitTask(t.k, task), task);
  }
  run(t.k, unbindStore(t.k, t.driver, t.device));
  if (destroyNamespaceOf(t.k, t.device).oops !== null) found.add('kernel-bug-later');
}

export function bindAgain(make: Make, found: Set<Effect>): void {
  if (rebind(removed(make)) < 0) found.add('no-rebind');
}

/** Memory that kmem had on a CXL region: a dax device of a new region over the same addresses goes to kmem. */
export function kmemAgain(make: Make, found: Set<Effect>): void {
  const before: { kmem?: boolean; node?: number } = {};
  const t = removed(make, ({ k }, device, range) => Object.assign(before, { kmem: deviceDriver(k, device) !== 0 && driverCore(k).driver(deviceDriver(k, device)).name === DAX_KMEM.name, node: nodeOf(k, range) }));
  if (before.kmem !== true) return;
  const { k } = t;
  const ranges = [{ start: t.range[0] * k.geo.pageSize, end: t.range[1] * k.geo.pageSize }];
  const dax = run(k, createDevDax(k, { name: 'dax9.0', ranges, targetNode: before.node ?? 0, memmapOnMemory: true, kmemType: true })).rc;
  if (run(k, bindStore(k, daxKmemInit(k), dax)).rc < 0) found.add('no-rebind');
}
