/** bzip2 by the library seek-bzip, with an end to its input (it takes none for zeros) and a limit to its output. */
import Bunzip from 'seek-bzip';

const CHUNK = 1024 * 1024;

/** The decompressed bytes in chunks. Throws where the data is truncated or corrupt; calls `full` above `limit` bytes. */
export function bunzip(bytes: Uint8Array, limit: number, full: (seen: number) => Error): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let chunk = new Uint8Array(CHUNK);
  let used = 0;
  Bunzip.decode(sourceOf(bytes), {
    writeByte(byte: number): void {
      if (used === CHUNK) {
        chunks.push(chunk);
        if (chunks.length * CHUNK > limit) throw full(chunks.length * CHUNK);
        chunk = new Uint8Array(CHUNK);
        used = 0;
      }
      chunk[used] = byte;
      used += 1;
    },
  }, true);
  chunks.push(chunk.subarray(0, used));
  return chunks;
}

function sourceOf(bytes: Uint8Array): { readByte(): number; read(into: Uint8Array, offset: number, length: number): number; eof(): boolean } {
  let at = 0;
  const readByte = (): number => {
    const byte = bytes[at];
    if (byte === undefined) throw new Error(`the data ends at byte ${at}, in the middle of a block`);
    at += 1;
    return byte;
  };
  return {
    readByte,
    read(into, offset, length) {
      for (let i = 0; i < length; i += 1) into[offset + i] = readByte();
      return length;
    },
    eof: () => at >= bytes.length,
  };
}
