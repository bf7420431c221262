/**
 * Words of a namespace as nd_pmem sees it. Pages: `start`..`end` of the namespace, `data`: first data page. What is on
 * the medium (`disk`) outlives every bind. `ndStart`, `ndEnd`: the namespace of a BTT, whose data have no addresses of their own.
 * `swap`: 1 a swap area, 2 one whose disk has gone; `used`: KiB of it in use.
 */
export const PMEM = {
  start: 0, end: 2, data: 4, map: 6, dax: 7, pgmap: 8, altmap: 9, blk: 10, swap: 11, res: 12, name: 13, disk: 14, node: 15, diskGone: 16, ndStart: 17, ndEnd: 19, used: 21, words: 22,
} as const;

export const MAP_MEM = 0;
export const MAP_DEV = 1;
/** No memmap and no DAX: a disk. */
export const MAP_PLAIN = 2;
