/** Reads and writes by the processes themselves, and looks at them from outside. */
import type { PhysRange } from '../../../range/phys-range.ts';
import type { PageCounts } from '../../../scenario/observation.ts';
import { deviceData } from '../../drivers/base/bus.ts';
import { swapRead } from '../../fs/block.ts';
import type { Kernel } from '../../kernel.ts';
import { TOUCH_DEAD, TOUCH_SIGBUS, TOUCH_SIGSEGV, userRead as cpuRead, userWrite as cpuWrite } from '../../mm/access.ts';
import { hardOfflinePage } from '../../mm/memory-failure.ts';
import { vmaLeaves } from '../../mm/memory.ts';
import { mmOf, vmasOf } from '../../mm/mm_struct.ts';
import { levelPages, PTE_ANON, PTE_PRESENT, PTE_SPECIAL } from '../../mm/pgtable.ts';
import { userFolios, userRead, userWrite } from '../../mm/ram-user.ts';
import { WALK_PAGEMAP, walkTask } from '../../mm/walkers.ts';
import { presentPages } from '../../setup/look.ts';
import { run } from '../../setup/run.ts';
import { BUS_ADRERR, isAlive, TASK, tasksOf } from '../../task.ts';
import type { BuiltScenario } from '../built.ts';
import { stillThere, type Area, type Started } from '../start-process.ts';
import { DONE, fromRan, notAvailable, type Seen } from './outcome.ts';

type Mutable = { -readonly [K in keyof PageCounts]: PageCounts[K] } & { others: Record<string, number> };

export function touch(built: BuiltScenario, how: 'read' | 'write', name: string, map: string | undefined): Seen {
  const process = built.processes.get(name);
  if (process === undefined) return notAvailable(`${name} was never started`);
  const { k } = built.world;
  if (!stillThere(k, process)) return notAvailable(`${name} has ended`);
  const pages: PageCounts[] = [];
  for (const area of process.areas.filter((a) => map === undefined || a.spec.name === map)) {
    for (const [who, task] of [[name, process.task] as const, ...process.children.map((child, i) => [`${name}.${i}`, child] as const)]) {
      if (who !== name && (area.user !== 0 || !isAlive(k, task))) continue;
      const counts: Mutable = { process: who, map: area.spec.name, pages: area.pages, own: 0, zero: 0, ones: 0, others: {}, unknown: 0, sigbus: 0, sigsegv: 0, codes: [] };
      const stopped = area.user !== 0 ? touchRam(built, how, process, area, counts) : touchMap(built, how, process, task, area, counts);
      if (stopped !== null) return who === name ? { ...stopped, pages } : { ending: 'returned', pages };
      pages.push(counts);
    }
  }
  return { ending: 'returned', pages };
}

/** Null when every page was touched; else how it ended before. */
function touchMap(built: BuiltScenario, how: 'read' | 'write', process: Started, task: number, area: Area, counts: Mutable): Seen | null {
  const { k } = built.world;
  const codes = new Set<number>();
  for (let i = 0; i < area.pages; i += 1) {
    const ran = run(k, how === 'read' ? cpuRead(k, task, area.vpn + i) : cpuWrite(k, task, area.vpn + i, process.mark), task);
    if (ran.oops !== null) return { ending: 'oops', detail: ran.oops, died: { [counts.process]: 'oops' } };
    if (ran.hangs !== null || ran.spins !== null) return fromRan(ran);
    if (ran.rc === TOUCH_DEAD) return i === 0 && !isAlive(k, task) ? notAvailable(`${counts.process} has ended`) : { ending: 'returned', died: { [counts.process]: 'SIGBUS' } };
    if (ran.rc === TOUCH_SIGBUS) {
      counts.sigbus += 1;
      codes.add(k.heap.load(task + TASK.sigbusCode));
    } else if (ran.rc === TOUCH_SIGSEGV) counts.sigsegv += 1;
    else if (how === 'write') counts.own += 1;
    else classify(built, process, area, ran.rc, 1, counts);
  }
  counts.codes = [...codes].sort();
  return null;
}

function touchRam(built: BuiltScenario, how: 'read' | 'write', process: Started, area: Area, counts: Mutable): Seen | null {
  const { k } = built.world;
  const each = area.pages / userFolios(k, area.user);
  const lost = 'anonymous' in area.spec && area.spec.swapped && built.scenario.swaps.some(({ on }) => swapRead(k, deviceData(k, built.built.get(on)?.dev ?? 0)) < 0);
  if (lost) {
    // do_swap_page(): what could not be read is SIGBUS, whatever the access.
    counts.sigbus = area.pages;
    counts.codes = [BUS_ADRERR];
    return null;
  }
  for (let slot = 0; slot < userFolios(k, area.user); slot += 1) {
    if (how === 'write') userWrite(k, area.user, slot, process.mark);
    if (how === 'write') counts.own += each;
    else classify(built, process, area, userRead(k, area.user, slot), each, counts);
  }
  return null;
}

/** Marks of processes that map the same file count as its own: whoever wrote last before the removal left them. */
function classify(built: BuiltScenario, process: Started, area: Area, value: number, pages: number, counts: Mutable): void {
  if (value === 0) counts.zero += pages;
  else if (value === -1 || value === 0xffffffff) counts.ones += pages;
  else if (value === process.mark) counts.own += pages;
  else {
    const writer = built.scenario.processes[value - 1];
    const sameFile = 'file' in area.spec && writer?.started === true && writer.maps.some((m) => 'file' in m && 'file' in area.spec && m.file === area.spec.file);
    if (sameFile) counts.own += pages;
    else if (writer === undefined) counts.unknown += pages;
    else counts.others[writer.name] = (counts.others[writer.name] ?? 0) + pages;
  }
}

/** Where the memory of a map lies; null for anonymous memory. */
function rangeOf(built: BuiltScenario, area: Area): PhysRange | null {
  const { spec } = area;
  if ('anonymous' in spec) return null;
  if ('device' in spec) return built.built.get(spec.device)?.range ?? null;
  const [fs] = built.scenario.filesystems.filter((f) => spec.file.startsWith(`${f.at}/`)).sort((a, b) => b.at.length - a.at.length);
  return fs === undefined ? null : (built.built.get(fs.on)?.range ?? null);
}

const rangesOf = (built: BuiltScenario, process: Started, map: string | undefined): PhysRange[] => {
  const found = process.areas.filter((a) => map === undefined || a.spec.name === map).map((a) => rangeOf(built, a)).filter((r) => r !== null);
  return found.filter((r, i) => found.findIndex((other) => other.start === r.start) === i);
};

/** Pages of the process's maps that are present and lie on the machine's removable memory. */
export function pagemap(built: BuiltScenario, name: string, map: string | undefined): Seen {
  const process = built.processes.get(name);
  const { k } = built.world;
  if (process === undefined) return notAvailable(`${name} was never started`);
  if (!stillThere(k, process) || !isAlive(k, process.task)) return notAvailable(`${name} has ended`);
  const walked = run(k, walkTask(k, process.task, WALK_PAGEMAP));
  if (walked.oops !== null || walked.spins !== null || walked.hangs !== null) return fromRan(walked);
  return { ending: 'returned', present: rangesOf(built, process, map).reduce((sum, r) => sum + presentPages(k, process.task, r.start / k.geo.pageSize, r.end / k.geo.pageSize), 0) };
}

/** A reader of smaps or numa_maps. */
export function walked(built: BuiltScenario, name: string, kind: number): Seen {
  const process = built.processes.get(name);
  if (process === undefined) return notAvailable(`${name} was never started`);
  const { k } = built.world;
  if (!stillThere(k, process)) return notAvailable(`${name} has ended`);
  const ran = run(k, walkTask(k, process.task, kind));
  return ran.oops !== null || ran.spins !== null || ran.hangs !== null ? fromRan(ran) : DONE;
}

/** One write to hard_offline_page for each mapped unit that is still present when its turn comes, with early kill on. */
export function hardOffline(built: BuiltScenario, name: string): Seen {
  const process = built.processes.get(name);
  if (process === undefined) return notAvailable(`${name} was never started`);
  const { k } = built.world;
  if (!stillThere(k, process)) return notAvailable(`${name} has ended`);
  k.heap.store(tasksOf(k).earlyKill, 1);
  let writes = 0;
  let refused = 0;
  for (const range of rangesOf(built, process, undefined)) {
    for (const pfn of presentFrames(k, process.task, range)) {
      if (!stillPresent(k, process.task, pfn)) continue;
      writes += 1;
      const ran = run(k, hardOfflinePage(k, pfn));
      if (ran.oops !== null || ran.spins !== null) return fromRan(ran);
      if (ran.rc < 0) refused += 1;
    }
  }
  return { ending: 'returned', figures: { writes, refused } };
}

/** Number of the first frame of a device that the process maps; 0 where it maps none. */
export function firstFrame(built: BuiltScenario, process: Started): number {
  for (const range of rangesOf(built, process, undefined)) {
    const [frame] = presentFrames(built.world.k, process.task, range);
    if (frame !== undefined) return frame;
  }
  return 0;
}

function* deviceLeaves(k: Kernel, task: number): Generator<{ first: number; pages: number }> {
  const mm = mmOf(k, task);
  if (mm === 0) return;
  for (const vma of vmasOf(k, mm)) {
    for (const { leaf } of vmaLeaves(k, vma)) {
      if ((leaf.flags & PTE_PRESENT) !== 0 && (leaf.flags & (PTE_ANON | PTE_SPECIAL)) === 0) yield { first: leaf.pfn, pages: leaf.count * levelPages(leaf.level) };
    }
  }
}

function presentFrames(k: Kernel, task: number, range: PhysRange): number[] {
  const [start, end] = [range.start / k.geo.pageSize, range.end / k.geo.pageSize];
  return [...deviceLeaves(k, task)].flatMap(({ first, pages }) => Array.from({ length: pages }, (_, i) => first + i)).filter((pfn) => pfn >= start && pfn < end);
}

const stillPresent = (k: Kernel, task: number, pfn: number): boolean => {
  for (const { first, pages } of deviceLeaves(k, task)) if (pfn >= first && pfn < first + pages) return true;
  return false;
};
