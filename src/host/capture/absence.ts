/**
 * `absent` or `not-captured`? What a capture lacks says something about the machine only where the capture evidently
 * holds the whole directory. The rule, in this order; without evidence the answer is `not-captured`:
 *
 * 1. a listing of what existed (`unreadable.txt`, `dev.txt`) names it: it exists and is not readable;
 * 2. a link of the capture names it: the machine had it, the capture lacks it: not captured;
 * 3. unseat's own captures: what a directory lacks that the manifest calls complete is absent;
 * 4. a directory below /sys/devices that holds `uevent` was copied whole, because no tool copies `uevent` for its own
 *    sake: what it lacks is absent. Names that are always links (`driver`, ...) only if the directory's `subsystem` link
 *    was kept too, since some tools drop links. The same holds for attribute groups (`power/`, `dax_region/`) in it;
 * 5. lists of links, `/sys/bus/B/devices`, `/sys/bus/B/drivers` and `/sys/bus/B/drivers/D`, `/sys/class/C`, `/sys/block`,
 *    are copied whole or not at all: what an existing one lacks is absent;
 * 6. `/proc/PID` of a capture that has other processes: absent. Files of a process: not captured;
 * 7. everything else: not captured.
 */
import { missing, type Missing } from '../fact.ts';
import type { NotFound } from './resolve.ts';
import type { TreeNode } from './tree.ts';

/** Names in a device directory that are links wherever they exist (drivers/base/core.c, bus.c, dd.c). */
const LINK_NAMES = new Set(['driver', 'subsystem', 'module', 'device', 'firmware_node', 'of_node', 'bdi', 'iommu', 'iommu_group']);

const LINK_LISTS = /^\/sys\/(?:block|class\/[^/]+|bus\/[^/]+\/(?:devices|drivers|drivers\/[^/]+))$/;

export interface Evidence {
  /** Files that existed and were not read, by path; the value says why (`Input/output error`, `mode 200`). */
  readonly unreadable: ReadonlyMap<string, string>;
  /** Directories that a manifest calls complete, and paths that it calls absent; without final slash. */
  readonly complete: ReadonlySet<string>;
  readonly root: TreeNode;
}

/** The Missing for a path that the tree does not hold. */
export function absenceOf(asked: string, gone: NotFound, evidence: Evidence): Missing {
  if (gone.why === 'not-a-directory') return missing('absent', asked, 'ENOTDIR');
  if (gone.why === 'too-many-links') return missing('unreadable', asked, 'ELOOP');
  if (gone.why === 'leaves-root') return missing('unreadable', asked, 'a link leaves the capture');
  const path = `${gone.below.path === '/' ? '' : gone.below.path}/${gone.rest.join('/')}`;
  const reason = evidence.unreadable.get(path) ?? evidence.unreadable.get(asked);
  if (reason !== undefined) return unreadable(asked, reason);
  if (evidence.unreadable.get(`${gone.below.path}/${gone.name}`) === 'left-out') return missing('not-captured', asked);
  if (gone.dangling) return missing('not-captured', asked);
  if (isComplete(path, gone.below.path, evidence.complete)) return missing('absent', asked);
  return missing(knownWhole(gone, evidence.root) ? 'absent' : 'not-captured', asked);
}

/** From the words of `unreadable.txt`, which are strerror(3) texts or a mode without permission to read. */
export function unreadable(path: string, reason: string): Missing {
  if (reason === 'left-out') return missing('not-captured', path);
  const mode = /\bmode ([0-7]+)$/.exec(reason);
  if (mode) return parseInt(mode[1] as string, 8) & 0o444 ? missing('not-captured', path, reason) : missing('denied', path, 'EACCES');
  if (/Permission denied|Operation not permitted|\bE(ACCES|PERM)\b/.test(reason)) return missing('denied', path, reason);
  if (/No such process|\bESRCH\b/.test(reason)) return missing('vanished', path, 'ESRCH');
  if (/No such (file|device)|\bEN(OENT|XIO|ODEV)\b/.test(reason)) return missing('absent', path, errnoOf(reason));
  return missing('unreadable', path, errnoOf(reason));
}

function errnoOf(reason: string): string {
  const names: Record<string, string> = {
    'Input/output error': 'EIO', 'Invalid argument': 'EINVAL', 'No such device or address': 'ENXIO', 'No such device': 'ENODEV',
    'No such file or directory': 'ENOENT', 'Operation not supported': 'EOPNOTSUPP', 'Device or resource busy': 'EBUSY',
  };
  const named = /\bE[A-Z0-9]{2,}$/.exec(reason)?.[0];
  if (named !== undefined) return named;
  for (const [text, name] of Object.entries(names)) if (reason.endsWith(text)) return name;
  return reason;
}

/** The manifest names directories of which every name was taken, and paths that the machine does not have. */
const isComplete = (path: string, below: string, complete: ReadonlySet<string>): boolean => {
  if (complete.has(below)) return true;
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) if (complete.has(at)) return at.length > below.length;
  return false;
};

/** Reading `power/autosuspend_delay_ms` gives EIO on most devices, and copiers drop what they cannot read. */
const DROPPED_BY_COPIERS = /\/power(?:\/|$)/;

function knownWhole(gone: NotFound, root: TreeNode): boolean {
  const { path, node } = gone.below;
  if (path.startsWith('/sys/devices/')) return !DROPPED_BY_COPIERS.test(path) && wholeDeviceDirectory(gone, root);
  if (LINK_LISTS.test(path)) return node.children().size > 0 || !path.startsWith('/sys/class/');
  if (path === '/proc' && /^\d+$/.test(gone.name)) return [...node.children().keys()].some((name) => /^\d+$/.test(name));
  return false;
}

function wholeDeviceDirectory(gone: NotFound, root: TreeNode): boolean {
  const parts = gone.below.path.split('/').filter((part) => part !== '');
  const way: TreeNode[] = [];
  let at: TreeNode | undefined = root;
  for (const part of parts) {
    at = at?.children().get(part);
    if (at !== undefined) way.push(at);
  }
  const device = way.slice(2).findLast((node) => node.children().has('uevent'));
  if (device === undefined) return false;
  const own = way.at(-1) as TreeNode;
  if (own !== device && ![...own.children().values()].some((child) => child.kind === 'file')) return false;
  return !LINK_NAMES.has(gone.name) || device.children().has('subsystem');
}
