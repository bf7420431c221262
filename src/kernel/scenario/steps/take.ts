/** Takes one step on the simulated machine: the verb decides. */
import type { MapSpec } from '../../../scenario/process.ts';
import type { Step } from '../../../scenario/step.ts';
import { deviceData, deviceDriver } from '../../drivers/base/bus.ts';
import { EBUSY, EINVAL, ENOENT, ESPIPE } from '../../errno.ts';
import { openExclusive, rawWrite, swapoff, swapon } from '../../fs/block.ts';
import { FD, fdClose } from '../../fs/file.ts';
import { goingDown, fileIo } from '../../fs/super.ts';
import { syncFilesystem } from '../../fs/sync.ts';
import { findFile } from '../../fs/disk.ts';
import { INODE } from '../../fs/inode.ts';
import { errnoName } from '../../errno.ts';
import { FIRST_NAMESPACE } from '../../host/world.ts';
import type { Kernel } from '../../kernel.ts';
import { exitTask } from '../../mm/exit.ts';
import { WALK_NUMA_MAPS, WALK_SMAPS } from '../../mm/walkers.ts';
import { holderKind, ioCompletes, ioUringFixed, dmaTransfer, pipeRead } from '../../mm/pin-holders.ts';
import { splicePut, unpinLongterm } from '../../mm/pin-ram.ts';
import { handOver, forgetFiles } from '../../setup/fsdax.ts';
import { run } from '../../setup/run.ts';
import { continueTask, isAlive, reapTask, stopTask, TASK_DEAD, taskState } from '../../task.ts';
import { threads } from '../../threads.ts';
import type { BuiltScenario } from '../built.ts';
import { mountDeclared, startDeclared } from '../build.ts';
import { forked, PinRefused, stillThere, type Started } from '../start-process.ts';
import { bind, create, destroy, eject, newId, plug, pull, resize, setBlocks, slotPower, unbind } from './drivers.ts';
import { dropCaches, isHolderStep, takeHolderStep } from './holders.ts';
import { look } from './look.ts';
import { get, offlineKernel, open, pageFlags, press, put, tool } from './machine-files.ts';
import { DONE, fromRan, fromRc, inShell, notAvailable, type Seen } from './outcome.ts';
import { hardOffline, pagemap, touch, walked } from './touch.ts';

export const DEFAULT_SECONDS = 20;

/** Steps that are unseat's own (`remove`, `scan`, `plan`) are not here: rooms above this one carry them out. */
export function takeStep(built: BuiltScenario, step: Step): Seen {
  const seconds = step.withinSeconds ?? DEFAULT_SECONDS;
  if (isHolderStep(step)) return takeHolderStep(built, step);
  switch (step.verb) {
    case 'start': return start(built, step.argument);
    case 'read': case 'write': return touch(built, step.verb, step.argument.process, step.argument.map);
    case 'pagemap': return pagemap(built, step.argument.process, step.argument.map);
    case 'hardOffline': return hardOffline(built, step.argument);
    case 'maps': return DONE;
    case 'smaps': return walked(built, step.argument, WALK_SMAPS);
    case 'refork': return withProcess(built, step.argument, (p) => { p.children.push(forked(built.world.k, p.task)); return DONE; });
    case 'usePin': return usePin(built, step.argument.process, step.argument.pin);
    case 'dropPin': return dropPin(built, step.argument.process, step.argument.pin);
    case 'files': return files(built, step.argument);
    case 'stop': return withProcess(built, step.argument, (p) => { stopTask(built.world.k, p.task); return DONE; });
    case 'cont': return withProcess(built, step.argument, (p) => { continueTask(built.world.k, p.task); return DONE; });
    case 'exit': case 'kill': return end(built, step.verb, step.argument);
    case 'sync': return onMount(built, step.argument, (sb) => inShell(built.world.k, 'sync', () => syncFilesystem(built.world.k, sb)));
    case 'unmount': return inShell(built.world.k, 'umount', () => built.world.mounts.unmount(FIRST_NAMESPACE, step.argument));
    case 'mount': return mount(built, step.argument);
    case 'mkfs': return mkfs(built, step.argument);
    case 'shutdown': return onMount(built, step.argument.at, (sb) => inShell(built.world.k, 'shutdown', () => goingDown(built.world.k, sb, step.argument.flag)));
    case 'unbind': return unbind(built, step.argument.device, driverOf(step.argument));
    case 'bind': return bind(built, step.argument.device, driverOf(step.argument));
    case 'newId': return newId(built, step.argument.device, step.argument.driver);
    case 'destroy': return destroy(built, step.argument);
    case 'create': return create(built, step.argument);
    case 'plug': return plug(built, step.argument);
    case 'pull': return pull(built, step.argument, seconds);
    case 'eject': return eject(built, step.argument);
    case 'slotPower': return slotPower(built, step.argument.device, step.argument.power);
    case 'resize': return resize(built, step.argument.device, step.argument.to);
    case 'offline': return setBlocks(built, step.argument, null);
    case 'online': return setBlocks(built, step.argument, step.argument.zone);
    case 'look': return look(built, step.argument);
    case 'offlineKernel': return offlineKernel();
    case 'numaMaps': return walked(built, step.argument, WALK_NUMA_MAPS);
    case 'get': return get(built, step.argument);
    case 'put': return put(built, step.argument);
    case 'open': return open(built, step.argument);
    case 'pageFlags': return pageFlags(built, step.argument);
    case 'tool': return tool(built, step.argument);
    case 'press': return press(built, step.argument);
    case 'wait': threads(built.world.k).pass(step.argument); return DONE;
    case 'swapOn': case 'swapOff': return swap(built, step.verb, step.argument);
    case 'dropCaches': return dropCaches(built);
    default: return notAvailable('the simulated machine does not know this verb');
  }
}

const driverOf = (argument: { readonly device: string; readonly driver?: string | undefined }): string | undefined => argument.driver;

function start(built: BuiltScenario, name: string): Seen {
  const spec = built.scenario.processes.find((p) => p.name === name);
  if (spec === undefined) return notAvailable(`${name} is not declared`);
  if (spec.maps.some((m) => opensReadOnly(m) && !fileIsThere(built, m.file))) return fromRc(-ENOENT);
  try {
    startDeclared(built, spec);
    return DONE;
  } catch (error) {
    if (error instanceof PinRefused) return fromRc(error.rc);
    throw error;
  }
}

/** Such a map makes no file where there is none. */
const opensReadOnly = (map: MapSpec): map is Extract<MapSpec, { file: string }> => 'file' in map && map.prot === 'r' && map.share === 'shared';

function fileIsThere(built: BuiltScenario, path: string): boolean {
  const { k, mounts } = built.world;
  const [mount] = mounts.all().filter((m) => m.namespace === FIRST_NAMESPACE && path.startsWith(`${m.point}/`)).sort((a, b) => b.point.length - a.point.length);
  if (mount === undefined) return false;
  const inode = findFile(k, mount.sb, path.slice(mount.point.length + 1));
  return inode !== 0 && k.heap.load(inode + INODE.nlink) > 0;
}

function withProcess(built: BuiltScenario, name: string, act: (process: Started) => Seen): Seen {
  const process = built.processes.get(name);
  if (process === undefined) return notAvailable(`${name} was never started`);
  return stillThere(built.world.k, process) ? act(process) : { ending: 'returned', died: { [name]: 'already' } };
}

/** As withProcess, for what the process does itself: one that sleeps in a call whose answer died with a kernel worker obeys no more. */
const bidden: typeof withProcess = (built, name, act) => (built.stuck.has(name) ? { ending: 'hangs', detail: 'io_cqring_wait' } : withProcess(built, name, act));

function onMount(built: BuiltScenario, at: string, act: (sb: number) => Seen): Seen {
  const sb = built.world.mounts.at(FIRST_NAMESPACE, at)?.sb;
  return sb === undefined ? fromRc(-EINVAL) : act(sb);
}

function mount(built: BuiltScenario, at: string): Seen {
  const fs = built.scenario.filesystems.find((f) => f.at === at);
  return fs === undefined ? notAvailable(`${at} is not declared`) : fromRc(mountDeclared(built, fs));
}

/** The next owner makes a file system of its own: the old files are forgotten, the data are whose the new one is. */
function mkfs(built: BuiltScenario, at: string): Seen {
  const { k } = built.world;
  const fs = built.scenario.filesystems.find((f) => f.at === at);
  const device = fs === undefined ? undefined : built.built.get(fs.on);
  if (device === undefined || deviceDriver(k, device.dev) === 0) return fromRc(-ENOENT);
  if (built.world.mounts.at(FIRST_NAMESPACE, at) !== undefined) return fromRc(-EBUSY);
  forgetFiles(k, device.dev);
  built.domain = 2;
  handOver(k, device.dev, built.domain);
  return DONE;
}

/** swapon and swapoff of the block device; a disk that has gone has no node any more. */
function swap(built: BuiltScenario, verb: 'swapOn' | 'swapOff', name: string): Seen {
  const { k } = built.world;
  const device = built.built.get(name);
  if (device === undefined || (device.kind !== 'namespace' && device.kind !== 'disk')) return notAvailable(`${name} is no block device`);
  const disk = deviceData(k, device.dev);
  if (verb === 'swapOff') return fromRc(swapoff(k, disk));
  if (deviceDriver(k, device.dev) === 0) return fromRc(-ENOENT);
  if (openExclusive(k, disk) < 0) return fromRc(-EBUSY);
  swapon(k, disk);
  return DONE;
}

/** pwrite, pread and fsync of each declared file, by whatever its descriptor leads to now. */
function files(built: BuiltScenario, name: string): Seen {
  return bidden(built, name, (process) => {
    const { k } = built.world;
    const calls: Record<string, string> = {};
    for (const { path, fd, raw } of process.files) {
      if (raw !== 0) {
        const rc = rawWrite(k, deviceData(k, raw));
        calls[`${path} pwrite`] = rc < 0 ? errnoName(rc) : 'ok';
        continue;
      }
      const inode = k.heap.load(fd + FD.inode);
      for (const op of ['write', 'read', 'fsync'] as const) {
        const rc = k.heap.load(inode + INODE.sb) === 0 ? withoutFilesystem(k, inode, op) : fileIo(k, inode, op);
        calls[`${path} ${op === 'fsync' ? op : `p${op}`}`] = rc < 0 ? errnoName(rc) : 'ok';
      }
    }
    return { ending: 'returned', calls };
  });
}

/** What detach puts in place of a file: a socket has no position and no fsync (net/socket.c), a memfd takes everything. */
const withoutFilesystem = (k: Kernel, inode: number, op: 'write' | 'read' | 'fsync'): number =>
  (k.names.text(k.heap.load(inode + INODE.name)) !== 'socket' ? 0 : op === 'fsync' ? -EINVAL : -ESPIPE);

function end(built: BuiltScenario, how: 'exit' | 'kill', name: string): Seen {
  return withProcess(built, name, ({ task }) => {
    const { k } = built.world;
    if (!isAlive(k, task)) return { ending: 'returned', died: { [name]: 'already' } };
    continueTask(k, task);
    const ran = run(k, exitTask(k, task), task);
    threads(k).run();
    if (ran.oops !== null) return { ending: 'oops', detail: ran.oops, died: { [name]: 'still there' } };
    if (ran.hangs !== null || ran.spins !== null) return { ...fromRan(ran), died: { [name]: 'still there' } };
    if (taskState(k, task) === TASK_DEAD) reapTask(k, task);
    return { ending: 'returned', died: { [name]: how === 'kill' ? 'SIGKILL' : 'exit 0' } };
  });
}

/** I/O through a pin. A pin on movable RAM follows no device; using it does nothing that could be seen here. */
function usePin(built: BuiltScenario, name: string, pin: string): Seen {
  return bidden(built, name, (process) => {
    const { k } = built.world;
    const fd = process.pins.get(pin);
    if (fd === undefined) return notAvailable(`${name} has no pin ${pin}`);
    if (fd === 0) return DONE;
    const holder = k.heap.load(fd + FD.holder);
    const kind = holderKind(k, holder);
    const path = kind === 'io_uring' ? ioUringFixed(k, holder, 1, process.mark) : kind === 'vmsplice' ? pipeRead(k, holder) : kind === 'o_direct' ? ioCompletes(k, holder, process.mark) : dmaTransfer(k, holder, 1, process.mark);
    const ran = run(k, path, process.task);
    threads(k).run();
    // io_uring carries it out in a worker of the kernel: the process itself goes on to wait for the completion.
    if (ran.oops !== null && kind === 'io_uring') built.stuck.add(name);
    return ran.rc > 0 ? DONE : fromRan(ran);
  });
}

function dropPin(built: BuiltScenario, name: string, pin: string): Seen {
  return bidden(built, name, (process) => {
    const { k } = built.world;
    const fd = process.pins.get(pin);
    const spec = built.scenario.processes.find((p) => p.name === name)?.pins.find((p) => p.name === pin);
    if (fd === undefined || spec === undefined) return notAvailable(`${name} has no pin ${pin}`);
    process.pins.delete(pin);
    const area = process.areas.find((a) => a.spec.name === spec.map);
    if (fd === 0 && area !== undefined) {
      const pages = Math.min(area.pages, Math.ceil(spec.size / 4096));
      if (spec.by === 'vmsplice' || spec.by === 'o-direct-read') splicePut(k, area.user, 0, pages);
      else unpinLongterm(k, area.user, 0, pages);
      threads(k).run();
      return DONE;
    }
    const ran = run(k, fdClose(k, process.task, fd as number), process.task);
    threads(k).run();
    // A pipe is taken down by whoever closes it, and a page fault of the kernel ends that one by SIGKILL (arch/x86/mm/fault.c,
    // page_fault_oops()); XDP sockets and rings are by a worker.
    return ran.oops === null || spec.by !== 'vmsplice' ? fromRan(ran) : { ...fromRan(ran), died: { [name]: 'SIGKILL' } };
  });
}
