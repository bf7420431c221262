/**
 * Recognises how an archive is compressed by its first bytes, never by its name, and decompresses it chunk by chunk so
 * that a decompression bomb is noticed before it is in memory.
 */
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Transform } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import type { XzReadableStream as Xz } from 'xz-decompress';
import { UnseatError } from '../../errors/unseat-error.ts';
import { badCapture, tooLarge, type CaptureLimits } from './limits.ts';

export type Compression = 'none' | 'gzip' | 'bzip2' | 'xz' | 'zstd';

/** RFC 1952, RFC 8878 (3.1.1, skippable frames too), the .xz format 1.2.1 (2.1.1.1), bzip2's `BZh1` to `BZh9`. */
export function compressionOf(head: Uint8Array): Compression {
  const is = (...bytes: number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  if (is(0x1f, 0x8b)) return 'gzip';
  if (is(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  if (is(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) return 'zstd';
  if (is(0x42, 0x5a, 0x68) && (head[3] ?? 0) >= 0x31 && (head[3] ?? 0) <= 0x39) return 'bzip2';
  return 'none';
}

/**
 * The decompressed bytes. Throws BAD_CAPTURE, with the place in the archive, where it is truncated or corrupt, and
 * UNSAFE_CAPTURE above `limits.totalBytes`.
 */
export async function* decompress(archive: string, bytes: Uint8Array, limits: CaptureLimits): AsyncGenerator<Uint8Array> {
  const compression = compressionOf(bytes);
  const full = (seen: number): Error => tooLarge(archive, `the ${compression} data, decompressed,`, seen, limits.totalBytes, 'bytes');
  let produced = 0;
  try {
    for await (const chunk of opened(compression, bytes, limits.totalBytes, full)) {
      produced += chunk.length;
      if (produced > limits.totalBytes) throw full(produced);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof UnseatError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw badCapture(archive, `the ${compression} data cannot be decompressed`, `${reason} (after ${produced} decompressed bytes; the archive has ${bytes.length})`);
  }
}

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

async function* opened(compression: Compression, bytes: Uint8Array, limit: number, full: (seen: number) => Error): AsyncGenerator<Uint8Array> {
  yield* await chunksOf(compression, bytes, limit, full);
}

async function chunksOf(compression: Compression, bytes: Uint8Array, limit: number, full: (seen: number) => Error): Promise<Chunks> {
  switch (compression) {
    case 'none': return slices(bytes);
    case 'gzip': return through(createGunzip(), bytes);
    case 'zstd': return through(createZstdDecompress(), bytes);
    case 'xz': return xz(bytes);
    case 'bzip2': return (await import('./bzip2.ts')).bunzip(bytes, limit, full);
  }
}

const SLICE = 64 * 1024;

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE) yield bytes.subarray(at, at + SLICE);
}

function through(stream: Transform, bytes: Uint8Array): AsyncIterable<Uint8Array> {
  stream.end(bytes);
  return stream;
}

async function* xz(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  // A CommonJS bundle: Node sees its exports only on the default export, esbuild on the module.
  const library: { XzReadableStream?: typeof Xz; default?: { XzReadableStream: typeof Xz } } = await import('xz-decompress');
  const XzReadableStream = library.XzReadableStream ?? library.default?.XzReadableStream;
  if (XzReadableStream === undefined) throw new Error('the xz library does not load');
  const reader = new XzReadableStream(ReadableStream.from(slices(bytes)) as never).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (value.length > 0) yield value;
  }
}
