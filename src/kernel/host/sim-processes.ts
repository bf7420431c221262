/** The Processes facet over the simulated kernel's /proc. */
import { isMissing, missing, type Fact } from '../../host/fact.ts';
import type { ByteString, DeviceNumber } from '../../host/host.ts';
import { parseMaps } from '../../host/maps.ts';
import type { Mapping, OpenFile, Place, ProcessFile, Processes, ThreadsApart } from '../../host/processes.ts';
import { FD, fdsOf } from '../fs/file.ts';
import { INODE } from '../fs/inode.ts';
import { run } from '../setup/run.ts';
import { WALK_PAGEMAP, walkTask } from '../mm/walkers.ts';
import { eachProcess, filesTask, findTask, fsTask, isAlive, TASK, TASK_OOPSED, taskPid, taskState } from '../task.ts';
import { threadsOf } from '../thread-group.ts';
import { VMA, vmaEnd, vmasOf, vmaStart, mmOf } from '../mm/mm_struct.ts';
import type { SimFiles } from './sim-files.ts';
import { fdView } from './fd-view.ts';
import { inodeView, namespaceOfTask, type InodeView, type World } from './world.ts';

export class SimProcesses implements Processes {
  private readonly world: World;
  private readonly files: SimFiles;

  constructor(world: World, files: SimFiles) {
    this.world = world;
    this.files = files;
  }

  pids(): Fact<readonly number[]> {
    const { k } = this.world;
    return [...eachProcess(k)].filter((task) => isAlive(k, task) || taskState(k, task) === TASK_OOPSED).map((task) => taskPid(k, task)).sort((a, b) => a - b);
  }

  threads(pid: number): Fact<readonly number[]> {
    const task = this.task(pid);
    return task === 0 ? missing('vanished', `/proc/${pid}`, 'ESRCH') : this.living(task).map((thread) => taskPid(this.world.k, thread));
  }

  threadsApart(tid: number): Fact<readonly ThreadsApart[]> {
    const { k } = this.world;
    const task = this.task(tid);
    if (task === 0) return missing('vanished', `/proc/${tid}/task`, 'ESRCH');
    return this.living(task).map((thread): ThreadsApart => ({
      threads: [taskPid(k, thread)], files: filesTask(k, thread) !== filesTask(k, task), places: fsTask(k, thread) !== fsTask(k, task),
    })).filter(({ files, places }) => files || places);
  }

  /** Its threads, the first one first. */
  private living(task: number): number[] {
    const { k } = this.world;
    return [...threadsOf(k, task)].filter((thread) => isAlive(k, thread));
  }

  read(pid: number, name: ProcessFile): Fact<Uint8Array> {
    const bytes = this.files.read(`/proc/${pid}/${name}`);
    return isMissing(bytes) && bytes.missing === 'absent' && this.task(pid) === 0 ? missing('vanished', `/proc/${pid}/${name}`, 'ESRCH') : bytes;
  }

  mappings(pid: number, devices?: ReadonlySet<DeviceNumber>): Fact<readonly Mapping[]> {
    const bytes = this.read(pid, 'maps');
    if (isMissing(bytes)) return bytes;
    const { mappings } = parseMaps(bytes);
    const rdevs = this.rdevs(this.task(pid));
    const all = mappings.map((m) => {
      const rdev = rdevs.get(m.start);
      return rdev === undefined ? m : { ...m, rdev };
    });
    return devices === undefined ? all : all.filter((m) => devices.has(m.dev) || (m.rdev !== undefined && devices.has(m.rdev)));
  }

  openFiles(pid: number): Fact<readonly OpenFile[]> {
    const { k } = this.world;
    const task = this.task(pid);
    if (task === 0) return missing('vanished', `/proc/${pid}/fd`, 'ESRCH');
    const own = [...fdsOf(k, task)].map((fd): OpenFile => {
      const number = k.heap.load(fd + FD.number);
      return { fd: number, ...fdView(this.world, task, fd) };
    });
    return [0, 1, 2].map((fd): OpenFile => ({ fd, target: '/dev/null', dev: '0:5', ino: 4, rdev: '1:3' })).concat(own);
  }

  fdInfo(pid: number, fd: number): Fact<Uint8Array> {
    return this.files.read(`/proc/${pid}/fdinfo/${fd}`);
  }

  place(pid: number, which: 'cwd' | 'root' | 'exe'): Fact<Place> {
    const { k } = this.world;
    const task = this.task(pid);
    if (task === 0) return missing('vanished', `/proc/${pid}/${which}`, 'ESRCH');
    const inode = which === 'exe' ? 0 : k.heap.load(fsTask(k, task) + (which === 'cwd' ? TASK.cwd : TASK.root));
    if (inode !== 0) return asPlace(this.view(task, inode));
    return which === 'exe' ? { target: '/usr/bin/holder', dev: '0:2', ino: 20 } : { target: '/', dev: '0:2', ino: 1 };
  }

  namespace(pid: number, which: 'mnt' | 'pid' | 'user'): Fact<number> {
    const task = this.task(pid);
    if (task === 0) return missing('vanished', `/proc/${pid}/ns/${which}`, 'ESRCH');
    return which === 'mnt' ? namespaceOfTask(this.world, task) : which === 'pid' ? 4026531836 : 4026531837;
  }

  /** The walk looks at the struct pages of what is mapped, as the kernel's does: with a stale entry the reader dies of it. */
  pagemap(pid: number, address: number, into: Uint8Array): Fact<number> {
    const { k } = this.world;
    const task = this.task(pid);
    if (task === 0) return missing('vanished', `/proc/${pid}/pagemap`, 'ESRCH');
    const walked = run(k, walkTask(k, task, WALK_PAGEMAP));
    if (walked.oops !== null) return missing('unreadable', `/proc/${pid}/pagemap`, `the reader was killed by a kernel oops in ${walked.oops}`);
    return this.files.readAt(`/proc/${pid}/pagemap`, Math.floor(address / 4096) * 8, into);
  }

  private task(pid: number): number {
    const { k } = this.world;
    const task = findTask(k, pid);
    return task !== 0 && (isAlive(k, task) || taskState(k, task) === TASK_OOPSED) ? task : 0;
  }

  private view(task: number, inode: number): InodeView {
    return inodeView(this.world, inode, namespaceOfTask(this.world, task));
  }

  private rdevs(task: number): Map<number, string> {
    const { k } = this.world;
    const found = new Map<number, string>();
    if (task === 0 || mmOf(k, task) === 0) return found;
    for (const vma of vmasOf(k, mmOf(k, task))) {
      const inode = k.heap.load(vma + VMA.inode);
      if (inode === 0 || k.heap.load(inode + INODE.kind) === 1 || vmaEnd(k, vma) === 0) continue;
      const { rdev } = this.view(task, inode);
      if (rdev !== undefined) found.set(vmaStart(k, vma) * 4096, rdev);
    }
    return found;
  }
}

const asPlace = (view: InodeView): { target: ByteString; dev: string; ino: number; rdev?: string } => ({
  target: view.path, dev: view.dev, ino: view.ino, ...(view.rdev === undefined ? {} : { rdev: view.rdev }),
});
