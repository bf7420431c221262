/** Whether RAM suffices for private copies: of the machine, and of the control group that the holder lives in. */
import { isMissing } from '../../../host/fact.ts';
import type { Host } from '../../../host/host.ts';
import { formatBytes } from '../../../range/units.ts';

/** Left free in any case: a copy must not start reclaim that ends some other process. */
const RESERVE_SHARE = 1 / 32;

/** Why `bytes` of new memory are too much for the process; null where they are not. */
export function roomObstacle(host: Host, pid: number, bytes: number): string | null {
  if (bytes === 0) return null;
  const available = meminfo(host, 'MemAvailable');
  const total = meminfo(host, 'MemTotal');
  if (available !== null && bytes > available - (total ?? 0) * RESERVE_SHARE) {
    return `a private copy needs ${formatBytes(bytes)}, and of the machine's memory only ${formatBytes(available)} are available`;
  }
  for (const group of groupsOf(host, pid)) {
    const left = leftIn(host, group);
    if (left !== null && bytes > left) return `a private copy needs ${formatBytes(bytes)}, and the control group ${group} allows ${formatBytes(Math.max(0, left))} more`;
  }
  return null;
}

function meminfo(host: Host, field: string): number | null {
  const text = host.files.text('/proc/meminfo');
  const found = isMissing(text) ? null : new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text);
  return found === null ? null : Number(found[1]) * 1024;
}

/** Directories of the memory controller for a process, innermost first; both hierarchies (Documentation/admin-guide/cgroup-v2.rst). */
function groupsOf(host: Host, pid: number): string[] {
  const cgroup = host.processes.read(pid, 'cgroup');
  if (isMissing(cgroup)) return [];
  const lines = Buffer.from(cgroup).toString('latin1').split('\n');
  return lines.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined || controllers === undefined) return [];
    if (controllers === '') return upward('/sys/fs/cgroup', path);
    return controllers.split(',').includes('memory') ? upward('/sys/fs/cgroup/memory', path) : [];
  });
}

function upward(root: string, path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_, i) => `${root}/${parts.slice(0, parts.length - i).join('/')}`);
}

function leftIn(host: Host, group: string): number | null {
  const number = (name: string): number | null => {
    const text = host.files.text(`${group}/${name}`);
    return isMissing(text) || !/^\d+$/.test(text.trim()) ? null : Number(text);
  };
  const limit = number('memory.max') ?? number('memory.limit_in_bytes');
  const used = number('memory.current') ?? number('memory.usage_in_bytes');
  return limit === null || used === null ? null : limit - used;
}
