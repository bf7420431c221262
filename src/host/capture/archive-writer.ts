/** Writes one .tar.gz, entry by entry, at the pace of the disk. The file is private to its owner and never overwrites another. */
import { createWriteStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { pack, type Header, type Pack } from 'tar-stream';
import { UnseatError } from '../../errors/unseat-error.ts';

/** Where entries go; a test gives one that keeps them in memory. */
export interface EntrySink {
  file(name: string, bytes: Uint8Array, mode?: number): Promise<void>;
  link(name: string, target: string): Promise<void>;
  directory(name: string): Promise<void>;
}

export class ArchiveWriter implements EntrySink {
  /** Entries written so far. */
  entries = 0;
  /** Compressed bytes; final after `finish`. */
  bytes = 0;
  private readonly tar: Pack = pack();
  private readonly gzip = createGzip();
  private readonly path: string;
  private readonly time: Date;
  private readonly written: Promise<void>;
  private failure: unknown = null;

  /** `path` must not exist. Entries carry `time`. */
  constructor(path: string, time: Date) {
    this.path = path;
    this.time = time;
    const out = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    this.written = pipeline(this.gzip, out).then(() => { this.bytes = out.bytesWritten; });
    this.written.catch((error: unknown) => { this.failure = error; });
  }

  async file(name: string, bytes: Uint8Array, mode = 0o444): Promise<void> {
    this.tar.entry(this.header({ name, type: 'file', mode, size: bytes.length }), bytes);
    await this.drain();
  }

  async link(name: string, target: string): Promise<void> {
    this.tar.entry(this.header({ name, type: 'symlink', linkname: target, mode: 0o777 }));
    await this.drain();
  }

  async directory(name: string): Promise<void> {
    this.tar.entry(this.header({ name, type: 'directory', mode: 0o755 }));
    await this.drain();
  }

  /** Ends the archive; resolves when all of it is written. */
  async finish(): Promise<void> {
    this.tar.finalize();
    for await (const chunk of this.tar) await this.compress(chunk as Uint8Array);
    this.gzip.end();
    await this.written.catch(async (error: unknown) => { throw await this.failed(error); });
  }

  /** Gives up: what was written is removed. */
  async abandon(): Promise<void> {
    this.gzip.destroy();
    await this.written.catch(() => {});
    if (!isExisting(this.failure)) await unlink(this.path).catch(() => {});
  }

  private header(entry: Partial<Header> & { name: string }): Partial<Header> & { name: string } {
    this.entries += 1;
    return { ...entry, mtime: this.time, uid: 0, gid: 0 };
  }

  private async drain(): Promise<void> {
    for (let chunk = this.tar.read() as Uint8Array | null; chunk !== null; chunk = this.tar.read() as Uint8Array | null) await this.compress(chunk);
  }

  private async compress(chunk: Uint8Array): Promise<void> {
    if (this.failure !== null) throw await this.failed(this.failure);
    if (this.gzip.write(chunk)) return;
    // A failed pipeline destroys the compressor; the reason comes out of `written`.
    await Promise.race([once(this.gzip, 'drain').catch(() => {}), this.written.catch(() => {})]);
    if (this.gzip.destroyed) await this.written.catch(async (error: unknown) => { throw await this.failed(error); });
  }

  private async failed(error: unknown): Promise<UnseatError> {
    if (!isExisting(error)) await unlink(this.path).catch(() => {});
    return new UnseatError('WRITE_FAILED', 'the archive cannot be written', {
      subject: this.path,
      cause: (error as NodeJS.ErrnoException).code ?? String(error),
      next: isExisting(error) ? 'Give another name with --output, or remove the file.' : 'Make room, or give another place with --output.',
      definite: true,
    });
  }
}

/** The file was there before and is not ours to remove. */
const isExisting = (error: unknown): boolean => (error as NodeJS.ErrnoException | null)?.code === 'EEXIST';
