/**
 * The forecast of each capture, and of captures as other kernels would have it, against docs/kernel-truth. Each line
 * cites the row that it stands for.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Effect, RemovalEvent } from '../src/steps/forecast.ts';
import { effectsOf, planned } from './planned.ts';

interface Row {
  readonly capture: string;
  readonly device: string;
  /** Profile instead of the capture's own. */
  readonly kernel?: string;
  /** The reverse map of its XFS, as if the superblock had been read. */
  readonly rmapbt?: 'yes' | 'no';
  readonly event?: RemovalEvent;
  readonly certain?: readonly Effect[];
  readonly likely?: readonly Effect[];
  readonly possible?: readonly Effect[];
  /** Must not be forecast at all. */
  readonly never?: readonly Effect[];
  readonly row: string;
}

const EXT4_STALE: readonly Effect[] = ['stale-mapping', 'next-owner-exposed', 'sigbus', 'oops-at-umount'];

const ROWS: readonly Row[] = [
  // Part A, ext4.
  { capture: 'fsdax-7.2-ext4', device: 'pmem0', certain: [...EXT4_STALE, 'oops-at-exit', 'oops-on-pagemap', 'oops-on-smaps', 'fs-shutdown', 'umount-hangs', 'bad-page-map', 'io-errors'], never: ['unbind-hangs', 'unbind-spins', 'stale-write'], row: 'A matrix, 6.18/7.2 ext4; A 1; B 1b' },
  { capture: 'fsdax-7.2-ext4', device: 'pmem0', kernel: '6.18', certain: [...EXT4_STALE, 'umount-hangs', 'bad-page-map', 'fs-shutdown'], never: ['unbind-spins'], row: 'A matrix, 6.18 ext4; A 1, holder killed after the rebind' },
  { capture: 'fsdax-7.2-ext4', device: 'pmem0', kernel: '6.12', certain: [...EXT4_STALE, 'oops-on-pagemap', 'fs-shutdown'], never: ['oops-at-exit', 'oops-on-smaps', 'umount-hangs', 'bad-page-map'], row: 'A matrix, 6.12 ext4; B 1b, smaps ok (Rss 0)' },
  { capture: 'fsdax-6.1-ext4', device: 'pmem0', certain: [...EXT4_STALE, 'oops-on-smaps', 'oops-on-pagemap', 'io-errors'], never: ['fs-shutdown', 'oops-at-exit', 'umount-hangs', 'bad-page-map'], row: 'A matrix, 6.1 ext4; B 1b' },
  { capture: 'fsdax-6.1-ext4', device: 'pmem0', kernel: '5.10', certain: [...EXT4_STALE, 'oops-on-smaps', 'io-errors'], never: ['fs-shutdown', 'oops-at-exit', 'umount-hangs'], row: 'A matrix, 5.10 ext4; B 1b' },
  // Part A, XFS: whether it has rmapbt cannot be seen.
  { capture: 'fsdax-6.12-xfs', device: 'pmem0', certain: ['oops-at-umount', 'fs-shutdown'], possible: ['sigbus', 'stale-mapping'], never: ['unbind-spins', 'oops-at-exit'], row: 'A matrix, 6.12 xfs; A 3, 4 KiB reader' },
  { capture: 'fsdax-6.12-xfs', device: 'pmem0', kernel: '7.2', certain: ['fs-shutdown', 'oops-at-umount'], possible: ['unbind-spins', 'stale-mapping', 'oops-at-exit', 'bad-page-map'], row: 'A matrix, 6.18/7.2 xfs; A 1, the XFS spin' },
  { capture: 'fsdax-6.12-xfs', device: 'pmem0', kernel: '6.18', possible: ['unbind-spins'], row: 'A 1, 6.18.15 spins' },
  { capture: 'fsdax-6.12-xfs', device: 'pmem0', kernel: '6.1', certain: ['stale-mapping'], possible: ['fs-shutdown', 'sigbus'], never: ['unbind-spins'], row: 'A matrix, 6.1 xfs' },
  { capture: 'fsdax-6.12-xfs', device: 'pmem0', rmapbt: 'yes', certain: ['sigbus', 'oops-at-umount', 'fs-shutdown'], possible: ['stale-mapping'], never: ['unbind-spins'], row: 'A matrix, 6.12 xfs rmapbt=1; A 3, 4 KiB reader' },
  { capture: 'fsdax-6.12-xfs', device: 'pmem0', rmapbt: 'no', certain: ['stale-mapping', 'next-owner-exposed'], possible: ['sigbus'], never: ['unbind-spins'], row: 'A matrix, 6.12 xfs rmapbt=0' },
  { capture: 'fsdax-6.12-xfs', device: 'pmem0', kernel: '7.2', rmapbt: 'yes', likely: ['unbind-spins'], possible: ['sigbus'], row: 'A 1, rmapbt=1, mapped: spins, but for files in the last allocation group' },
  { capture: 'fsdax-6.12-xfs', device: 'pmem0', kernel: '7.2', rmapbt: 'no', certain: ['stale-mapping', 'oops-at-exit', 'bad-page-map'], never: ['unbind-spins'], row: 'A 1, rmapbt=0: stale; A matrix, exit and "Bad page map"' },
  // Part B 1 and 2, device-dax.
  { capture: 'devdax-holder-none-7.2', device: 'dax0.0', certain: ['sigbus', 'next-owner-exposed'], likely: ['kernel-bug-later'], possible: ['pin-outlives-memmap'], never: ['unbind-hangs', 'stale-mapping', 'oops-on-pagemap'], row: 'B 1; B 2; B 1b, devdax holders harmless' },
  { capture: 'devdax-holder-u-7.2', device: 'dax0.0', certain: ['sigbus', 'next-owner-exposed'], likely: ['pin-outlives-memmap', 'kernel-bug-later'], never: ['unbind-hangs'], row: 'B 2 (u)' },
  { capture: 'devdax-holder-none-7.2', device: 'dax0.0', kernel: '5.10', certain: ['sigbus', 'next-owner-exposed'], possible: ['unbind-hangs'], never: ['pin-outlives-memmap'], row: 'B 2, 5.10 hangs' },
  { capture: 'devdax-holder-none-7.2', device: 'dax0.0', kernel: '6.1', possible: ['pin-outlives-memmap'], never: ['unbind-hangs'], row: 'B 2, 6.1 does not wait' },
  // Part B 3, kmem.
  { capture: 'sysram-online-kernel-plain-7.2', device: 'dax0.0', certain: ['region-leaked', 'no-rebind'], never: ['reads-zero', 'clean', 'allocator-continues'], row: 'B 3 (a)' },
  { capture: 'sysram-online-movable-plain-6.12', device: 'dax0.0', certain: ['region-leaked', 'no-rebind'], never: ['allocator-continues'], row: 'B 3 (a)' },
  { capture: 'sysram-online-movable-plain-6.12', device: 'dax0.0', kernel: '5.10', certain: ['region-leaked', 'no-rebind'], row: 'B 3 (a), 5.10' },
  { capture: 'sysram-online-kernel-plain-7.2', device: 'memory33', certain: ['veto'], never: ['never-ends'], row: 'B 3 (c), ZONE_NORMAL block: immediate EBUSY' },
  // Part B 4.
  { capture: 'many-namespaces-7.2', device: 'pmem0.1', certain: ['stale-mapping', 'bad-page-map', 'fs-shutdown', 'oops-at-exit', 'oops-at-umount', 'oops-on-pagemap', 'oops-on-smaps'], row: 'B 4, labels: "Bad page map" after a rebind; the lab on 7.2: the exit oopses while unbound, also beside neighbours' },
  { capture: 'mixed-ram-pmem-6.12', device: 'pmem0', certain: ['stale-mapping', 'fs-shutdown'], possible: ['oops-at-umount', 'oops-on-pagemap'], row: 'A matrix, 6.12 ext4; the memmap of an early section stays (mm/sparse.c), not run' },
  { capture: 'mixed-ram-pmem-6.12', device: 'memory8', certain: ['veto'], never: ['never-ends'], row: 'B 4, offline a RAM block that holds pmem: EINVAL' },
  // Part B 6.
  { capture: 'virtio-mem-7.2', device: 'virtio1', certain: ['no-rebind'], never: ['region-leaked', 'reads-zero', 'allocator-continues'], row: 'B 6, unbind virtio_mem while in use' },
  { capture: 'virtio-mem-7.2', device: 'virtio1', event: 'pull', certain: ['veto'], row: 'B 6, device_del' },
  { capture: 'many-namespaces-7.2', device: 'pmem0.1', certain: ['oops-on-write'], row: 'B 6 and scenarios/fsdax-ext4-write-unbound-4k, write through a stale 4 KiB mapping on 7.2' },
  { capture: 'many-namespaces-7.2', device: 'pmem0.1', kernel: '6.12', certain: ['sigbus'], never: ['oops-on-write', 'bad-page-map'], row: 'B 6, virtio_pmem 6.12: write SIGBUS' },
  { capture: 'sysram-online-movable-plain-6.12', device: 'dax0.0', kernel: '5.2', certain: ['region-leaked'], row: 'drivers/dax/kmem.c 5.2: nothing is given back' },
  // Part B 8.
  { capture: 'cxl-region-kmem-7.2', device: 'mem0', certain: ['reads-zero', 'allocator-continues', 'region-leaked'], never: ['veto', 'sigbus'], row: 'B 8, unbind cxl_mem' },
  { capture: 'cxl-region-kmem-7.2', device: 'slot:2', event: 'pull', certain: ['reads-zero', 'allocator-continues', 'region-leaked'], never: ['veto', 'sigbus'], row: 'B 8, PCIe hot-unplug: no refusal' },
  { capture: 'cxl-region-kmem-7.2', device: 'dax0.0', event: 'pull', certain: ['reads-zero', 'allocator-continues'], row: 'B 8, PCIe hot-unplug' },
  { capture: 'cxl-region-fsdax-7.2', device: 'slot:3', event: 'pull', certain: ['stale-mapping', 'reads-zero', 'sigbus', 'oops-on-pagemap', 'fs-shutdown'], never: ['veto', 'next-owner-exposed'], row: 'B 8, fsdax ext4, device_del' },
  { capture: 'cxl-region-fsdax-7.2', device: 'mem1', certain: ['stale-mapping', 'reads-zero', 'sigbus', 'oops-on-pagemap', 'fs-shutdown'], row: 'B 8, fsdax ext4, unbind cxl_pci' },
  { capture: 'cxl-region-fsdax-7.2', device: 'mem1', kernel: '6.12', certain: ['stale-mapping', 'reads-zero', 'oops-on-pagemap'], row: 'B 8, "6.12: same results"' },
];

for (const r of ROWS) {
  test(`${r.capture}${r.kernel ? ` as ${r.kernel}` : ''}${r.rmapbt ? ` rmapbt ${r.rmapbt}` : ''}, ${r.event ?? 'unbind'} of ${r.device}: ${r.row}`, async () => {
    const id = 'fsdax:namespace0.0';
    const { plan } = await planned(r.capture, r.device, r.kernel, r.rmapbt ? { rmapbt: { [id]: r.rmapbt } } : {});
    const found = effectsOf(plan, r.event ?? 'unbind');
    for (const certainty of ['certain', 'likely', 'possible'] as const) {
      for (const effect of r[certainty] ?? []) assert.equal(found.get(effect), certainty, `${effect} of ${[...found.keys()].join(', ')}`);
    }
    for (const effect of r.never ?? []) assert.equal(found.has(effect), false, `${effect} must not be forecast`);
  });
}

test('every line of a forecast says why and where that is known from', async () => {
  const { plan } = await planned('fsdax-7.2-ext4', 'pmem0');
  for (const e of plan.forecasts.flatMap((f) => f.effects)) {
    assert.ok(e.because.length > 20);
    assert.match(e.source, /docs\/kernel-truth|scenarios\/|mm\/|drivers\/|not measured/);
  }
});
