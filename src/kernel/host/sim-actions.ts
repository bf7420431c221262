/** What can be done to a simulated machine: the same acts as on a live one, carried out by its kernel's own paths. */
import { missing, type Fact } from '../../host/fact.ts';
import type { Actions, ActResult, ProcessRef, Signal, Store } from '../../host/actions.ts';
import { EINVAL, ENODEV, errnoName } from '../errno.ts';
import { swapoff } from '../fs/block.ts';
import { goingDown } from '../fs/super.ts';
import { syncFilesystem } from '../fs/sync.ts';
import { exitTask } from '../mm/exit.ts';
import { run, type Ran } from '../setup/run.ts';
import type { Path } from '../state/path.ts';
import { findTask, isAlive, reapTask, TASK, TASK_DEAD, taskState } from '../task.ts';
import { continueProcess, stopProcess } from '../thread-group.ts';
import { threads, type Thread } from '../threads.ts';
import { startTime } from './proc-process.ts';
import type { SimFiles } from './sim-files.ts';
import { blockPlaces, type World } from './world.ts';

/** A clock that moves only when something is waited for. */
export interface SimClock {
  now: number;
}

export class SimActions implements Actions {
  readonly store: Store;
  private readonly world: World;
  private readonly files: SimFiles;
  private readonly clock: SimClock;

  constructor(world: World, files: SimFiles, clock: SimClock) {
    this.world = world;
    this.files = files;
    this.clock = clock;
    this.store = new SimStore();
  }

  async write(path: string, text: string, deadlineMs: number): Promise<ActResult> {
    const found = this.files.find(path);
    if (typeof found === 'string') return refused(found);
    if (found.node.type !== 'file' || found.node.write === undefined) return refused('EACCES');
    const { write } = found.node;
    const writer = threads(this.world.k).spawn('a writer', (signal) => write(text, signal));
    this.clock.now += 1;
    if (writer.state === 'waiting') return this.killed(writer, deadlineMs);
    if (writer.result > 0 && writer.result !== text.length) return { ok: false, errno: 'SHORT_WRITE', definite: false, milliseconds: 1 };
    return this.result({ rc: writer.result, oops: writer.oops?.where ?? null, hangs: null, spins: null }, deadlineMs, 'the writer');
  }

  /** The writer is a child with a deadline: then it gets SIGKILL, and what listens to signals gives up and puts back. */
  private killed(writer: Thread, deadlineMs: number): ActResult {
    const { where } = writer;
    this.clock.now += deadlineMs;
    threads(this.world.k).kill(writer);
    const how = `${where.startsWith('R ') ? 'spins' : 'waits'} in the kernel at ${where.slice(2)}`;
    // A child that was killed tells nothing, also where the kernel came back to it.
    return { ok: false, errno: 'ETIMEDOUT', definite: false, milliseconds: deadlineMs, detail: writer.state === 'waiting' ? `the writer ${how}, killed or not` : `the writer was killed; it ${how.replace('spins', 'span').replace('waits', 'waited')}` };
  }

  async signal(process: ProcessRef, signal: Signal): Promise<ActResult> {
    const { k } = this.world;
    const task = this.task(process);
    if (task === 0) return refused('ESRCH');
    if (signal === 'SIGSTOP') stopProcess(k, task);
    else if (signal === 'SIGCONT') continueProcess(k, task);
    else {
      // SIGTERM ends a simulated program as SIGKILL does: none of them handles it.
      continueProcess(k, task);
      const ran = this.drive(exitTask(k, task), task);
      if (ran.oops === null && taskState(k, task) === TASK_DEAD) reapTask(k, task);
      if (ran.oops !== null) return { ok: true, definite: true, milliseconds: 1, detail: `the process died in a kernel oops in ${ran.oops}` };
    }
    return done();
  }

  async awaitExit(process: ProcessRef, deadlineMs: number): Promise<ActResult> {
    const { k } = this.world;
    const task = this.task(process);
    if (task === 0 || !isAlive(k, task)) return done();
    this.clock.now += deadlineMs;
    return { ok: false, errno: 'ETIMEDOUT', definite: true, milliseconds: deadlineMs };
  }

  async unmount(namespaceId: number, mountPoint: string, deadlineMs: number): Promise<ActResult> {
    return this.result(this.drive(this.world.mounts.unmount(namespaceId, mountPoint)), deadlineMs, 'umount');
  }

  async sync(namespaceId: number, mountPoint: string, deadlineMs: number): Promise<ActResult> {
    const sb = this.world.mounts.at(namespaceId, mountPoint)?.sb;
    return sb === undefined ? refused(errnoName(EINVAL)) : this.result(this.drive(syncFilesystem(this.world.k, sb)), deadlineMs, 'syncfs');
  }

  async shutdownFilesystem(namespaceId: number, mountPoint: string, flag: 0 | 1 | 2): Promise<ActResult> {
    const sb = this.world.mounts.at(namespaceId, mountPoint)?.sb;
    return sb === undefined ? refused(errnoName(EINVAL)) : this.result(this.drive(goingDown(this.world.k, sb, flag)), 1000, 'the ioctl');
  }

  async swapOff(path: string): Promise<ActResult> {
    const place = blockPlaces(this.world).find((p) => path === `/dev/${p.block}`);
    if (place === undefined) return { ...refused(errnoName(EINVAL)), detail: `${path} is no swap area of this simulated machine` };
    const rc = swapoff(this.world.k, place.record);
    return rc < 0 ? refused(errnoName(rc)) : done();
  }

  /** Programs of the system do not exist here. */
  async run(program: string): Promise<ActResult> {
    return { ...refused(errnoName(ENODEV)), detail: `a simulated machine has no ${program}` };
  }

  /** Runs a path as some shell or tool would, then lets kernel threads catch up. */
  private drive(path: Path<number>, task = 0): Ran {
    const ran = run(this.world.k, path, task);
    threads(this.world.k).run();
    this.clock.now += 1;
    return ran;
  }

  private result(ran: Ran, deadlineMs: number, who: string): ActResult {
    if (ran.oops !== null) return { ok: false, definite: false, milliseconds: 1, detail: `${who} was killed by a kernel oops in ${ran.oops}` };
    const stuck = ran.hangs ?? ran.spins;
    if (stuck !== null) {
      this.clock.now += deadlineMs;
      return { ok: false, errno: 'ETIMEDOUT', definite: false, milliseconds: deadlineMs, detail: `${who} ${ran.spins === null ? 'waits' : 'spins'} in the kernel at ${stuck}` };
    }
    return ran.rc < 0 ? refused(errnoName(ran.rc)) : done();
  }

  private task(process: ProcessRef): number {
    const { k } = this.world;
    const task = findTask(k, process.pid);
    return task !== 0 && startTime(k, task) === process.startTime && taskState(k, task) !== TASK_DEAD && k.heap.load(task + TASK.pid) === process.pid ? task : 0;
  }
}

const done = (): ActResult => ({ ok: true, definite: true, milliseconds: 1 });
const refused = (errno: string): ActResult => ({ ok: false, errno, definite: true, milliseconds: 1 });

/** The journal's files, in memory. They outlive a crash of unseat as files do. */
class SimStore implements Store {
  private readonly files = new Map<string, string>();

  async append(path: string, text: string): Promise<void> {
    this.files.set(path, (this.files.get(path) ?? '') + text);
  }

  async replace(path: string, text: string): Promise<void> {
    this.files.set(path, text);
  }

  read(path: string): Fact<string> {
    return this.files.get(path) ?? missing('absent', path, 'ENOENT');
  }

  list(directory: string): Fact<readonly string[]> {
    const names = [...this.files.keys()].filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1)).filter((name) => !name.includes('/')).sort();
    return names.length === 0 ? missing('absent', directory, 'ENOENT') : names;
  }

  async remove(path: string): Promise<void> {
    this.files.delete(path);
  }
}
