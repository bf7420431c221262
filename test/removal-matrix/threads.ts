/** Threads of a holder: what they have for themselves, and what they do while the engine works. */
import { INODE, inodesOf } from '../../src/kernel/fs/inode.ts';
import { cloneThread } from '../../src/kernel/thread-group.ts';
import { userWrite } from '../../src/kernel/mm/access.ts';
import { vmaStart } from '../../src/kernel/mm/mm_struct.ts';
import type { BuiltScenario } from '../../src/kernel/scenario/build.ts';
import { createFile } from '../../src/kernel/setup/fsdax.ts';
import { chdir, mapFile, openFile } from '../../src/kernel/setup/process.ts';
import { run } from '../../src/kernel/setup/run.ts';
import { findTask, TASK_RUNNING, taskPid, taskState } from '../../src/kernel/task.ts';

const taskOf = ({ processes }: BuiltScenario, name: string): number => processes.get(name)?.task ?? 0;
const superOf = ({ supers }: BuiltScenario): number => supers.get('/mnt') ?? 0;

/** A file of the mount: found, or made with as many pages. */
function fileAt(built: BuiltScenario, name: string, pages: number): number {
  const { k } = built.world;
  for (const inode of inodesOf(k, superOf(built))) if (k.names.text(k.heap.load(inode + INODE.name)) === name) return inode;
  return createFile(k, superOf(built), { pages, name, domain: built.domain });
}

/** How often the third thread maps a file anew: without an end nobody could ever be still. */
const MAPS = 4;

/**
 * Three threads beside the first: one is blocked in a system call all the time, one writes to the mapping, one maps and opens
 * files. What is returned is to run before each call of the engine.
 */
export function busyThreads(built: BuiltScenario): () => void {
  const { k } = built.world;
  const task = taskOf(built, 'h');
  const [, toucher = 0, mapper = 0] = [cloneThread(k, task), cloneThread(k, task), cloneThread(k, task)];
  const tids = new Map([toucher, mapper].map((thread) => [thread, taskPid(k, thread)]));
  const vma = built.processes.get('h')?.maps.get('m') ?? 0;
  const first = vmaStart(k, vma);
  const mark = built.processes.get('h')?.mark ?? 0;
  let left = MAPS;
  let turn = 0;
  // One that was reaped is no task any more.
  const runs = (thread: number): boolean => findTask(k, tids.get(thread) ?? 0) === thread && taskState(k, thread) === TASK_RUNNING;
  return () => {
    turn += 1;
    if (runs(toucher)) run(k, userWrite(k, toucher, first + (turn % 64), mark), toucher);
    if (turn % 7 !== 0 || left === 0 || !runs(mapper) || built.world.mounts.all().length === 0) return;
    left -= 1;
    const file = fileAt(built, `more-${left}`, 16);
    if (left % 2 === 0) openFile(k, mapper, file);
    else run(k, userWrite(k, mapper, vmaStart(k, mapFile(k, mapper, file)), mark), mapper);
  };
}

/** One thread of `h` has a file open in a table of its own, one a directory of its own, one has both. */
export function apartThreads(built: BuiltScenario): void {
  const { k } = built.world;
  const task = taskOf(built, 'h');
  for (const [files, places] of [[true, false], [false, true], [true, true]] as const) {
    const thread = cloneThread(k, task, { files, places });
    if (files) openFile(k, thread, fileAt(built, 'log', 4));
    if (places) chdir(k, thread, fileAt(built, 'there', 1));
  }
}
