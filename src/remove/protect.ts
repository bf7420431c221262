/** Processes that are never stopped or ended: init, ourselves and our parents, the login session, what the removal needs. */
import { isMissing } from '../host/fact.ts';
import type { Host } from '../host/host.ts';
import { parseStat } from '../machine/holders/stat.ts';

/** Programs that the removal itself, or the way to this machine, depends on (comm, at most 15 bytes). */
const NEEDED = new Set([
  'systemd', 'init', 'systemd-journal', 'systemd-udevd', 'systemd-logind', 'dbus-daemon', 'dbus-broker', 'dbus-broker-lau', 'sshd', 'sshd-session', 'multipathd', 'dockerd',
  'containerd', 'agetty', 'login',
]);

/** `own`: our process id and those of our children. Null: it may be touched. */
export function protectedBecause(host: Host, pid: number, own: readonly number[]): string | null {
  if (pid === 1) return 'it is init';
  if (own.includes(pid)) return 'it is unseat itself';
  for (const [ancestor, distance] of ancestors(host, own[0] ?? 0)) {
    if (ancestor === pid) return distance === 1 ? 'it is the shell or program that started unseat' : 'unseat runs inside it (its session)';
  }
  const comm = commOf(host, pid);
  return comm !== null && NEEDED.has(comm) ? `${comm} is needed by the machine or by the way to it` : null;
}

function ancestors(host: Host, pid: number): [number, number][] {
  const found: [number, number][] = [];
  for (let at = parentOf(host, pid), distance = 1; at !== null && at > 0 && distance < 64; at = parentOf(host, at), distance += 1) found.push([at, distance]);
  return found;
}

function statOf(host: Host, pid: number): ReturnType<typeof parseStat> {
  const bytes = host.processes.read(pid, 'stat');
  return isMissing(bytes) ? null : parseStat(Buffer.from(bytes).toString('latin1'));
}

const parentOf = (host: Host, pid: number): number | null => (pid <= 0 ? null : (statOf(host, pid)?.parent ?? null));
const commOf = (host: Host, pid: number): string | null => statOf(host, pid)?.comm ?? null;
