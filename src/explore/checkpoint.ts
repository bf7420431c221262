/**
 * A search between two levels, as a file: 8 bytes of magic, the length of a JSON header, the header, then three arrays of
 * 32-bit words (little endian) as long as the header says, and a CRC-32 of everything before it.
 */
import { crc32 } from 'node:zlib';
import { UnseatError } from '../errors/unseat-error.ts';
import type { Snapshot } from './snapshot.ts';

const MAGIC = 'UNSTCKP2';
const BODY = MAGIC.length + 4;

/** Which search it is of: a checkpoint is taken up only by the same one. */
export interface Identity {
  /** Name of the program. */
  readonly program: string;
  /** Of its first state (fingerprint.ts). */
  readonly fingerprint: string;
  readonly all: boolean;
  readonly symmetry: boolean;
}

interface Header extends Identity, Omit<Snapshot, 'lessons' | 'table' | 'frontier'> {
  readonly stride: number;
  readonly states: number;
  readonly words: readonly [lessons: number, table: number, frontier: number];
}

/** The parts of the file, in order. The large ones are views of the snapshot's arrays. */
export function encodeCheckpoint(identity: Identity, snapshot: Snapshot): Uint8Array[] {
  const { lessons, digest, table, frontier, waiting, depth, transitions, found, pending } = snapshot;
  const { program, fingerprint, all, symmetry } = identity;
  const header: Header = { program, fingerprint, all, symmetry, stride: table.stride, states: table.count, words: [lessons.length, table.words.length, frontier.length], digest, waiting, depth, transitions, found, pending };
  const json = Buffer.from(JSON.stringify(header));
  const start = Buffer.alloc(BODY);
  start.write(MAGIC, 'latin1');
  start.writeUInt32LE(json.length, MAGIC.length);
  const parts = [start, json, ...[lessons, table.words, frontier].map((words) => new Uint8Array(words.buffer, words.byteOffset, words.byteLength))];
  const end = Buffer.alloc(4);
  end.writeUInt32LE(parts.reduce((crc, part) => crc32(part, crc), 0));
  return [...parts, end];
}

/**
 * @param subject what to call the file in errors
 * @throws UnseatError BAD_INPUT where it is none, is damaged, or is of another search
 */
export function decodeCheckpoint(bytes: Uint8Array<ArrayBuffer>, identity: Identity, subject: string): Snapshot {
  const { header, body } = readHeader(bytes, subject);
  for (const key of ['program', 'fingerprint', 'all', 'symmetry'] as const) {
    if (header[key] === identity[key]) continue;
    const why = key === 'fingerprint' ? 'the test, the profile or the simulated kernel has changed since' : `its ${key} is not that of this search`;
    throw new UnseatError('BAD_INPUT', 'the checkpoint is of another search', { subject, cause: why, seen: `${header[key]}, not ${identity[key]}`, next: 'Give the litmus test, the profile and the options that it was made with, or begin anew.' });
  }
  let at = body;
  const [lessons, words, frontier] = header.words.map((count) => {
    // A copy, because the words of a view must begin at a multiple of four; and the search writes to them.
    const part = new Int32Array(bytes.slice(at, at + count * 4).buffer);
    at += count * 4;
    return part;
  }) as [Int32Array, Int32Array, Int32Array];
  const { stride, states, digest, waiting, depth, transitions, found, pending } = header;
  return { lessons, digest, table: { words, stride, count: states }, frontier, waiting, depth, transitions, found, pending };
}

function readHeader(bytes: Uint8Array<ArrayBuffer>, subject: string): { header: Header; body: number } {
  const bad = (message: string, cause: string): UnseatError => new UnseatError('BAD_INPUT', message, { subject, cause, next: 'Begin the search anew, without --resume.' });
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.toString('latin1', 0, MAGIC.length) !== MAGIC) throw bad('this is no checkpoint of a search', `it does not begin with ${MAGIC}`);
  if (buffer.length < BODY + 4) throw bad('the checkpoint is truncated', `it has ${buffer.length} bytes`);
  if (crc32(buffer.subarray(0, -4)) !== buffer.readUInt32LE(buffer.length - 4)) throw bad('the checkpoint is truncated or damaged', 'its checksum does not fit');
  const body = BODY + buffer.readUInt32LE(MAGIC.length);
  const header = JSON.parse(buffer.toString('utf8', BODY, body)) as Header;
  return { header, body };
}
