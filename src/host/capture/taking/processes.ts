/** Takes the processes: their small files, descriptors and places as JSON lines, what threads have for themselves, and the mount table of each namespace once. */
import { isMissing } from '../../fact.ts';
import type { MountNamespace } from '../../host.ts';
import type { Manifest } from '../manifest.ts';
import { takeListing } from './listing.ts';
import { PROCESS_FILES } from './subjects.ts';
import type { Taker } from './taker.ts';
import { takeSpaces, takeThreads } from './threads.ts';

export async function takeProcesses(taker: Taker, leftOut: Manifest['leftOut']): Promise<void> {
  const pids = taker.host.processes.pids();
  if (isMissing(pids)) {
    leftOut.push({ what: 'processes', why: pids.missing });
    return;
  }
  const spaces = taker.host.mounts.all();
  const tables = new Set<number>();
  for (const space of isMissing(spaces) ? [] : spaces) {
    if (space.pid !== undefined) tables.add(space.pid);
    else await takeKept(taker, space);
  }
  const withMemory: number[] = [];
  for (const pid of pids) {
    await takeProcess(taker, pid, tables.has(pid));
    withMemory.push(...await takeThreads(taker, pid));
  }
  await takeSpaces(taker, withMemory);
  if (!isMissing(spaces)) leftOut.push({ what: 'mountinfo of processes that share a mount namespace with another one', why: 'it is the same table' });
}

async function takeProcess(taker: Taker, pid: number, withTable: boolean): Promise<void> {
  for (const name of PROCESS_FILES) await taker.file(`/proc/${pid}/${name}`);
  const linked = await taker.link(`/proc/${pid}/ns/mnt`);
  if (withTable || !linked) await taker.file(`/proc/${pid}/mountinfo`);
  for (const file of await takeListing(taker, pid, `/proc/${pid}`)) await taker.file(`/proc/${pid}/fdinfo/${file.fd}`);
}

/** A namespace in which no process is. */
async function takeKept(taker: Taker, space: MountNamespace): Promise<void> {
  if (isMissing(space.mountinfo)) return;
  await taker.made(`mountns/${space.id}.mountinfo`, taker.disguise.content('/proc/self/mountinfo', space.mountinfo));
  await taker.made(`mountns/${space.id}.txt`, taker.disguise.name(space.keptBy ?? ''));
}
