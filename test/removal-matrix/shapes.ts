/** The shapes in which processes hold a device, each as processes of a scenario and what is set up besides. */
import { SB } from '../../src/kernel/fs/inode.ts';
import type { BuiltScenario } from '../../src/kernel/scenario/build.ts';
import type { Way } from '../../src/steps/reason.ts';
import { apartThreads, busyThreads } from './threads.ts';

export type HolderWay = Exclude<Way, 'graceful'>;

export interface Shape {
  readonly processes: readonly Readonly<Record<string, unknown>>[];
  /** Done before the removal, on the built machine. */
  readonly prepare?: (built: BuiltScenario) => void;
  /** What goes on while the engine works: run before each of its calls. */
  readonly meanwhile?: (built: BuiltScenario) => () => void;
  /** Ways that must be refused beforehand, with the reasons that must be named. */
  readonly refused?: Readonly<Partial<Record<HolderWay, readonly string[]>>>;
}

const MAP = { file: '/mnt/data', size: '4M' };
const OTHER_NAMESPACE = 4026532177;

/** The file system is mounted in a second mount namespace, in which process `h` lives. */
function elsewhere({ world, supers, processes }: BuiltScenario): void {
  const [sb, task] = [supers.get('/mnt') ?? 0, processes.get('h')?.task ?? 0];
  world.k.heap.add(sb + SB.mounts, 1);
  world.mounts.add(sb, '/srv/data', OTHER_NAMESPACE, 'rw,relatime');
  (world.namespaceOf as Map<number, number>).set(task, OTHER_NAMESPACE);
}

/** The program of `h` is a virtual machine monitor; its memory is that of a guest. */
const monitor = ({ world, processes }: BuiltScenario): void => void (world.commandOf as Map<number, string>).set(processes.get('h')?.task ?? 0, '/usr/bin/qemu-system-x86_64 -m 4G');

export const SHAPES: Readonly<Record<string, Shape>> = {
  '2 MiB pages': { processes: [{ name: 'h', maps: [MAP] }] },
  '4 KiB pages': { processes: [{ name: 'h', maps: [{ file: '/mnt/data', size: '256K', align: '4K' }] }] },
  'several processes': { processes: [{ name: 'h', maps: [MAP] }, { name: 'h2', maps: [MAP] }, { name: 'h3', maps: [{ ...MAP, align: '4K' }] }] },
  'forked children': { processes: [{ name: 'h', maps: [MAP], forks: 2 }] },
  'private, every other page copied': { processes: [{ name: 'h', maps: [{ ...MAP, share: 'private', touch: 'write-every-other' }] }, { name: 'h2', maps: [MAP] }] },
  'read-only': { processes: [{ name: 'h', maps: [{ ...MAP, prot: 'r', touch: 'read' }] }, { name: 'h2', maps: [MAP] }] },
  'mlocked': { processes: [{ name: 'h', maps: [{ ...MAP, locked: true }] }] },
  'many mappings of one file': { processes: [{ name: 'h', maps: [...Array.from({ length: 24 }, (_, i) => ({ name: `m${i}`, file: '/mnt/data', offset: i * 65536, size: '64K', align: '4K' })), { name: 'm', ...MAP }] }] },
  'a deleted file': { processes: [{ name: 'h', maps: [{ file: '/mnt/gone', size: '2M', unlink: true }] }, { name: 'h2', maps: [MAP] }] },
  'an open file beside a mapping': { processes: [{ name: 'h', maps: [MAP], keepFds: true, files: [{ path: '/mnt/log', write: '64K' }] }] },
  'an open file, nothing mapped': { processes: [{ name: 'h', files: [{ path: '/mnt/data', write: '4M', fsync: true }] }] },
  'a working directory alone': { processes: [{ name: 'h2', maps: [MAP] }, { name: 'h', cwd: '/mnt' }] },
  'another mount namespace': { processes: [{ name: 'h', maps: [MAP], keepFds: true }], prepare: elsewhere },
  'PR_MCE_KILL_LATE': { processes: [{ name: 'h', mceKill: 'late', maps: [MAP] }] },
  'no SIGBUS handler': { processes: [{ name: 'h', sigbus: 'default', maps: [MAP] }] },
  'threads: one blocked, one touching, one mapping': { processes: [{ name: 'h', maps: [MAP] }], meanwhile: busyThreads },
  'threads with descriptors and directories of their own': { processes: [{ name: 'h', maps: [MAP] }], prepare: apartThreads },
  'threads that alone hold it': { processes: [{ name: 'h2', maps: [MAP] }, { name: 'h' }], prepare: apartThreads },
  'a virtual machine': { processes: [{ name: 'h', maps: [MAP] }], prepare: monitor, refused: { detach: ['held-by-vm'], force: ['held-by-vm'] } },
};
