/** `unseat capture`: one archive of a host. */
import { isMissing } from '../../fact.ts';
import type { Host } from '../../host.ts';
import { ArchiveWriter } from '../archive-writer.ts';
import type { Manifest } from '../manifest.ts';
import { take, type TakeOptions } from './take.ts';

export interface WrittenCapture {
  readonly path: string;
  readonly entries: number;
  readonly bytes: number;
  /** Files that exist and could not be read. */
  readonly unreadable: number;
  readonly manifest: Manifest;
}

/** Entries carry the time at which the capture was taken, or 1970 where the host does not know it. */
const EPOCH = new Date(0);

/** Throws WRITE_FAILED; nothing is left behind then. Progress goes to `options.progress`. */
export async function writeCapture(host: Host, path: string, options: TakeOptions): Promise<WrittenCapture> {
  const wall = host.time.wall();
  const time = isMissing(wall) || Number.isNaN(Date.parse(wall)) ? EPOCH : new Date(wall);
  const archive = new ArchiveWriter(path, time);
  try {
    const { manifest, unreadable } = await take(host, archive, options);
    await archive.finish();
    return { path, entries: archive.entries, bytes: archive.bytes, unreadable, manifest };
  } catch (error) {
    await archive.abandon();
    throw error;
  }
}

/** A name for the archive that says what and when. */
export function defaultName(host: Host): string {
  const wall = host.time.wall();
  const when = isMissing(wall) ? '' : `-${wall.slice(0, 16).replace(/[-:]/g, '').replace('T', '-')}`;
  const release = isMissing(host.identity.release) ? '' : `-${host.identity.release.replace(/[^\w.+-]/g, '_')}`;
  return `unseat-capture${release}${when}.tar.gz`;
}
