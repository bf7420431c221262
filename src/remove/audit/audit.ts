/**
 * What earlier removals left behind, found without touching what is dangerous: of processes only `maps` is read, never
 * smaps, numa_maps or pagemap (docs/kernel-truth, part B, 1b).
 */
import { isMissing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import type { Machine } from '../../machine/machine.ts';
import { readMachine } from '../../machine/read.ts';
import { findJournals, JOURNAL_DIRECTORY, journalsDenied } from '../journal/journal.ts';
import { auditDevices } from './devices.ts';
import { auditMemory } from './memory.ts';
import { auditMounts } from './mounts.ts';
import { auditProcesses } from './processes.ts';

export type FindingKind =
  | 'stale-mapping' | 'unbound-mapping' | 'dead-mount' | 'dead-swap' | 'leaked-region' | 'memory-without-device' | 'poisoned-pages' | 'driver-unbound'
  | 'block-offline' | 'block-going-offline' | 'interrupted-removal' | 'kernel-log';

export interface Finding {
  readonly kind: FindingKind;
  /** `left`: something of a removal is left. `notice`: may well be on purpose. */
  readonly weight: 'left' | 'notice';
  readonly subject: string;
  /** One sentence with the values seen. */
  readonly text: string;
  /** What not to do, where that can crash the kernel; null where nothing is dangerous. */
  readonly warning: string | null;
  readonly next: string;
}

export interface Audit {
  readonly findings: readonly Finding[];
  /** What could not be looked at; silence about these proves nothing. */
  readonly unseen: readonly string[];
}

export function audit(host: Host, machine: Machine = readMachine(host, { rivals: false })): Audit {
  const unseen: string[] = [];
  const findings = [
    ...auditProcesses(host, machine, unseen),
    ...auditMounts(host, machine),
    ...auditDevices(machine),
    ...auditMemory(machine),
    ...journals(host, unseen),
    ...kernelLog(host, unseen),
  ];
  return { findings, unseen };
}

function journals(host: Host, unseen: string[]): Finding[] {
  const denied = journalsDenied(host);
  if (denied !== null) unseen.push(`interrupted removals (${denied} for ${JOURNAL_DIRECTORY})`);
  return findJournals(host).map(({ path, content }) => ({
    kind: 'interrupted-removal', weight: 'left', subject: content.header.deviceName,
    text: `${content.header.device.startsWith('locate:') ? 'The setting of a slot light' : `A removal (${content.header.way})`} begun ${content.header.begun ?? 'at an unknown time'} did not come to its end; journal ${path}.`, warning: null,
    next: `Run 'unseat resume ${content.header.deviceName}' to go on, or 'unseat rollback ${content.header.deviceName}' to put everything back.`,
  }));
}

const TELLING = [/cannot be hotremoved until the next reboot/, /still has system memory added/, /Bad page map/];

function kernelLog(host: Host, unseen: string[]): Finding[] {
  const lines = host.log.since(-1);
  if (isMissing(lines)) {
    unseen.push(`the kernel log (${lines.detail ?? lines.missing})`);
    return [];
  }
  const telling = lines.filter((l) => TELLING.some((t) => t.test(l.text)));
  return [...new Map(telling.map((l) => [l.text, l])).values()].slice(0, 10).map((l) => ({
    kind: 'kernel-log', weight: 'left', subject: `kernel log at ${l.seconds.toFixed(1)} s`, text: l.text, warning: null, next: 'What it names comes back with a reboot only.',
  }));
}
