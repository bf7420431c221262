/** What can be seen: by this user, on this kernel, or in this capture. */
import { isMissing, orElse } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { check, checkFact, checkRelease, stateOf, tell, type Check } from './check.ts';

/** Bits of CapEff that looking and removing need (include/uapi/linux/capability.h). */
const CAPABILITIES: readonly (readonly [number, string, string])[] = [
  [1, 'CAP_DAC_OVERRIDE', 'files of other users'],
  [5, 'CAP_KILL', 'signals to other users'],
  [19, 'CAP_SYS_PTRACE', 'holders of other users'],
  [21, 'CAP_SYS_ADMIN', 'mounts, namespaces, physical addresses'],
  [34, 'CAP_SYSLOG', 'the kernel log'],
];

export function lookChecks(host: Host): Check[] {
  return [user(host), iomem(host), pageFile(host, 'kpageflags', 'what lies on a memory block cannot be told'),
    pageFile(host, 'kpagecount', 'how often pages are mapped cannot be told'), pagemap(host), kernelLog(host), processes(host), namespaces(host),
    checkRelease(host, 'procmap-query', [6, 11], 'PROCMAP_QUERY', 'among many processes, those without the device are passed over quickly', 'the maps of every process are read as text')];
}

function user(host: Host): Check {
  const { uid, capabilities } = host.identity;
  if (isMissing(uid)) return check('user', stateOf(uid), 'who looks is not known', 'what is missing below may be for want of rights');
  if (isMissing(capabilities)) return check('user', uid === 0 ? 'ok' : 'limited', `uid ${uid}`, uid === 0 ? 'taken as root' : 'taken as an ordinary user: facts about others are missing');
  const lacking = CAPABILITIES.filter(([bit]) => ((capabilities[bit >= 32 ? 1 : 0] >>> (bit % 32)) & 1) === 0);
  if (lacking.length === 0) return check('user', 'ok', `uid ${uid} with every capability that is needed`, 'nothing is hidden for want of rights');
  const names = lacking.map(([, name]) => name).join(' ');
  return check('user', lacking.length === CAPABILITIES.length ? 'missing' : 'limited', `uid ${uid} without ${names}`,
    `not to be had: ${lacking.map(([, , what]) => what).join('; ')}. Run as root to see and do all of it`);
}

function iomem(host: Host): Check {
  return checkFact('iomem', host.files.text('/proc/iomem'), 'the physical address map is not known', (text) => {
    const addresses = text.match(/^ *[0-9a-f]+-[0-9a-f]+/gm) ?? [];
    if (addresses.length === 0) return check('iomem', 'limited', '/proc/iomem is empty', 'the physical address map is not known');
    if (addresses.every((range) => /^[ 0-]+$/.test(range))) return check('iomem', 'limited', '/proc/iomem shows zeros for all addresses', 'the physical address map needs root (CAP_SYS_ADMIN)');
    return check('iomem', 'ok', `/proc/iomem has ${addresses.length} ranges`, 'the physical address map is complete');
  });
}

/** Tried at the first page of each range of memory: a capture holds only some. */
function pageFile(host: Host, name: string, without: string): Check {
  const path = `/proc/${name}`;
  const pageSize = orElse(host.identity.pageSize, 4096);
  const starts = [...orElse(host.files.text('/proc/iomem'), '').matchAll(/^([0-9a-f]+)-[0-9a-f]+ : (?:System RAM|Persistent Memory)/gm)];
  const pages = [0, ...starts.map(([, start = '']) => Math.ceil(Number.parseInt(start, 16) / pageSize))];
  const tried = pages.map((pfn) => host.files.readAt(path, pfn * 8, new Uint8Array(8)));
  const fact = tried.find((length) => length === 8) ?? tried.find(isMissing) ?? 0;
  return checkFact(name, fact, without, (length) => (length === 8
    ? check(name, 'ok', `${path} can be read`, 'page by page, only for the blocks in question')
    : check(name, 'limited', `${path} gives nothing`, without)));
}

/** Frame numbers read as zero without CAP_SYS_ADMIN (fs/proc/task_mmu.c); seen at one of our own pages. */
function pagemap(host: Host): Check {
  const without = 'pages that a holder still maps cannot be counted: --force is not possible';
  if (host.kind === 'capture') return check('pagemap', 'unknown', 'pagemap of processes is read on a running machine', 'a capture cannot tell');
  const self = Number(orElse(host.files.link('/proc/self'), ''));
  const mappings = self > 0 ? host.processes.mappings(self) : [];
  const first = isMissing(mappings) ? undefined : mappings.find((m) => m.perms.startsWith('r'));
  if (first === undefined) return check('pagemap', 'unknown', 'no mapping of our own to try it on', without);
  const entries = new Uint8Array(8 * 64);
  return checkFact('pagemap', host.processes.pagemap(self, first.start, entries), without, (length) => {
    const frames = new BigUint64Array(entries.buffer, 0, Math.floor(length / 8)).some((entry) => (entry & ((1n << 55n) - 1n)) !== 0n);
    return frames ? check('pagemap', 'ok', '/proc/PID/pagemap shows page frames', 'pages that a holder still maps can be counted')
      : check('pagemap', 'limited', '/proc/PID/pagemap hides page frames', `${without} (needs CAP_SYS_ADMIN)`);
  });
}

function kernelLog(host: Host): Check {
  const without = 'what a return code hides (a leaked region, a shut down file system) is not seen';
  return checkFact('kernel-log', host.log.since(-1), without, (lines) => (lines.length === 0
    ? check('kernel-log', 'limited', 'the kernel log is empty', without)
    : check('kernel-log', 'ok', `the kernel log has ${lines.length} lines`, 'what a return code hides is read there')));
}

function processes(host: Host): Check {
  const without = 'holders cannot be found';
  return checkFact('processes', host.processes.pids(), without, (pids) => {
    const closed = pids.filter((pid) => {
      const place = host.processes.place(pid, 'root');
      return isMissing(place) && place.missing === 'denied';
    });
    const places = pids.filter((pid) => {
      const place = host.processes.place(pid, 'cwd');
      return isMissing(place) && place.missing === 'not-captured';
    });
    if (closed.length === 0 && places.length > 0 && host.kind === 'capture') {
      return check('processes', 'limited', `${pids.length} processes; the working and root directories of ${places.length} are not in the capture`, 'who holds a device by those alone is not seen');
    }
    if (closed.length === 0) return check('processes', pids.length === 0 ? 'missing' : 'ok', `${pids.length} processes, all open to view`, 'every holder can be found');
    const some = closed.slice(0, 5).join(', ');
    return check('processes', 'limited', `${closed.length} of ${pids.length} processes may not be looked into (${some}${closed.length > 5 ? ', ...' : ''})`,
      'a holder among them is not seen; a removal that cannot see all holders says so');
  });
}

function namespaces(host: Host): Check {
  return checkFact('mount-namespaces', host.mounts.all(), 'mounts in other namespaces are not seen', (all) => {
    const closed = all.filter((namespace) => isMissing(namespace.mountinfo));
    const kept = all.filter((namespace) => namespace.keptBy !== undefined).length;
    const fact = `${all.length} mount namespace${all.length === 1 ? '' : 's'}${kept > 0 ? `, ${kept} kept by a file alone` : ''}`;
    const first = closed[0]?.mountinfo;
    if (first !== undefined && isMissing(first)) return check('mount-namespaces', 'limited', `${fact}; ${closed.length} cannot be read: ${tell(first)}`, 'a mount there is not seen');
    const hidden = orElse(host.processes.pids(), []).filter((pid) => {
      const id = host.processes.namespace(pid, 'mnt');
      return isMissing(id) && id.missing === 'denied';
    }).length;
    if (hidden > 0 && host.mounts.complete?.() !== true) return check('mount-namespaces', 'limited', `${fact}; ${hidden} process${hidden === 1 ? '' : 'es'} may be in others`, 'a mount there is not seen');
    return check('mount-namespaces', 'ok', fact, 'mounts are looked for in all of them');
  });
}
