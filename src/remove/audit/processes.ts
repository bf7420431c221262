/** Processes that map a device which is gone, or one that no driver is bound to. From `maps` alone. */
import { isMissing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { byteString, displayName } from '../../host/names.ts';
import type { Mapping } from '../../host/processes.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Finding } from './audit.ts';

const WARNING = 'Do not read its smaps, numa_maps or pagemap, do not end it, do not unmount its file system: each can crash the kernel.';
const DAX_NODE = /(?:^|\/)(dax\d+\.\d+)(?: \(deleted\))?$/;

export function auditProcesses(host: Host, machine: Machine, unseen: string[]): Finding[] {
  const pids = host.processes.pids();
  if (isMissing(pids)) {
    unseen.push('processes');
    return [];
  }
  const isGone = goneDevices(host);
  const bound = new Map(machine.dax.map((d) => [d.name, d.driver !== null]));
  const findings: Finding[] = [];
  let denied = 0;
  for (const pid of pids) {
    const mappings = host.processes.mappings(pid);
    if (isMissing(mappings)) {
      if (mappings.missing === 'denied') denied += 1;
      continue;
    }
    const who = `pid ${pid} (${nameOf(host, pid)})`;
    const stale = mappings.filter((m) => isGone(m.dev));
    if (stale.length > 0) findings.push(staleMapping(who, stale));
    const unbound = mappings.filter((m) => bound.get(DAX_NODE.exec(m.name)?.[1] ?? '') === false);
    if (unbound.length > 0) findings.push(unboundMapping(who, unbound));
  }
  if (denied > 0) unseen.push(`the mappings of ${denied} process(es) of other users`);
  return findings;
}

/** Device numbers with a major that stands for a block device which sysfs does not have (any more). */
export function goneDevices(host: Host): (dev: string) => boolean {
  const known = new Map<string, boolean>();
  const readable = !isMissing(host.files.list('/sys/dev/block'));
  return (dev) => {
    if (!readable || dev.startsWith('0:')) return false;
    let gone = known.get(dev);
    if (gone === undefined) {
      const stat = host.files.stat(`/sys/dev/block/${dev}`);
      gone = isMissing(stat) && stat.missing === 'absent';
      known.set(dev, gone);
    }
    return gone;
  };
}

function nameOf(host: Host, pid: number): string {
  const comm = host.processes.read(pid, 'comm');
  return isMissing(comm) ? '?' : displayName(byteString(comm).replace(/\n$/, ''));
}

const firstOf = (mappings: readonly Mapping[]): string => displayName(mappings[0]?.name ?? '');

const staleMapping = (who: string, mappings: readonly Mapping[]): Finding => ({
  kind: 'stale-mapping', weight: 'left', subject: who,
  text: `It maps ${firstOf(mappings)} (${mappings.length} mapping(s)) of block device ${mappings[0]?.dev}, which is gone.`,
  warning: WARNING, next: 'Bind the device to its driver again, then unmount and end the process; where that is not possible, plan a reboot.',
});

const unboundMapping = (who: string, mappings: readonly Mapping[]): Finding => ({
  kind: 'unbound-mapping', weight: 'left', subject: who,
  text: `It maps ${firstOf(mappings)}, which no driver is bound to: the mapping comes back to life at the next bind and shows the next owner's data.`,
  warning: 'Do not bind the device while this process lives or has the node open.', next: 'End the process, or make it close the device, before any bind.',
});
