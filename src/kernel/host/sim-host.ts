/** A simulated machine as a Host: what runs on the live machine runs here unchanged. */
import { missing, type Fact } from '../../host/fact.ts';
import type { Host, Identity, KernelLog, LogLine, MountNamespace, MountNamespaces, Time } from '../../host/host.ts';
import { mountinfo } from './proc-mounts.ts';
import { rootDirectory } from './root.ts';
import { SimActions, type SimClock } from './sim-actions.ts';
import { SimFiles } from './sim-files.ts';
import { SimProcesses } from './sim-processes.ts';
import { SimTrace } from './sim-trace.ts';
import { blockPlaces, FIRST_NAMESPACE, namespaceOfTask, type World } from './world.ts';
import { eachTask, taskPid } from '../task.ts';

export function simulatedHost(world: World): Host {
  blockPlaces(world);
  const files = new SimFiles(rootDirectory(world));
  const clock: SimClock = { now: 0 };
  return {
    kind: 'simulated',
    label: `simulated ${world.label}`,
    identity: identityOf(world),
    files,
    processes: new SimProcesses(world, files),
    mounts: new SimMounts(world),
    log: new SimLog(world),
    time: new SimTime(clock),
    actions: new SimActions(world, files, clock),
    trace: new SimTrace(world),
    close: () => undefined,
  };
}

const identityOf = (world: World): Identity => ({
  release: world.release, version: world.version, arch: 'x86_64', pageSize: world.k.geo.pageSize, uid: 0, capabilities: [0xffffffff, 0x1ff],
});

class SimMounts implements MountNamespaces {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  all(): Fact<readonly MountNamespace[]> {
    const { world } = this;
    const pids = new Map<number, number>();
    for (const task of eachTask(world.k)) if (!pids.has(namespaceOfTask(world, task))) pids.set(namespaceOfTask(world, task), taskPid(world.k, task));
    const ids = new Set([FIRST_NAMESPACE, ...pids.keys(), ...world.mounts.all().map((m) => m.namespace)]);
    const encoder = new TextEncoder();
    return [...ids].sort((a, b) => a - b).map((id): MountNamespace => {
      const pid = pids.get(id);
      const info = encoder.encode(mountinfo(world, id));
      if (pid !== undefined) return { id, pid, mountinfo: info };
      return id === FIRST_NAMESPACE ? { id, mountinfo: info } : { id, keptBy: `/run/netns/mnt-${id}`, mountinfo: info };
    });
  }
}

class SimLog implements KernelLog {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  since(after: number): Fact<readonly LogLine[]> {
    return this.world.k.log.since(after + 1);
  }

  mark(): Fact<number> {
    return this.world.k.log.mark - 1;
  }
}

/** Far more than any act of a simulated machine takes, each await of each proxy around it included. */
const TURNS = 2_000;

class SimTime implements Time {
  private readonly clock: SimClock;

  constructor(clock: SimClock) {
    this.clock = clock;
  }

  now(): number {
    return this.clock.now;
  }

  wall(): Fact<string> {
    return missing('absent', 'the clock', 'a simulated machine has no date');
  }

  async sleep(milliseconds: number): Promise<void> {
    this.clock.now += milliseconds;
  }

  /** Nothing here waits for anything outside: what has not settled after these turns never will. */
  async within<T>(work: Promise<T>, milliseconds: number): Promise<{ readonly value: T } | null> {
    const ended: { how?: () => { readonly value: T } } = {};
    work.then((value) => { ended.how = () => ({ value }); }, (error: unknown) => { ended.how = () => { throw error; }; });
    for (let turns = 0; turns < TURNS && ended.how === undefined; turns += 1) await null;
    if (ended.how !== undefined) return ended.how();
    this.clock.now += milliseconds;
    return null;
  }
}
