/** Everything that would bring memory back online, claim a device again, or read page tables, behind our back. */
import { isMissing } from '../../host/fact.ts';
import { MEMORY } from '../memory/blocks.ts';
import type { Reader } from '../reader.ts';
import { byteString } from '../../host/names.ts';
import type { MemoryInventory, Rival } from '../types/memory.ts';
import { monitorOf } from './monitors.ts';
import { readServices } from './services.ts';
import { actingRules, mayConcern, parseUdevRules, type ActingRule } from './udev-rules.ts';

/** By falling priority. /lib is the same as /usr/lib on systems with merged directories. */
const RULE_DIRECTORIES = ['/etc/udev/rules.d', '/run/udev/rules.d', '/usr/local/lib/udev/rules.d', '/usr/lib/udev/rules.d', '/lib/udev/rules.d'];

/** `monitors`: read every process's name too. */
export function readRivals(reader: Reader, memory: MemoryInventory, monitors: boolean): Rival[] {
  return [...policies(memory), ...readUdevRules(reader), ...readServices(reader), ...(monitors ? readMonitors(reader) : [])];
}

function policies(memory: MemoryInventory): Rival[] {
  const found: Rival[] = [];
  if (memory.autoOnline?.startsWith('online')) {
    found.push({ kind: 'auto-online', where: `${MEMORY}/auto_online_blocks`, effect: `reads "${memory.autoOnline}": the kernel puts memory that is added online at once, so a device bound to kmem or plugged again is in use before anybody asks` });
  }
  if (memory.memhpDefaultState?.startsWith('online')) {
    found.push({ kind: 'cmdline', where: `memhp_default_state=${memory.memhpDefaultState}`, effect: 'sets auto_online_blocks at each boot' });
  }
  return found;
}

export function readUdevRules(reader: Reader): Rival[] {
  const files = new Map<string, string>();
  for (const directory of RULE_DIRECTORIES) {
    for (const name of reader.list(directory).filter((n) => n.endsWith('.rules'))) if (!files.has(name)) files.set(name, `${directory}/${name}`);
  }
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, path]) => rulesIn(reader, path).map((rule): Rival => ({
    kind: 'udev-rule',
    where: `${path}:${rule.line}`,
    effect: rule.onlines !== null
      ? `${rule.action} puts memory blocks online (${rule.onlines}) as soon as they appear or change`
      : `${rule.action} acts on ${rule.subsystem} devices as they come and go`,
  })));
}

function rulesIn(reader: Reader, path: string): ActingRule[] {
  const text = reader.text(path) ?? '';
  return mayConcern(text) ? actingRules(parseUdevRules(text)) : [];
}

function readMonitors(reader: Reader): Rival[] {
  const pids = reader.host.processes.pids();
  if (isMissing(pids)) return [];
  const found: Rival[] = [];
  for (const pid of pids) {
    const comm = reader.host.processes.read(pid, 'comm');
    if (isMissing(comm)) continue;
    const monitor = monitorOf(byteString(comm).trimEnd(), () => {
      const line = reader.host.processes.read(pid, 'cmdline');
      return isMissing(line) ? '' : byteString(line);
    });
    if (monitor) found.push({ kind: 'monitor', where: `${monitor.program} (pid ${pid})`, effect: `may read ${monitor.reads} of other processes ${monitor.when}: with a stale mapping that can crash the kernel`, pid });
  }
  return found;
}
