/**
 * Programs that read smaps, numa_maps or pagemap of other processes. On a machine with a stale mapping such a read can
 * crash the kernel (docs/kernel-truth, part B, 1b), so they must be stopped before a removal that may leave one. What a
 * process will read cannot be seen from outside: the list says what such programs are known to do, and the answer is
 * "may".
 */
export interface Monitor {
  /** Name of the program, as in comm (15 bytes) or as the script that an interpreter runs. */
  readonly program: string;
  readonly reads: string;
  /** When it does. */
  readonly when: string;
}

export const MONITORS: readonly Monitor[] = [
  { program: 'smem', reads: 'smaps', when: 'on each run' },
  { program: 'smemstat', reads: 'smaps', when: 'at each interval' },
  { program: 'ps_mem', reads: 'smaps', when: 'on each run' },
  { program: 'ps_mem.py', reads: 'smaps', when: 'on each run' },
  { program: 'procrank', reads: 'pagemap', when: 'on each run' },
  { program: 'wss', reads: 'smaps and clear_refs', when: 'at each interval' },
  { program: 'wss.pl', reads: 'smaps and clear_refs', when: 'at each interval' },
  { program: 'atop', reads: 'smaps_rollup', when: 'at each interval when started with -R' },
  { program: 'below', reads: 'smaps or smaps_rollup', when: 'depending on its version and settings' },
  { program: 'htop', reads: 'smaps_rollup', when: 'while a PSS or swap column is shown' },
  { program: 'glances', reads: 'smaps', when: 'when it shows extended process memory' },
  { program: 'apps.plugin', reads: 'smaps_rollup', when: 'when netdata is set to estimate PSS' },
  { program: 'netdata', reads: 'smaps_rollup', when: 'by its apps.plugin, when set to estimate PSS' },
  { program: 'telegraf', reads: 'smaps', when: 'when its procstat input collects memory maps' },
  { program: 'zabbix_agentd', reads: 'smaps', when: 'for the item proc.get and for memory items of type pss' },
  { program: 'zabbix_agent2', reads: 'smaps', when: 'for the item proc.get and for memory items of type pss' },
  { program: 'process-exporter', reads: 'smaps', when: 'at each scrape unless started with -gather-smaps=false' },
  { program: 'process_exporte', reads: 'smaps', when: 'at each scrape unless started with -gather-smaps=false' },
  { program: 'process-exporte', reads: 'smaps', when: 'at each scrape unless started with -gather-smaps=false' },
  { program: 'process-agent', reads: 'smaps', when: 'depending on its settings' },
  { program: 'numad', reads: 'numa_maps', when: 'at each interval' },
  { program: 'numastat', reads: 'numa_maps', when: 'on each run with -p' },
  { program: 'pmap', reads: 'smaps', when: 'on each run with -x or -X' },
  { program: 'page-types', reads: 'pagemap', when: 'on each run with -p' },
  { program: 'criu', reads: 'smaps and pagemap', when: 'when it dumps a process' },
  { program: 'gcore', reads: 'smaps', when: 'when it dumps a process' },
];

const BY_NAME = new Map(MONITORS.map((m) => [m.program, m]));
const INTERPRETERS = /^(python[\d.]*|perl|ruby|node|sh|bash|dash)$/;

/** Which monitor a process is, from its comm and its command line (arguments separated by NUL); null for all others. */
export function monitorOf(comm: string, commandLine: () => string): Monitor | null {
  const direct = BY_NAME.get(comm);
  if (direct) return direct;
  if (!INTERPRETERS.test(comm)) return null;
  const words = commandLine().split('\0');
  const script = words.slice(1).find((word) => word !== '' && !word.startsWith('-'));
  return script === undefined ? null : (BY_NAME.get(script.split('/').at(-1)!) ?? null);
}
