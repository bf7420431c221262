/**
 * One removal, measured in a process of its own (so that its memory is its own): `node bench/lib/designs.ts '{...}'`
 * sets the machine up, unbinds, and prints one JSON document.
 */
import { costsOf, resetCosts, type Costs } from '../../src/kernel/mm/costs.ts';
import { pmemData, pmemEnd } from '../../src/kernel/drivers/nvdimm/pmem.ts';
import { deviceData } from '../../src/kernel/drivers/base/bus.ts';
import { addPmem, createFile, mountFs, pmemRange, unbindPmem } from '../../src/kernel/setup/fsdax.ts';
import { presentPages } from '../../src/kernel/setup/look.ts';
import { populateAll } from '../../src/kernel/setup/populate.ts';
import { addProcess, mapFile } from '../../src/kernel/setup/process.ts';
import { makeMachine } from '../../src/kernel/setup/boot-machine.ts';
import { profileByName } from '../../src/profile/select.ts';
import { GiB } from '../../src/range/units.ts';

export interface Cell {
  readonly profile: string;
  readonly fs: 'ext4' | 'xfs';
  /** Bytes of the device. */
  readonly device: number;
  /** Bytes of it that the mapped file takes; as much as there is room for unless told. */
  readonly mapped: number | null;
  readonly entry: '2m' | '4k';
  readonly processes: number;
  /** Files in core that nobody maps. */
  readonly inodes: number;
}

export interface CellResult {
  readonly operations: number;
  readonly costs: Costs;
  /** Pages mapped, added up over the processes, before and after. */
  readonly mapped: number;
  readonly left: number;
  /** Milliseconds by the clock and of processor time, of the removal alone. */
  readonly milliseconds: number;
  readonly cpu: number;
  readonly setup: number;
  readonly setupCpu: number;
  /** Heap words in use when set up, and what the removal added. */
  readonly words: number;
  readonly moreWords: number;
  /** Most that the process had resident, bytes. */
  readonly rss: number;
  readonly ended: string;
}

export function measureCell(cell: Cell): CellResult {
  const profile = profileByName(cell.profile);
  if (profile === null) throw new Error(`no profile ${cell.profile}`);
  const [began, beganCpu] = [performance.now(), process.cpuUsage()];
  const k = makeMachine({ profile });
  const dev = addPmem(k, { start: 4 * GiB, size: cell.device, map: 'dev' });
  const sb = mountFs(k, dev, cell.fs === 'xfs' ? { type: 'xfs', rmapbt: true } : { type: 'ext4' });
  const data = pmemEnd(k, deviceData(k, dev)) - pmemData(k, deviceData(k, dev));
  // Room for metadata at the head of each group, for the idle files, and for alignment.
  const room = Math.floor((data - 16 * 512 - cell.inodes) / 512) * 512;
  const file = createFile(k, sb, { pages: Math.min(room, cell.mapped === null ? room : cell.mapped / 4096), align: 512 });
  for (let i = 0; i < cell.inodes; i += 1) createFile(k, sb, { pages: 1 });
  const tasks = Array.from({ length: cell.processes }, () => addProcess(k));
  const vmas = tasks.map((task) => mapFile(k, task, file, cell.entry === '4k' ? { offBy: 1 } : {}));
  populateAll(k, vmas, true);
  const [from, to] = pmemRange(k, dev);
  const count = (): number => tasks.reduce((sum, task) => sum + presentPages(k, task, from, to), 0);
  const mapped = count();
  const words = k.heap.used;
  resetCosts(k);
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const ran = unbindPmem(k, dev);
  const milliseconds = performance.now() - started;
  const used = process.cpuUsage(cpu);
  const setUp = cpu.user + cpu.system - beganCpu.user - beganCpu.system;
  const costs = { ...(costsOf(k) as Costs) };
  const { pagesVisited, tasksVisited, vmasVisited, entriesVisited, inodesVisited, extentsVisited, entriesZapped } = costs;
  return {
    operations: pagesVisited + tasksVisited + vmasVisited + entriesVisited + inodesVisited + extentsVisited + entriesZapped,
    costs, mapped, left: count(), milliseconds, cpu: (used.user + used.system) / 1000, setup: started - began, setupCpu: setUp / 1000,
    words, moreWords: k.heap.used - words, rss: process.resourceUsage().maxRSS * 1024,
    ended: ran.oops !== null ? `oops in ${ran.oops}` : ran.hangs !== null ? `hangs in ${ran.hangs}` : ran.spins !== null ? `spins in ${ran.spins}` : `returned ${ran.rc}`,
  };
}

if (import.meta.main) console.log(JSON.stringify(measureCell(JSON.parse(process.argv[2] ?? '{}') as Cell)));
