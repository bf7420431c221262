/** Steps about holders from outside: freezer, pending signals, injected calls, poisoned pages, lazy unmounts, the medium itself. */
import { holderVerbs } from '../../../scenario/verbs-holder.ts';
import type { Step } from '../../../scenario/step.ts';
import { peekMedium } from '../../domains.ts';
import { deviceData, deviceDriver } from '../../drivers/base/bus.ts';
import { EINVAL, ENOENT } from '../../errno.ts';
import { pmemData, pmemEnd } from '../../drivers/nvdimm/pmem.ts';
import { remountReadOnly } from '../../fs/block.ts';
import { entriesIn } from '../../fs/dax-entry.ts';
import { INODE, inodeFreeing, inodesOf, superBlocks } from '../../fs/inode.ts';
import { evictInode } from '../../fs/super.ts';
import { FIRST_NAMESPACE } from '../../host/world.ts';
import { unpoisonMemory } from '../../mm/memory-failure.ts';
import { madviseDontneed } from '../../mm/mmap.ts';
import { run } from '../../setup/run.ts';
import { continueTask, isAlive, PENDING_SIGBUS, stopTask, takeSignals, TASK } from '../../task.ts';
import type { BuiltScenario } from '../built.ts';
import { stillThere, type Started } from '../start-process.ts';
import { DONE, fromRan, fromRc, inShell, notAvailable, type Seen } from './outcome.ts';
import { firstFrame } from './touch.ts';

type HolderStep = Extract<Step, { verb: keyof typeof holderVerbs }>;
export const isHolderStep = (step: Step): step is HolderStep => Object.hasOwn(holderVerbs, step.verb);

export function takeHolderStep(built: BuiltScenario, { verb, argument }: HolderStep): Seen {
  const { k, mounts } = built.world;
  if (verb === 'unmountLazy') return inShell(k, 'umount -l', () => mounts.unmount(FIRST_NAMESPACE, argument, true));
  if (verb === 'remountReadOnly') {
    const sb = mounts.at(FIRST_NAMESPACE, argument)?.sb;
    return fromRc(sb === undefined ? -EINVAL : remountReadOnly(k, sb));
  }
  if (verb === 'medium') return medium(built, argument);
  const process = built.processes.get(argument);
  if (process === undefined || !stillThere(k, process) || !isAlive(k, process.task)) return notAvailable(`${argument} is not there`);
  return ofProcess(built, verb, process);
}

function ofProcess(built: BuiltScenario, verb: Exclude<HolderStep['verb'], 'unmountLazy' | 'remountReadOnly' | 'medium'>, process: Started): Seen {
  const { k } = built.world;
  const { task } = process;
  switch (verb) {
    case 'freeze': stopTask(k, task); return DONE;
    case 'thaw': continueTask(k, task); return DONE;
    case 'pending': return { ending: 'returned', figures: { sigbus: (k.heap.load(task + TASK.pending) & PENDING_SIGBUS) === 0 ? 0 : 1 } };
    // To answer it must run, and a program that runs takes its signals first.
    case 'signals': return takeSignals(k, task) ? { ending: 'returned', figures: { ao: k.heap.load(task + TASK.aoTaken) } } : notAvailable('a SIGBUS that nobody handles ends it');
    case 'unpoison': {
      const frame = firstFrame(built, process);
      return frame === 0 ? notAvailable('it maps no page of a device') : fromRc(unpoisonMemory(k, frame));
    }
    case 'injectMadvise':
      for (const area of process.areas) {
        const ran = run(k, madviseDontneed(k, task, area.vpn, area.vpn + area.pages), task);
        if (ran.rc < 0 || ran.oops !== null || ran.hangs !== null) return fromRan(ran);
      }
      return DONE;
  }
}

/** Pages of a block device by the process whose mark they hold. */
function medium(built: BuiltScenario, name: string): Seen {
  const { k } = built.world;
  const device = built.built.get(name);
  if (device === undefined || device.kind !== 'namespace' || deviceDriver(k, device.dev) === 0) return fromRc(-ENOENT);
  const pmem = deviceData(k, device.dev);
  const figures: Record<string, number> = {};
  for (let pfn = pmemData(k, pmem); pfn < pmemEnd(k, pmem); pfn += 1) {
    const writer = built.scenario.processes[peekMedium(k, pfn) - 1]?.name;
    if (writer !== undefined) figures[writer] = (figures[writer] ?? 0) + 1;
  }
  return { ending: 'returned', figures };
}

/**
 * drop_caches: inodes that nobody uses are evicted, but not those with DAX entries, which no shrinker takes (fs/inode.c: inode_lru_isolate() asks
 * mapping_empty() from 5.13 on, and invalidate_mapping_pages() leaves them alone).
 */
export function dropCaches(built: BuiltScenario): Seen {
  const { k } = built.world;
  if (k.profile.name.startsWith('5.')) return notAvailable('before 5.13 the shrinker takes inodes with DAX entries as well, at a time of its own choice');
  for (const sb of [...superBlocks(k)]) {
    for (const inode of [...inodesOf(k, sb)]) {
      if (k.heap.load(inode + INODE.count) !== 0 || inodeFreeing(k, inode) || [...entriesIn(k, inode, 0, k.heap.load(inode + INODE.pages))].length > 0) continue;
      const seen = fromRan(run(k, evictInode(k, inode)));
      if (seen.ending !== 'returned') return seen;
    }
  }
  return DONE;
}
