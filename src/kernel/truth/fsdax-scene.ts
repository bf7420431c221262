/** The guest of the fsdax measurements: 512 MiB namespace, one file system, holders of a 4 MiB file; and what was done to it. */
import type { Profile } from '../../profile/profile.ts';
import { MiB } from '../../range/units.ts';
import type { Effect } from '../../steps/forecast.ts';
import { findFile } from '../fs/disk.ts';
import { umount, goingDown } from '../fs/super.ts';
import { syncFilesystem } from '../fs/sync.ts';
import { peekMedium } from '../domains.ts';
import { deviceData } from '../drivers/base/bus.ts';
import { pmemData } from '../drivers/nvdimm/pmem.ts';
import { extentsOf, INODE, SB, SB_SHUTDOWN, sbHas, type Extent } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import { exitTask } from '../mm/exit.ts';
import { hardOfflinePage } from '../mm/memory-failure.ts';
import { vmaLeaves } from '../mm/memory.ts';
import { mmOf, vmasOf } from '../mm/mm_struct.ts';
import { levelPages, PTE_ANON, PTE_PRESENT, PTE_SPECIAL } from '../mm/pgtable.ts';
import { addPmem, bindPmem, createFile, mountFs, pmemRange, unbindPmem, type FileInput, type FsInput } from '../setup/fsdax.ts';
import { presentPages, touchTest } from '../setup/look.ts';
import { addProcess, mapFile, touchAll, type MapInput, type ProcessInput } from '../setup/process.ts';
import { makeMachine } from '../setup/boot-machine.ts';
import { run, type Ran } from '../setup/run.ts';
import { continueTask, eachTask, isAlive, stopTask, takeSignals, tasksOf, TASK } from '../task.ts';

const pmemDataPfn = (k: Kernel, dev: number): number => pmemData(k, deviceData(k, dev));

export interface SceneInput {
  readonly fs: FsInput;
  readonly map?: 'mem' | 'dev';
  readonly file?: Partial<FileInput>;
}

export interface Holder {
  readonly task: number;
  readonly vma: number;
}

export class FsdaxScene {
  readonly k: Kernel;
  readonly dev: number;
  readonly sb: number;
  readonly file: number;
  readonly range: readonly [number, number];
  readonly holders: Holder[] = [];
  readonly layout: readonly Extent[];
  unbound: Ran | null = null;

  constructor(profile: Profile, input: SceneInput) {
    this.k = makeMachine({ profile });
    this.dev = addPmem(this.k, { start: 0x100000000, size: 512 * MiB, map: input.map ?? 'mem' });
    this.sb = mountFs(this.k, this.dev, input.fs);
    this.file = createFile(this.k, this.sb, { pages: 1024, ...input.file });
    this.layout = extentsOf(this.k, this.file);
    this.range = pmemRange(this.k, this.dev);
  }

  /** A process that maps the file and touches every page. */
  hold(map: MapInput = {}, process: ProcessInput = {}, how: 'read' | 'write' = map.readOnly === true ? 'read' : 'write', file = this.file): Holder {
    const task = addProcess(this.k, process);
    const vma = mapFile(this.k, task, file, map);
    touchAll(this.k, task, vma, how);
    this.holders.push({ task, vma });
    return this.holders.at(-1) as Holder;
  }

  stopAll(): void {
    for (const { task } of this.holders) stopTask(this.k, task);
  }

  /** SIGCONT to all: pending signals are taken, and who does not handle SIGBUS dies. */
  continueAll(): void {
    for (const { task } of this.holders) {
      continueTask(this.k, task);
      if (isAlive(this.k, task) && !takeSignals(this.k, task)) run(this.k, exitTask(this.k, task), task);
    }
  }

  present(task: number): number {
    return presentPages(this.k, task, ...this.range);
  }

  /**
   * The forced procedure: early kill on, holders stopped, one write to hard_offline_page for every page that a pagemap
   * still shows. Writes made, and how many said an error.
   */
  forced(): { writes: number; errors: number } {
    const { k } = this;
    k.heap.store(tasksOf(k).earlyKill, 1);
    this.stopAll();
    let [writes, errors] = [0, 0];
    for (const task of [...eachTask(k)]) {
      if (mmOf(k, task) === 0) continue;
      for (const pfn of this.mappedPfns(task)) {
        if (!this.maps(task, pfn)) continue;
        writes += 1;
        if (run(k, hardOfflinePage(k, pfn)).rc < 0) errors += 1;
      }
    }
    return { writes, errors };
  }

  private mappedPfns(task: number): number[] {
    const pfns: number[] = [];
    for (const vma of vmasOf(this.k, mmOf(this.k, task))) {
      for (const { leaf } of vmaLeaves(this.k, vma)) {
        if ((leaf.flags & PTE_PRESENT) === 0 || (leaf.flags & (PTE_ANON | PTE_SPECIAL)) !== 0) continue;
        for (let i = 0; i < leaf.count * levelPages(leaf.level); i += 1) pfns.push(leaf.pfn + i);
      }
    }
    return pfns.sort((a, b) => a - b);
  }

  private maps(task: number, pfn: number): boolean {
    return presentPages(this.k, task, pfn, pfn + 1) > 0 || this.mappedPfnsInclude(task, pfn);
  }

  private mappedPfnsInclude(task: number, pfn: number): boolean {
    for (const vma of vmasOf(this.k, mmOf(this.k, task))) {
      for (const { leaf } of vmaLeaves(this.k, vma)) {
        if ((leaf.flags & (PTE_ANON | PTE_SPECIAL)) === 0 && pfn >= leaf.pfn && pfn < leaf.pfn + leaf.count * levelPages(leaf.level)) return true;
      }
    }
    return false;
  }

  sync(): Ran {
    return run(this.k, syncFilesystem(this.k, this.sb));
  }

  shutdownIoctl(flag = 2): Ran {
    return run(this.k, goingDown(this.k, this.sb, flag));
  }

  unbind(): Ran {
    this.unbound = unbindPmem(this.k, this.dev);
    return this.unbound;
  }

  bind(): Ran {
    return bindPmem(this.k, this.dev);
  }

  umount(lazy = false): Ran {
    return run(this.k, umount(this.k, this.sb, lazy ? 1 : 0));
  }

  exit(holder: Holder): Ran {
    continueTask(this.k, holder.task);
    return run(this.k, exitTask(this.k, holder.task), holder.task);
  }

  exitAll(): Ran[] {
    return this.holders.filter((h) => isAlive(this.k, h.task)).map((h) => this.exit(h));
  }

  /** Effects of the unbind itself and of what holders find afterwards (READTEST). */
  afterUnbind(): Effect[] {
    const found: Effect[] = [];
    if (this.unbound?.spins !== null) found.push('unbind-spins');
    if (this.unbound?.hangs !== null) found.push('unbind-hangs');
    if (found.length === 0) {
      for (const { task, vma } of this.holders) {
        if (!isAlive(this.k, task)) continue;
        const mapped = this.present(task) > 0;
        const read = touchTest(this.k, task, vma, 'read');
        if (mapped && read.ok > 0) found.push('stale-mapping');
        if (read.sigbus > 0) found.push('sigbus');
      }
    }
    return found;
  }

  /** Pages of the file whose content on the medium is `value` (or its marker, where no value is given). */
  mediumPagesWith(value?: number, inode = this.file): number {
    const base = pmemDataPfn(this.k, this.dev);
    let pages = 0;
    for (const e of extentsOf(this.k, inode)) for (let i = 0; i < e.pages; i += 1) if (peekMedium(this.k, base + e.device + i) === (value ?? e.file + i + 1)) pages += 1;
    return pages;
  }

  /** After an unbind: bound again, everybody gone, mounted anew: pages of the file that hold their markers; 0 without the file. */
  intactAfterRebind(fs: FsInput): number {
    this.bind();
    this.continueAll();
    this.exitAll();
    this.umount();
    const again = findFile(this.k, mountFs(this.k, this.dev, fs), 'f');
    return again === 0 ? 0 : this.mediumPagesWith(undefined, again);
  }

  /** Pages of the medium, wherever they lie, that hold the markers of the file as it was laid out at first. */
  mediumPagesOfFile(): number {
    const base = pmemDataPfn(this.k, this.dev);
    return this.layout.reduce((sum, e) => sum + Array.from({ length: e.pages }, (_, i) => (peekMedium(this.k, base + e.device + i) === e.file + i + 1 ? 1 : 0)).reduce<number>((a, b) => a + b, 0), 0);
  }

  get isShutDown(): boolean {
    return sbHas(this.k, this.sb, SB_SHUTDOWN);
  }

  get inUse(): number {
    return this.k.heap.load(this.file + INODE.count);
  }

  get mounts(): number {
    return this.k.heap.load(this.sb + SB.mounts);
  }

  sigbusTaken(holder: Holder): number {
    return this.k.heap.load(holder.task + TASK.sigbusTaken);
  }

  aoTaken(holder: Holder): number {
    return this.k.heap.load(holder.task + TASK.aoTaken);
  }
}
