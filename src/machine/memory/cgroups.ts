/** Cgroups that may use no memory but that of some nodes. Source: kernel/cgroup/cpuset.c; Documentation/admin-guide/cgroup-v2.rst, cpuset.mems. */
import { parseIdList, type Reader } from '../reader.ts';
import type { Room } from '../types/room.ts';

/** Trees that a machine can have: version 2, and the cpuset controller of version 1. */
const ROOTS = [{ path: '/sys/fs/cgroup', file: 'cpuset.mems' }, { path: '/sys/fs/cgroup/cpuset', file: 'cpuset.mems' }];
/** Deeper or wider trees are cut: the search is for the few groups that an administrator has confined by hand. */
const MOST_GROUPS = 20_000;

export function confinedCgroups(reader: Reader, nodes: readonly number[]): Room['confined'][number][] {
  const found: Room['confined'][number][] = [];
  let left = MOST_GROUPS;
  const visit = (root: string, path: string, file: string): void => {
    if ((left -= 1) < 0) return;
    const names = reader.list(path);
    const mems = names.includes(file) ? parseIdList(reader.text(`${path}/${file}`) ?? '') : null;
    if (mems !== null && mems.length > 0 && path !== root && mems.every((n) => nodes.includes(n))) {
      found.push({ who: `cgroup ${path.slice(root.length)}`, memoryNodes: mems, source: `${path}/${file}` });
      return;
    }
    for (const name of names) if (isGroup(reader, `${path}/${name}`, name)) visit(root, `${path}/${name}`, file);
  };
  for (const { path, file } of ROOTS) if (reader.list(path).includes('cgroup.procs')) visit(path, path, file);
  return found;
}

/** Files of a cgroup have a dot in their name and so may groups: only directories hold cgroup.procs. */
const isGroup = (reader: Reader, path: string, name: string): boolean => !/^(cgroup|cpuset|memory|cpu|io|pids|rdma|hugetlb|misc|irq)\.[a-z._0-9]+$/i.test(name) && reader.list(path).includes('cgroup.procs');
