/** Takes the processes: their small files, descriptors and places as JSON lines, and the mount table of each namespace once. */
import { isMissing, type Fact } from '../../fact.ts';
import type { MountNamespace } from '../../host.ts';
import type { OpenFile, Place } from '../../processes.ts';
import type { Manifest } from '../manifest.ts';
import { PROCESS_FILES } from './subjects.ts';
import type { Taker } from './taker.ts';

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
  for (const pid of pids) await takeProcess(taker, pid, tables.has(pid));
  if (!isMissing(spaces)) leftOut.push({ what: 'mountinfo of processes that share a mount namespace with another one', why: 'it is the same table' });
}

async function takeProcess(taker: Taker, pid: number, withTable: boolean): Promise<void> {
  const { host } = taker;
  for (const name of PROCESS_FILES) await taker.file(`/proc/${pid}/${name}`);
  const linked = await taker.link(`/proc/${pid}/ns/mnt`);
  if (withTable || !linked) await taker.file(`/proc/${pid}/mountinfo`);
  const files = host.processes.openFiles(pid);
  const lines = [
    ...(isMissing(files) ? [{ missing: files.missing, detail: files.detail }] : files.map((file) => fileLine(taker, file))),
    ...(['cwd', 'root', 'exe'] as const).map((place) => placeLine(taker, place, host.processes.place(pid, place))),
  ];
  await taker.made(`root/proc/${pid}/fd.jsonl`, Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), 'utf8'));
  for (const file of isMissing(files) ? [] : files.filter(tellsMore)) await taker.file(`/proc/${pid}/fdinfo/${file.fd}`);
}

/** Descriptors whose fdinfo says more than a position: rings and the like, and files on block devices and dax nodes. */
function tellsMore(file: OpenFile): boolean {
  return file.target.startsWith('anon_inode:') || (file.dev !== undefined && !file.dev.startsWith('0:')) || /\/dax\d+\.\d+/.test(file.target);
}

const fileLine = (taker: Taker, file: OpenFile): object => ({ ...file, target: taker.disguise.name(file.target) });

function placeLine(taker: Taker, which: string, place: Fact<Place>): object {
  if (isMissing(place)) return { place: which, missing: place.missing, detail: place.detail };
  return { place: which, ...place, target: taker.disguise.name(place.target) };
}

/** A namespace in which no process is. */
async function takeKept(taker: Taker, space: MountNamespace): Promise<void> {
  if (isMissing(space.mountinfo)) return;
  await taker.made(`mountns/${space.id}.mountinfo`, taker.disguise.content('/proc/self/mountinfo', space.mountinfo));
  await taker.made(`mountns/${space.id}.txt`, taker.disguise.name(space.keptBy ?? ''));
}
