/**
 * What cgroups say about memory that must move: who may use no memory but that of some nodes, and whose memory and swap are
 * limited. Sources: Documentation/admin-guide/cgroup-v2.rst (cpuset.mems, memory.max, memory.swap.max, memory.numa_stat),
 * kernel/cgroup/cpuset.c, mm/memcontrol.c (mem_cgroup_migrate() moves the charge without asking the limit).
 */
import { parseIdList, type Reader } from '../reader.ts';
import type { Room } from '../types/room.ts';

/** Trees that a machine can have: version 2, and the cpuset controller of version 1. */
const ROOTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/cpuset'];
/** Deeper or wider trees are cut: the search is for the few groups that an administrator has confined by hand. */
const MOST_GROUPS = 20_000;

/** Cgroups that may use no memory but that of `nodes`. What is below such a group is confined with it. */
export function confinedCgroups(reader: Reader, nodes: readonly number[]): Room['confined'][number][] {
  const found: Room['confined'][number][] = [];
  for (const root of ROOTS) {
    eachGroup(reader, root, (path, names) => {
      const mems = names.includes('cpuset.mems') ? parseIdList(reader.text(`${path}/cpuset.mems`) ?? '') : null;
      if (mems === null || mems.length === 0 || !mems.every((n) => nodes.includes(n))) return true;
      found.push({ who: `cgroup ${path.slice(root.length)}`, memoryNodes: mems, source: `${path}/cpuset.mems` });
      return false;
    });
  }
  return found;
}

/** Cgroups (version 2) with a limit of their own that have memory on `nodes`, most of it first. */
export function limitedCgroups(reader: Reader, nodes: readonly number[]): Room['limited'][number][] {
  const found: Room['limited'][number][] = [];
  eachGroup(reader, '/sys/fs/cgroup', (path, names) => {
    const value = (name: string): number | null => (names.includes(name) ? bytesOf(reader.text(`${path}/${name}`)) : null);
    const [max, swapMax] = [value('memory.max'), value('memory.swap.max')];
    if (max === null && swapMax === null) return true;
    const onNodes = names.includes('memory.numa_stat') ? bytesOn(reader.text(`${path}/memory.numa_stat`) ?? '', nodes) : null;
    if (onNodes === 0) return true;
    found.push({ who: `cgroup ${path.slice('/sys/fs/cgroup'.length)}`, max, current: value('memory.current'), swapMax, swapCurrent: value('memory.swap.current'), onNodes, source: `${path}/${max === null ? 'memory.swap.max' : 'memory.max'}` });
    return true;
  });
  return found.sort((a, b) => (b.onNodes ?? 0) - (a.onNodes ?? 0));
}

/** `max` is no limit. */
const bytesOf = (text: string | null): number | null => (text !== null && /^\d+$/.test(text.trim()) ? Number(text) : null);

/** Anonymous and file memory of the lines `anon N0=4096 N1=0` and `file ...`, in bytes; null where the file does not have that form. */
export function bytesOn(numaStat: string, nodes: readonly number[]): number | null {
  const lines = numaStat.split('\n').filter((line) => /^(anon|file) N\d+=/.test(line));
  if (lines.length === 0) return null;
  return lines.flatMap((line) => [...line.matchAll(/ N(\d+)=(\d+)/g)]).reduce((sum, [, node, bytes]) => (nodes.includes(Number(node)) ? sum + Number(bytes) : sum), 0);
}

/** Every group below the root of a tree, parents first; `visit` says whether to go on below it. */
function eachGroup(reader: Reader, root: string, visit: (path: string, names: readonly string[]) => boolean): void {
  let left = MOST_GROUPS;
  const walk = (path: string, names: readonly string[]): void => {
    if ((left -= 1) < 0 || (path !== root && !visit(path, names))) return;
    for (const name of names) {
      if (CONTROL_FILE.test(name)) continue;
      const inside = reader.list(`${path}/${name}`);
      if (inside.includes('cgroup.procs')) walk(`${path}/${name}`, inside);
    }
  };
  const top = reader.list(root);
  if (top.includes('cgroup.procs')) walk(root, top);
}

/** Files of a cgroup have a dot in their name and so may groups: only directories hold cgroup.procs. */
const CONTROL_FILE = /^(cgroup|cpuset|memory|cpu|io|pids|rdma|hugetlb|misc|irq)\.[a-z._0-9]+$/i;
