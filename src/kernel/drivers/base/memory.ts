/**
 * Memory blocks (drivers/base/memory.c; 5.10 to 7.2): runs of whole sections that go online and offline together. A
 * block is four words in a table like that of the sections, so that terabytes of blocks stay small.
 */
import { EEXIST, ENOMEM } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { Slab } from '../../state/slab.ts';

/** Words of a `struct memory_block`. */
export const BLOCK = {
  /** 0: there is no such block. */
  state: 0,
  /** Node as mem->nid has it (-1: NUMA_NO_NODE), and a bit for each node that links to the block, from bit 16. */
  node: 1,
  /** mem->zone as number + 1; 0: unknown or several. */
  zone: 2,
  /** vmem_altmap of a block that holds its own memmap. */
  altmap: 3,
  words: 4,
} as const;

export const MEM = { absent: 0, offline: 1, online: 2, goingOffline: 3 } as const;
export const MEM_NAMES = ['absent', 'offline', 'online', 'going-offline'] as const;
const PER_ROOT = 256;

export class MemoryBlocks {
  private readonly k: Kernel;
  private readonly roots: number;
  private readonly slab: Slab;
  readonly count: number;

  constructor(k: Kernel) {
    this.k = k;
    this.count = 2 ** k.geo.physicalBits / k.geo.memoryBlockSize;
    this.roots = k.heap.reserve(Math.ceil(this.count / PER_ROOT));
    this.slab = new Slab(k.heap, 'memory blocks', PER_ROOT * BLOCK.words, 1);
  }

  /** Address of block `id`, 0 where it does not exist (find_memory_block_by_id). */
  find(id: number): number {
    const block = this.slot(id);
    return block !== 0 && this.k.heap.load(block + BLOCK.state) !== MEM.absent ? block : 0;
  }

  private slot(id: number): number {
    if (id < 0 || id >= this.count) return 0;
    const root = this.k.heap.load(this.roots + (id >> 8));
    return root === 0 ? 0 : root + (id & 255) * BLOCK.words;
  }

  /** add_memory_block: -EEXIST, -ENOMEM, or the address. */
  add(id: number, nid: number, state: number, altmap: number): number {
    if (this.find(id) !== 0) return -EEXIST;
    if (!this.k.mayAllocate()) return -ENOMEM;
    const at = this.roots + (id >> 8);
    if (this.k.heap.load(at) === 0) this.k.heap.store(at, this.slab.alloc());
    const block = this.slot(id);
    this.k.heap.store(block + BLOCK.state, state);
    this.k.heap.store(block + BLOCK.node, nid & 0xffff);
    this.k.heap.store(block + BLOCK.zone, 0);
    this.k.heap.store(block + BLOCK.altmap, altmap);
    return block;
  }

  /** remove_memory_block. */
  remove(id: number): void {
    const block = this.find(id);
    if (block !== 0) for (let word = 0; word < BLOCK.words; word += 1) this.k.heap.store(block + word, 0);
  }

  /** Numbers of all blocks, in order. */
  *all(): Generator<number> {
    for (let root = 0; root * PER_ROOT < this.count; root += 1) {
      if (this.k.heap.load(this.roots + root) === 0) continue;
      for (let id = root * PER_ROOT; id < (root + 1) * PER_ROOT; id += 1) if (this.find(id) !== 0) yield id;
    }
  }
}

const makeBlocks = (k: Kernel): MemoryBlocks => new MemoryBlocks(k);
export const memoryBlocks = (k: Kernel): MemoryBlocks => k.part(makeBlocks);

export const blockState = (k: Kernel, id: number): number => {
  const block = memoryBlocks(k).find(id);
  return block === 0 ? MEM.absent : k.heap.load(block + BLOCK.state);
};
/** mem->nid: -1 where unknown. */
export const blockNid = (k: Kernel, block: number): number => (k.heap.load(block + BLOCK.node) << 16) >> 16;
export const blockZone = (k: Kernel, block: number): number => k.heap.load(block + BLOCK.zone) - 1;
export const blockAltmap = (k: Kernel, block: number): number => k.heap.load(block + BLOCK.altmap);
/** Number of the block that holds the byte address. */
export const blockIdOf = (k: Kernel, address: number): number => Math.floor(address / k.geo.memoryBlockSize);
export const blockPfn = (k: Kernel, id: number): number => id * k.geo.pagesPerBlock;
/** Nodes that show the block (nodeN/memoryM). */
export const blockNodes = (k: Kernel, block: number): number[] => {
  const bits = k.heap.load(block + BLOCK.node) >>> 16;
  return Array.from({ length: 16 }, (_, nid) => nid).filter((nid) => (bits >>> nid) & 1);
};

export function setBlockNid(k: Kernel, block: number, nid: number): void {
  k.heap.store(block + BLOCK.node, (k.heap.load(block + BLOCK.node) & ~0xffff) | (nid & 0xffff));
}

/** Block numbers of a byte range. */
export function* blocksIn(k: Kernel, start: number, size: number): Generator<number> {
  for (let id = blockIdOf(k, start); id * k.geo.memoryBlockSize < start + size; id += 1) yield id;
}
