/** Takes the descriptors and places of a process, or of a thread that has its own, as JSON lines (own-listing.ts). */
import { isMissing, type Fact } from '../../fact.ts';
import type { OpenFile, Place } from '../../processes.ts';
import type { Taker } from './taker.ts';

/** Descriptors and places of a process or thread. Returns the descriptors whose fdinfo says more than a position. */
export async function takeListing(taker: Taker, id: number, home: string): Promise<readonly OpenFile[]> {
  const { processes } = taker.host;
  const files = processes.openFiles(id);
  await taker.made(`root${home}/fd.jsonl`, jsonLines([
    ...(isMissing(files) ? [{ missing: files.missing, detail: files.detail }] : files.map((file) => fileLine(taker, file))),
    ...(['cwd', 'root', 'exe'] as const).map((place) => placeLine(taker, place, processes.place(id, place))),
  ]));
  return isMissing(files) ? [] : files.filter(tellsMore);
}

export const jsonLines = (lines: readonly unknown[]): Uint8Array => Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), 'utf8');

/** Descriptors whose fdinfo says more than a position: rings and the like, and files on block devices and dax nodes. */
function tellsMore(file: OpenFile): boolean {
  return file.target.startsWith('anon_inode:') || (file.dev !== undefined && !file.dev.startsWith('0:')) || /\/dax\d+\.\d+/.test(file.target);
}

const fileLine = (taker: Taker, file: OpenFile): object => ({ ...file, target: taker.disguise.name(file.target) });

function placeLine(taker: Taker, which: string, place: Fact<Place>): object {
  if (isMissing(place)) return { place: which, missing: place.missing, detail: place.detail };
  return { place: which, ...place, target: taker.disguise.name(place.target) };
}
