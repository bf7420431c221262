/** What gather.ts gathers, through a descriptor of the process's folder (process-door.ts) where there are many processes; it does what this cannot. */
import { quietly } from './absence.ts';
import { openFiles } from './descriptors.ts';
import { deviceNumber } from './files.ts';
import { gather, holds, OF_PORTRAITS, PLACES, type Gathered, type Wanted } from './gather.ts';
import { ProcessDoor, type Numbers } from './process-door.ts';
import type { LiveProcesses } from './processes.ts';

export interface Gatherer {
  /** As gather(). */
  of(pid: number): Gathered | undefined;
  end(): void;
}

export function gatherer(processes: LiveProcesses, wanted: Wanted, many: boolean): Gatherer {
  const door = many ? ProcessDoor.make() : undefined;
  return {
    of: (pid) => {
      const found = door === undefined ? UNCLEAR : quietly<ReturnType<typeof through>>(() => through(door, processes, pid, wanted), () => UNCLEAR);
      return found === UNCLEAR ? gather(processes, pid, wanted) : found;
    },
    end: () => door?.leave(),
  };
}

/** Kernel threads, zombies, what this user may not see, what went away: gather() tells them apart. */
const UNCLEAR = Symbol('unclear');

/** Without portraits: what lies on the devices, and what may pin memory (pipes, sockets, anonymous inodes, nodes of drivers). */
const needsName = (stats: Numbers | undefined, raw: ReadonlySet<number>): boolean => stats === undefined || raw.has(stats.dev) || !((stats.mode & S_IFMT) === S_IFREG || (stats.mode & S_IFMT) === S_IFDIR);
const [S_IFMT, S_IFREG, S_IFDIR] = [0o170000, 0o100000, 0o040000];

function through(door: ProcessDoor, processes: LiveProcesses, pid: number, wanted: Wanted): Gathered | undefined | typeof UNCLEAR {
  if (!door.enter(pid)) return UNCLEAR;
  const places = PLACES.map((place) => door.numbers(place));
  if (places.includes(undefined)) return UNCLEAR;
  const descriptors = door.descriptors();
  const threads = door.threads();
  const mappings = door.within('maps', (fd) => processes.tableThrough(fd, pid, wanted.devices, wanted.portraits));
  if (mappings === undefined) return UNCLEAR;
  if (!holds(pid, { places, descriptors, mappings, threads }, wanted)) return undefined;
  const files: Gathered['files'] = { stat: door.content('stat') };
  if (wanted.portraits) for (const name of OF_PORTRAITS) files[name] = door.content(name);
  const told: NonNullable<Gathered['places']> = {};
  for (const [i, place] of PLACES.entries()) {
    const { dev, ino } = places[i] ?? { dev: 0, ino: 0 };
    const named = wanted.portraits || place === 'exe' || wanted.raw.has(dev);
    told[place] = { target: named ? door.link(place) : '', dev: deviceNumber(dev), ino };
  }
  const gathered = { pid, sound: true as const, files, places: told, openFiles: openFiles(pid, descriptors, (fd, stats) => (wanted.portraits || needsName(stats, wanted.raw) ? door.linkOf(fd) : '')), mappings };
  const namespace = wanted.portraits ? /^mnt:\[(\d+)\]$/.exec(door.link('ns/mnt'))?.[1] : undefined;
  if (namespace !== undefined) return { ...gathered, namespace: Number(namespace) };
  return wanted.portraits ? UNCLEAR : gathered;
}
