/**
 * Words of a namespace as nd_pmem sees it. Pages: `start`..`end` of the namespace, `data`: first data page. What is on
 * the medium (`disk`) outlives every bind.
 */
export const PMEM = {
  start: 0, end: 2, data: 4, map: 6, dax: 7, pgmap: 8, altmap: 9, blk: 10, swap: 11, res: 12, name: 13, disk: 14, node: 15, diskGone: 16, words: 17,
} as const;

export const MAP_MEM = 0;
export const MAP_DEV = 1;
