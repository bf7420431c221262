/** The processes of a scenario: what they open, map, touch, pin, and how they take a SIGBUS. */
import { z } from 'zod';
import { name, node, pages, path, size } from './words.ts';

const mapCommon = {
  name: name.default('m'),
  size: pages,
  share: z.enum(['shared', 'private']).default('shared'),
  prot: z.enum(['r', 'rw']).default('rw'),
  touch: z.enum(['none', 'read', 'write', 'write-every-other']).default('write')
    .describe('write: every page gets the mark of the process. write-every-other: all are read, every second one written.'),
  locked: z.boolean().default(false).describe('mlock()'),
};

export const fileMap = z.strictObject({
  ...mapCommon,
  file: path.describe('Made with fallocate() where it does not exist or is too short.'),
  offset: pages.default(0),
  align: z.union([z.literal('2M'), z.literal('4K')]).default('2M').describe('2M: the address is congruent to the offset modulo 2 MiB. 4K: it is off by 4 KiB, so that only PTE entries can map it.'),
  sync: z.boolean().default(false).describe('MAP_SYNC'),
  nohuge: z.boolean().default(false).describe('madvise(MADV_NOHUGEPAGE)'),
  unlink: z.boolean().default(false).describe('The file is removed and its descriptor closed; only the mapping is left.'),
});

export const deviceMap = z.strictObject({ ...mapCommon, device: name.describe('A devdax namespace, or a CXL device used as devdax.'), offset: pages.default(0) });

export const anonymousMap = z.strictObject({
  ...mapCommon,
  share: mapCommon.share.default('private'),
  anonymous: z.literal(true),
  node: node.optional().describe('mbind() to this node.'),
  hugetlb: z.boolean().default(false),
  swapped: z.boolean().default(false).describe('madvise(MADV_PAGEOUT) once it is touched: it goes to the swap of the scenario.'),
});

export const map = z.union([fileMap, deviceMap, anonymousMap]);

export const pin = z.strictObject({
  name: name.default('p'),
  by: z.enum(['vmsplice', 'io-uring', 'af-xdp', 'o-direct-read']).describe('vmsplice: into a pipe. io-uring: fixed buffers. af-xdp: a umem. o-direct-read: a read from a slow disk that stays in flight.'),
  map: name.default('m'),
  size: pages.default(64 * 1024),
  disk: name.optional().describe('For o-direct-read: the disk that is read.'),
});

export const openFile = z.strictObject({
  path: path.describe('A file, made where it does not exist; `/dev/{NAME.block}` is the block device of a declared device.'),
  direct: z.boolean().default(false).describe('O_DIRECT: a write of one page alone is tried of it.'),
  write: size.default(0).describe('Bytes written with write(2), each page with the mark of the process.'),
  fsync: z.boolean().default(false),
});

export const processSchema = z.strictObject({
  name,
  started: z.boolean().default(true).describe('Runs from the start; otherwise a `start` step starts it.'),
  maps: z.array(map).default([]),
  files: z.array(openFile).default([]),
  pins: z.array(pin).default([]),
  cwd: path.optional(),
  forks: z.number().int().min(0).max(16).default(0).describe('Children that inherit everything.'),
  keepFds: z.boolean().default(false).describe('Keeps the descriptors of mapped files open.'),
  mceKill: z.enum(['early', 'late']).optional().describe('prctl(PR_MCE_KILL)'),
  sigbus: z.enum(['handler', 'default']).default('handler'),
  loop: z.boolean().default(false).describe('Reads its maps all the time, beside the steps. In the lab only: the simulated machine takes one step after the other.'),
});

export type ProcessSpec = z.output<typeof processSchema>;
export type OpenFile = z.output<typeof openFile>;
export type MapSpec = z.output<typeof map>;
export type PinSpec = z.output<typeof pin>;
