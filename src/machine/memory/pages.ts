/** What is on memory blocks, from /proc/kpageflags; read only for the blocks in question. */
import { isMissing, missing, type Fact } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import type { BlockPages, MemoryBlock } from '../types/memory.ts';
import { emptyTally, PAGE_CLASSES, tallyWords, type FlaglessIs, type PageTally } from './page-flags.ts';

const KPAGEFLAGS = '/proc/kpageflags';
const WORD = 8;
/** 256 KiB: the kernel's cost for each page is the same from 32 to 512 KiB a read. */
const BUFFER = 256 * 1024;

/**
 * Counts of pages by block index. A block whose pages cannot be read (no permission, not in the capture) has the reason
 * instead. Pages beyond the end of the file are `unknown`; all pages of an offline block are `offline` without reading.
 */
export function readBlockPages(host: Host, blocks: readonly MemoryBlock[]): Map<number, Fact<BlockPages>> {
  const pageSize = host.identity.pageSize;
  const buffer = new Uint8Array(BUFFER);
  const words = new Uint32Array(buffer.buffer);
  return new Map(blocks.map((block) => [block.index, isMissing(pageSize) ? pageSize : readBlock(host, block, pageSize, buffer, words)]));
}

function readBlock(host: Host, block: MemoryBlock, pageSize: number, buffer: Uint8Array, words: Uint32Array): Fact<BlockPages> {
  const first = block.start / pageSize;
  const pages = (block.end - block.start) / pageSize;
  if (!Number.isInteger(first) || !Number.isInteger(pages)) return missing('malformed', KPAGEFLAGS, `memory${block.index} is no whole number of pages`);
  if (block.state === 'offline') return { ...EMPTY, offline: pages };
  const flagless: FlaglessIs = block.validZones?.length === 1 && block.validZones[0] === 'Movable' ? 'unknown' : 'kernel';
  const tally = emptyTally();
  let done = 0;
  while (done < pages) {
    const want = Math.min(buffer.length, (pages - done) * WORD);
    const got = host.files.readAt(KPAGEFLAGS, (first + done) * WORD, want === buffer.length ? buffer : buffer.subarray(0, want));
    if (isMissing(got)) {
      if (done === 0) return got;
      break;
    }
    const count = Math.floor(got / WORD);
    if (count === 0) break;
    tallyWords(words, count, first + done, flagless, tally);
    done += count;
  }
  return pagesOf(tally, pages - done);
}

const EMPTY: BlockPages = { movable: 0, hugetlb: 0, kernel: 0, slab: 0, pageTables: 0, reserved: 0, poisoned: 0, free: 0, offline: 0, unknown: 0, memmap: 0 };

function pagesOf(tally: PageTally, unread: number): BlockPages {
  const counts = Object.fromEntries(PAGE_CLASSES.map((name, index) => [name, tally.counts[index]])) as unknown as BlockPages;
  const pages = { ...counts, unknown: counts.unknown + unread };
  return tally.firstUnmovablePfn < 0 ? pages : { ...pages, firstUnmovablePfn: tally.firstUnmovablePfn };
}

/** The blocks with what was found on them; blocks that were not asked for, or could not be read, stay as they are. */
export function withPages(blocks: readonly MemoryBlock[], pages: ReadonlyMap<number, Fact<BlockPages>>): MemoryBlock[] {
  return blocks.map((block) => {
    const found = pages.get(block.index);
    return found === undefined || isMissing(found) ? block : { ...block, pages: found };
  });
}
