/**
 * What one design of removal reaches, misses, hurts and costs, measured by running it straight on a simulated machine: a
 * namespace that goes, and every process maps a file on it; where a file system spans two, also one on the other.
 */
import { pmemDax } from '../../kernel/drivers/nvdimm/pmem.ts';
import { mountMulti, addPmem, createFile, mountFs, pmemRange, unbindPmem } from '../../kernel/setup/fsdax.ts';
import { presentPages } from '../../kernel/setup/look.ts';
import { addProcess, faultIn, mapFile } from '../../kernel/setup/process.ts';
import { makeMachine } from '../../kernel/setup/boot-machine.ts';
import { type Ran } from '../../kernel/setup/run.ts';
import { costsOf, resetCosts, type Costs } from '../../kernel/mm/costs.ts';
import { fsDaxGet } from '../../kernel/drivers/dax/super.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { TASK } from '../../kernel/task.ts';
import type { Profile } from '../../profile/profile.ts';
import { GiB, MiB } from '../../range/units.ts';

export interface Scale {
  /** Pages of the mapped file on the device that goes (4 KiB). */
  readonly pages: number;
  /** Further files of the file system that nobody maps. */
  readonly inodes: number;
  readonly processes: number;
  /** Pieces that the mapped file lies in. */
  readonly extents: number;
}

export interface Measured {
  readonly scale: Scale;
  readonly costs: Costs;
  /** Everything that was looked at or taken out, added up: the one figure of the plot. */
  readonly operations: number;
  /** Pages of the device mapped before, and still mapped when the unbind has returned. */
  readonly mapped: number;
  readonly missed: number;
  /** Pages of the healthy device that were unmapped. */
  readonly healthyUnmapped: number;
  /** Processes with a SIGBUS pending or taken. */
  readonly signalled: number;
  readonly ran: Ran;
}

const START = 4 * GiB;

/** `multi`: one file system over two namespaces (3e); `xfs`: with rmapbt, the file in the last allocation group. */
export type MeasuredFs = 'ext4' | 'xfs' | 'multi';

export function measure(profile: Profile, fs: MeasuredFs, scale: Scale): Measured {
  const k = makeMachine({ profile });
  const size = Math.ceil((scale.pages * 4096 * 2 + scale.inodes * 4096 + 512 * MiB) / (128 * MiB)) * 128 * MiB * (fs === 'xfs' ? 2 : 1);
  const bad = addPmem(k, { start: START, size });
  const good = fs === 'multi' ? addPmem(k, { name: 'pfn1.0', start: START + size, size }) : 0;
  const sb = fs === 'multi' ? mountMulti(k, [good, bad]) : mountFs(k, bad, fs === 'xfs' ? { type: 'xfs', rmapbt: true, groups: 2 } : { type: 'ext4' });
  if (fs === 'multi') fsDaxGet(k, pmemDax(k, bad), sb, true);
  const files = makeFiles(k, sb, fs, scale, size);
  const tasks = Array.from({ length: scale.processes }, () => {
    const task = addProcess(k);
    for (const file of files) faultIn(k, mapFile(k, task, file), true);
    return task;
  });
  const [badRange, goodRange] = [pmemRange(k, bad), good === 0 ? ([0, 0] as const) : pmemRange(k, good)];
  const count = ([from, to]: readonly [number, number]): number => tasks.reduce((sum, task) => sum + presentPages(k, task, from, to), 0);
  const [mapped, healthy] = [count(badRange), count(goodRange)];
  resetCosts(k);
  const ran = unbindPmem(k, bad);
  const costs = { ...(costsOf(k) as Costs) };
  const { pagesVisited, tasksVisited, vmasVisited, entriesVisited, inodesVisited, extentsVisited, entriesZapped } = costs;
  return {
    scale, costs, operations: pagesVisited + tasksVisited + vmasVisited + entriesVisited + inodesVisited + extentsVisited + entriesZapped,
    mapped, missed: count(badRange), healthyUnmapped: healthy - count(goodRange), signalled: tasks.filter((task) => k.heap.load(task + TASK.pending) + k.heap.load(task + TASK.sigbusTaken) > 0).length, ran,
  };
}

/** The mapped files (on the device that goes, then on the healthy one) and the idle ones. */
function makeFiles(k: Kernel, sb: number, fs: MeasuredFs, scale: Scale, size: number): number[] {
  const device = fs === 'multi' ? 1 : 0;
  // The last group of XFS is the one that every release computes right.
  const base = fs === 'xfs' ? Math.ceil((size / 4096 / 2 + 4096) / 512) * 512 : 4096;
  const each = Math.ceil(scale.pages / scale.extents);
  const extents = Array.from({ length: scale.extents }, (_, i) => ({ file: i * each, device: base + i * each * (scale.extents > 1 ? 2 : 1), pages: Math.min(each, scale.pages - i * each), shared: false, dev: device })).filter((e) => e.pages > 0);
  const files = [createFile(k, sb, { pages: scale.pages, extents })];
  if (fs === 'multi') files.push(createFile(k, sb, { pages: 512, extents: [{ file: 0, device: 1024, pages: 512, shared: false, dev: 0 }] }));
  for (let i = 0; i < scale.inodes; i += 1) createFile(k, sb, { pages: 1, extents: [{ file: 0, device: 2048 + i, pages: 1, shared: false, dev: 0 }] });
  return files;
}
