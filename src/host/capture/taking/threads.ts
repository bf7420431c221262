/**
 * Takes what threads have for themselves (threads-listing.ts): descriptors and directories of their own, and, where the first
 * thread of a process has ended, all that shows the process under the id of another one. And who shares an address space.
 */
import { isMissing } from '../../fact.ts';
import { jsonLines, takeListing } from './listing.ts';
import { PROCESS_FILES } from './subjects.ts';
import type { Taker } from './taker.ts';

/** State and number of threads, the first and the eighteenth field after the name (fs/proc/array.c, do_task_stat()). */
const STAT = /^ (\S)(?: -?\d+){16} (\d+) /;

/** The id under which the memory of the process can be looked at; none for one that has no memory. */
export async function takeThreads(taker: Taker, pid: number): Promise<readonly number[]> {
  const { processes } = taker.host;
  const bytes = processes.read(pid, 'stat');
  const stat = isMissing(bytes) ? '' : Buffer.from(bytes).toString('latin1');
  const [, state = '', threads = ''] = STAT.exec(stat.slice(stat.lastIndexOf(')') + 1)) ?? [];
  const ended = state === 'Z' || state === 'X';
  if (threads === '1') return ended || isMissing(processes.place(pid, 'exe')) ? [] : [pid];
  const all = ended ? processes.threads(pid) : [];
  const standIn = isMissing(all) ? undefined : all.find((tid) => tid !== pid);
  if (ended && standIn === undefined) return [];
  const reader = standIn ?? pid;
  const apart = processes.threadsApart?.(reader) ?? [];
  const lines = isMissing(apart) ? (apart.missing === 'vanished' || apart.missing === 'absent' ? [] : [{ missing: apart.missing, detail: apart.detail }]) : apart;
  if (standIn === undefined && lines.length === 0) return isMissing(processes.place(pid, 'exe')) ? [] : [pid];
  await taker.made(`root/proc/${pid}/threads.jsonl`, jsonLines([...(isMissing(all) || all.length === 0 ? [] : [{ tids: all }]), ...lines]));
  for (const tid of new Set([...(standIn === undefined ? [] : [standIn]), ...(isMissing(apart) ? [] : apart.flatMap(({ threads: [first] }) => first ?? []))])) await takeThread(taker, pid, tid, tid === standIn);
  return [reader];
}

/** `whole`: it stands for the process. */
async function takeThread(taker: Taker, pid: number, tid: number, whole: boolean): Promise<void> {
  const { processes } = taker.host;
  const home = `/proc/${pid}/apart/${tid}`;
  if (whole) for (const name of PROCESS_FILES) await taker.as(`${home}/${name}`, `/proc/${tid}/${name}`, processes.read(tid, name));
  const namespace = processes.namespace(tid, 'mnt');
  if (!isMissing(namespace)) await taker.linkAs(`${home}/ns/mnt`, `mnt:[${namespace}]`);
  for (const { fd } of await takeListing(taker, tid, home)) await taker.as(`${home}/fdinfo/${fd}`, `/proc/${tid}/fdinfo/${fd}`, processes.fdInfo(tid, fd));
}

/** `spaces.jsonl`: one line for each address space that several processes run in. */
export async function takeSpaces(taker: Taker, ids: readonly number[]): Promise<void> {
  const groups = Map.groupBy(taker.host.processes.addressSpaces?.(ids) ?? [], ([, first]) => first);
  const shared = [...groups.values()].filter((group) => group.length > 1).map((group) => group.map(([id]) => id));
  if (shared.length > 0) await taker.made('spaces.jsonl', jsonLines(shared));
}
