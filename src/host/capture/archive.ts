/** Reads an archive into a tree: decompression, tar, and the checks that nothing absurd or outside is taken in. */
import { extract, type Extract, type Header } from 'tar-stream';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { FileKind } from '../host.ts';
import { decompress } from './compression.ts';
import { badCapture, tooLarge, type CaptureLimits } from './limits.ts';
import { Planter } from './plant.ts';
import type { TreeNode } from './tree.ts';

const KINDS: Record<string, FileKind | 'hard-link'> = {
  'file': 'file', 'contiguous-file': 'file', 'link': 'hard-link', 'symlink': 'link', 'directory': 'directory',
  'character-device': 'char', 'block-device': 'block', 'fifo': 'fifo',
};

const BLOCK = 512;
const START = 'the start';
const NO_ARCHIVE = 'neither a tar archive nor one compressed with gzip, bzip2, xz or zstd begins like this';

/** Reads a whole archive (tar, plain or compressed) given as bytes. `archive` is its name for people. */
export async function readArchive(archive: string, bytes: Uint8Array, limits: CaptureLimits): Promise<TreeNode> {
  const planter = new Planter(archive, limits);
  const tail = new Tail();
  const tar = extract();
  const state: { place: string; failure: unknown } = { place: START, failure: null };
  tar.on('entry', (header, stream, next) => {
    state.place = JSON.stringify(header.name);
    // The reader's own error is handed to the entry's stream too, where nobody else would hear it.
    stream.on('error', () => {});
    const fail = (error: unknown): void => {
      state.failure ??= error;
      next(error instanceof Error ? error : new Error(String(error)));
    };
    try {
      const kind = admit(planter, archive, header, limits);
      const chunks: Uint8Array[] = [];
      stream.on('data', (chunk) => { chunks.push(chunk as Uint8Array); });
      stream.on('end', () => {
        try {
          plant(planter, header, kind, chunks);
          next();
        } catch (error) {
          fail(error);
        }
      });
    } catch (error) {
      fail(error);
    }
  });
  tar.on('error', (error) => { state.failure ??= error; });
  try {
    await feed(tar, decompress(archive, bytes, limits), tail);
  } catch (error) {
    state.failure ??= error;
    tar.destroy();
  }
  if (state.failure !== null) throw asBadArchive(archive, state.failure, state.place, tail.total);
  tail.check(archive);
  return planter.top;
}

/** Writes the chunks to the tar reader at the pace at which it takes them; returns when it has ended, well or not. */
async function feed(tar: Extract, chunks: AsyncIterable<Uint8Array>, tail: Tail): Promise<void> {
  let wake = (): void => {};
  tar.on('drain', () => wake());
  const closed = new Promise<void>((resolve) => {
    tar.on('close', () => {
      resolve();
      wake();
    });
  });
  for await (const chunk of chunks) {
    tail.push(chunk);
    if (tar.destroyed) break;
    const drained = new Promise<void>((resolve) => { wake = resolve; });
    if (!tar.write(chunk) && !tar.destroyed) await drained;
  }
  tar.end(null);
  await closed;
}

/** Checks an entry by its header, before its bytes are taken. */
function admit(planter: Planter, archive: string, header: Header, limits: CaptureLimits): FileKind | 'hard-link' {
  const kind = KINDS[header.type ?? ''];
  if (kind === undefined) throw badCapture(archive, 'an entry has a type that unseat does not read', `${JSON.stringify(header.name)}: sparse, multi-volume or unknown`, 'Pack it again without --sparse (-S) and in one volume.');
  planter.componentsOf(header.name);
  const size = header.size ?? 0;
  if (size > limits.fileBytes) throw tooLarge(archive, `the entry ${JSON.stringify(header.name)}`, size, limits.fileBytes, 'bytes');
  return kind;
}

function plant(planter: Planter, header: Header, kind: FileKind | 'hard-link', chunks: readonly Uint8Array[]): void {
  // A copy, always: a piece of the decompressor's chunk would keep all of that chunk in memory.
  const bytes = Buffer.concat(chunks);
  if (kind === 'file' && bytes.length !== header.size) throw new Error(`${bytes.length} of ${header.size} bytes are there`);
  planter.add({
    name: header.name,
    kind,
    mode: header.mode ?? 0o644,
    ...(kind === 'file' ? { bytes } : {}),
    ...(header.linkname != null ? { target: header.linkname } : {}),
    ...(kind === 'char' || kind === 'block' ? { rdev: `${header.devmajor ?? 0}:${header.devminor ?? 0}` } : {}),
  });
}

/** Watches the end of the tar stream: an archive cut exactly between two entries lacks only its closing zeros. */
class Tail {
  total = 0;
  private head: Uint8Array = new Uint8Array(0);
  private last: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): void {
    this.total += chunk.length;
    if (this.head.length < BLOCK) this.head = Buffer.concat([this.head, chunk.subarray(0, BLOCK)]);
    this.last = chunk.length >= BLOCK ? chunk.slice(-BLOCK) : Buffer.concat([this.last, chunk]).subarray(-BLOCK);
  }

  check(archive: string): void {
    if (this.total === 0) throw badCapture(archive, 'the archive is empty', 'no bytes after decompression');
    if (this.total % BLOCK !== 0) throw badCapture(archive, 'the archive is truncated', `${this.total} bytes are no multiple of ${BLOCK}`);
    if (this.last.some((byte) => byte !== 0)) throw badCapture(archive, 'the archive is truncated', `it ends after ${this.total} bytes without the zero block that closes a tar archive`);
    if (this.head.every((byte) => byte === 0)) throw badCapture(archive, 'this is no capture', 'a file of zeros: a tar archive without entries');
  }
}

function asBadArchive(archive: string, failure: unknown, place: string, bytes: number): UnseatError {
  if (failure instanceof UnseatError) return failure;
  if (place === START && bytes >= BLOCK) return badCapture(archive, 'this is no capture', NO_ARCHIVE, "Give a directory, or an archive made by 'unseat capture' or tar.");
  const reason = failure instanceof Error ? failure.message : String(failure);
  return badCapture(archive, 'the tar archive is truncated or corrupt', `${reason}; near the entry ${place}, within the first ${bytes} bytes`);
}
