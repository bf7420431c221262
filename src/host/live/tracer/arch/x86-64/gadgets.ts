/** The two pieces of code that a chain needs, found in what the process has mapped executable. */
import type { Gadgets } from './frames.ts';
import type { MapLine } from '../../proc.ts';

const CALL = Buffer.from([0x0f, 0x05, 0xc3]);
/** `mov $15, %rax; syscall` as glibc and Go have it, and with %eax as musl may. */
const RESTORERS = [Buffer.from([0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05]), Buffer.from([0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05])];
/** `mov %rax, (%rbx)` and an epilogue; how many words that takes off the stack. */
const STORES: readonly { readonly bytes: Buffer; readonly words: number }[] = [
  { bytes: Buffer.from([0x48, 0x89, 0x03, 0x5b, 0xc3]), words: 1 },
  { bytes: Buffer.from([0x48, 0x89, 0x03, 0x5b, 0x5d, 0xc3]), words: 2 },
  { bytes: Buffer.from([0x48, 0x89, 0x03, 0x48, 0x83, 0xc4, 0x08, 0x5b, 0xc3]), words: 2 },
  { bytes: Buffer.from([0x48, 0x89, 0x03, 0x48, 0x83, 0xc4, 0x10, 0x5b, 0xc3]), words: 3 },
];
const WINDOW = 256 * 1024;
const OVERLAP = 16;

/** Where in a mapped file the code was found: the same for every process that maps it. Null: looked for and not there. */
interface Found {
  call: number | null;
  restorer: number | null;
  /** Offset, and which of STORES it is. */
  store: { readonly at: number; readonly kind: number } | null;
}

export type ReadMemory = (address: number, into: Buffer) => number;

/** Finds gadgets and remembers them by file, so that a thousand holders with one libc cost one search. */
export class GadgetFinder {
  private readonly byFile = new Map<string, Found>();

  /** `avoid`: address ranges that the chain itself replaces; used only where there is nothing else. */
  find(maps: readonly MapLine[], read: ReadMemory, avoid: readonly { start: number; end: number }[]): Gadgets | null {
    const executable = maps.filter((m) => m.perms[2] === 'x' && m.perms[0] === 'r' && m.perms[3] === 'p' && m.name !== '[vsyscall]');
    const touched = (m: MapLine): boolean => avoid.some((r) => r.start < m.end && m.start < r.end);
    const order = executable.map((m) => ({ m, rank: rank(m) + (touched(m) ? 10 : 0) })).sort((a, b) => a.rank - b.rank);
    let call: number | null = null;
    let restorer: number | null = null;
    let store: Gadgets['store'] = null;
    for (const { m } of order) {
      const found = this.look(m, read);
      if (call === null && found.call !== null) call = this.verified(m.start + found.call, [CALL], read);
      if (restorer === null && found.restorer !== null) restorer = this.verified(m.start + found.restorer, RESTORERS, read);
      const kind = STORES[found.store?.kind ?? -1];
      if (store === null && found.store !== null && kind !== undefined && this.verified(m.start + found.store.at, [kind.bytes], read) !== null) {
        store = { address: m.start + found.store.at, words: kind.words };
      }
      if (call !== null && restorer !== null && store !== null) break;
    }
    return call === null || restorer === null ? null : { call, restorer, store };
  }

  private look(m: MapLine, read: ReadMemory): Found {
    const key = m.ino === 0 ? '' : `${m.dev}:${m.ino}:${m.offset}:${m.end - m.start}`;
    const known = this.byFile.get(key);
    if (known !== undefined && key !== '') return known;
    const found = search(m, read);
    if (key !== '') this.byFile.set(key, found);
    return found;
  }

  /** The code may have been patched in this process: look at the bytes once more. */
  private verified(address: number, patterns: readonly Buffer[], read: ReadMemory): number | null {
    return patterns.some((p) => {
      const now = Buffer.alloc(p.length);
      return read(address, now) === p.length && now.equals(p);
    }) ? address : null;
  }
}

/** libc and the loader first: they have both. */
const rank = (m: MapLine): number => (/\/(libc[.-]|ld-|libc\.so|libpthread)/.test(m.name) ? 0 : m.name === '[vdso]' ? 1 : 2);

function search(m: MapLine, read: ReadMemory): Found {
  const found: Found = { call: null, restorer: null, store: null };
  const buffer = Buffer.alloc(WINDOW);
  for (let at = m.start; at < m.end && (found.call === null || found.restorer === null || found.store === null); at += WINDOW - OVERLAP) {
    const got = read(at, buffer.subarray(0, Math.min(WINDOW, m.end - at)));
    if (got <= 0) break;
    const bytes = buffer.subarray(0, got);
    const call = bytes.indexOf(CALL);
    if (found.call === null && call >= 0) found.call = at + call - m.start;
    for (const [kind, { bytes: pattern }] of STORES.entries()) {
      const store = bytes.indexOf(pattern);
      if (found.store === null && store >= 0) found.store = { at: at + store - m.start, kind };
    }
    for (const pattern of RESTORERS) {
      const restorer = bytes.indexOf(pattern);
      if (found.restorer === null && restorer >= 0) found.restorer = at + restorer - m.start;
    }
  }
  return found;
}
