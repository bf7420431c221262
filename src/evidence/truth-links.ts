/**
 * Which cells of the lab show which row of docs/kernel-truth.md again, and by which fact. A row is only held against cells that do
 * what it says; what no scenario does is named with its reason.
 */
import type { Effect } from '../scenario/effect.ts';
import type { Scenario } from '../scenario/scenario.ts';

export type Fact = Partial<Omit<Scenario['expect'][number], 'kernels' | 'source'>> & { readonly has?: readonly Effect[]; readonly lacks?: readonly Effect[] };

export interface TruthLink {
  readonly rows: readonly string[];
  /** Columns of the row (`7.2 xfs rmapbt=0`) without the kernel; absent: all. */
  readonly columns?: RegExp;
  readonly scenario: string;
  readonly shows: Fact;
}

const link = (rows: string, scenario: string, shows: Fact, columns?: RegExp): TruthLink => ({ rows: rows.split(', '), scenario, shows, ...(columns ? { columns } : {}) });
const EXT4 = / ext4$/;
const XFS = / xfs$/;
const NONE = { own: 'none', sigbus: 'all' } as const;
const KEPT = { own: 'all', sigbus: 'none' } as const;

/** Rows of the forced procedure and the holder of the shapes scenarios that each is about. */
const SHAPES: readonly (readonly [row: string, holder: string])[] = [
  ['A 2 2 MiB', 'two-mib'], ['A 2 4 KiB', 'four-kib'], ['A 2 three', 'second'], ['A 2 mixed', 'third'], ['A 2 fork', 'parent'], ['A 2 private', 'private'],
  ['A 2 read-only', 'second'], ['A 2 mlock', 'locked'], ['A 2 sync', 'synced'], ['A 2 unlinked', 'unlinked'],
];

export const LINKS: readonly TruthLink[] = [
  link('A matrix 1, A 1 readable', 'fsdax-ext4-unbind', { step: 'unbound', ...KEPT }, EXT4),
  link('A matrix 1, A 1 g', 'fsdax-xfs-plain', { step: 'unbound', ...KEPT }, / xfs (?:rmapbt|reflink)=0$/),
  link('A matrix 1', 'fsdax-xfs-rmapbt', { has: ['stale-mapping', 'fs-shutdown'] }, /^6\.1 xfs rmapbt=1$/),
  link('A matrix 1', 'fsdax-xfs-rmapbt', { step: 'unbound', ...NONE }, /^6\.12 xfs rmapbt=1$/),
  link('A matrix 1, A 1 d', 'fsdax-xfs-rmapbt', { step: 'unbind', ends: 'spins' }, /^(?:6\.18|7\.2) xfs (?:rmapbt=1|reflink=0)$/),
  link('A 1 spin', 'fsdax-xfs-rmapbt', { step: 'unbound', own: 'all' }, XFS),
  link('A matrix 2', 'fsdax-ext4-unbind', { lacks: ['unbind-hangs'] }, EXT4),
  link('A matrix 2', 'fsdax-xfs-plain', { lacks: ['unbind-hangs'] }, XFS),
  link('A matrix 3', 'fsdax-ext4-unbind', { lacks: ['fs-shutdown'] }, /^(?:5\.10|6\.1) ext4$/),
  link('A matrix 3', 'fsdax-ext4-unbind', { has: ['fs-shutdown'] }, /^(?:6\.12|6\.18|7\.2) ext4$/),
  link('A matrix 3', 'fsdax-xfs-rmapbt', { has: ['fs-shutdown'] }, /^6\.12? xfs rmapbt=1$/),
  link('A matrix 3', 'fsdax-xfs-plain', { lacks: ['fs-shutdown'] }, /^6\.1 xfs rmapbt=0$/),
  link('A matrix 3', 'fsdax-xfs-plain', { has: ['fs-shutdown'] }, /^(?:6\.12|6\.18|7\.2) xfs rmapbt=0$/),
  link('A matrix 4', 'fsdax-ext4-exit-unbound', { lacks: ['oops-at-exit'] }, /^(?:5\.10|6\.1|6\.12) ext4$/),
  link('A matrix 4', 'fsdax-ext4-exit-unbound', { has: ['oops-at-exit'] }, /^7\.2 ext4$/),
  link('A matrix 5', 'fsdax-ext4-exit-rebound', { step: 'umount', ends: 'returned' }, /^(?:5\.10|6\.1|6\.12) ext4$/),
  link('A matrix 5', 'fsdax-ext4-exit-rebound', { has: ['umount-hangs'] }, /^(?:6\.18|7\.2) ext4$/),
  link('A matrix 5b', 'fsdax-ext4-exit-rebound-4k', { has: ['bad-page-map'] }, EXT4),
  link('A matrix 6, A 2 umount unbound', 'fsdax-ext4-umount-unbound', { step: 'umount', ends: 'oops' }, EXT4),
  link('A matrix 7, A 5 mount only', 'fsdax-ext4-idle', { step: 'umount', ends: 'returned' }, EXT4),
  link('A 5 mount only', 'fsdax-ext4-idle', { step: 'again', ends: 'returned' }, EXT4),
  link('A matrix 8, A 2 rebind first', 'fsdax-ext4-force', { step: 'umount', ends: 'returned' }, EXT4),
  link('A matrix 9', 'fsdax-ext4-force-shapes', { step: 'left-two-mib', present: 0 }, / ext4$/),
  link('A matrix 9', 'fsdax-xfs-force-shapes', { step: 'left-two-mib', present: 0 }, XFS),
  link('A matrix 9, A 2 5.10, A 2 recovered', 'fsdax-ext4-force', { step: 'unbound', ...KEPT }, /^5\.10 ext4$/),
  link('A matrix 10', 'fsdax-ext4-force', { step: 'unbound', ...NONE }, /^[67].* ext4$/),
  link('A matrix 10', 'fsdax-ext4-force', { step: 'unbound', ...KEPT }, /^5\.10 ext4$/),
  link('A matrix 10', 'fsdax-xfs-force-shapes', { step: 'unbind', ends: 'returned' }, / xfs after the shutdown ioctl$/),
  link('A 1 write', 'fsdax-ext4-write-unbound', { step: 'write', ...NONE }, EXT4),
  link('A 1 write after shutdown', 'fsdax-ext4-write-shutdown', { step: 'write', ...KEPT }, EXT4),
  ...SHAPES.flatMap(([row, holder]) => [
    link(row, 'fsdax-ext4-force-shapes', { step: holder, ...NONE }, EXT4), link(row, 'fsdax-xfs-force-shapes', { step: holder, ...NONE }, XFS),
    link(row, 'fsdax-ext4-force-shapes', { step: `left-${holder}`, present: 0 }, EXT4), link(row, 'fsdax-xfs-force-shapes', { step: `left-${holder}`, present: 0 }, XFS),
  ]),
  link('A 2 nohuge', 'fsdax-ext4-force-shapes', { step: 'nohuge', ...NONE }, EXT4),
  link('A 2 cow', 'fsdax-ext4-force-shapes', { step: 'cow', own: 128, sigbus: 128 }, EXT4),
  link('A 2 cow', 'fsdax-xfs-force-shapes', { step: 'cow', own: 128, sigbus: 128 }, XFS),
  link('A 2 no handler', 'fsdax-ext4-force-shapes', { step: 'left-plain', present: 0 }, EXT4),
  link('A 2 no handler', 'fsdax-xfs-force-shapes', { step: 'left-plain', present: 0 }, XFS),
  link('A 2 LATE', 'fsdax-ext4-force-late', { step: 'present', present: 'all' }, EXT4),
  link('A 2 recovered', 'fsdax-ext4-force-late', { step: 'present', present: 'all' }, / ext4 LATE$/),
  link('A 2 not in use', 'fsdax-ext4-idle', { step: 'umount', ends: 'returned' }, EXT4),
  link('A 2 ptrace mmap', 'fsdax-ext4-detach', { lacks: ['stale-mapping'], has: ['sigbus'] }, EXT4),
  link('A 2 ptrace mmap', 'remove-detach-shapes-ext4', { lacks: ['stale-mapping'], has: ['sigbus'] }, / ext4 (?:4 KiB|MAP_PRIVATE)$/),
  link('A 1 a', 'fsdax-xfs-idle', { step: 'unbind', ends: 'returned' }, XFS),
  link('A matrix 7, A 2 not in use, A 5 mount only', 'fsdax-xfs-idle', { step: 'umount', ends: 'returned' }, XFS),
  link('A 1 c', 'fsdax-xfs-open', { step: 'unbind', ends: 'spins' }, XFS),
  link('A 5 fd', 'fsdax-xfs-open', { step: 'unbind', ends: 'returned' }, /^6\.12 xfs$/),
  link('A 5 fd', 'fsdax-xfs-open', { step: 'unbind', ends: 'spins' }, /^7\.2 xfs$/),
  link('A 5 fd, A 5 io', 'fsdax-ext4-open', { has: ['io-errors'] }, EXT4),
  link('A matrix 8, A 2 rebind first', 'fsdax-xfs-force', { step: 'umount', ends: 'returned' }, XFS),
  link('A matrix 10', 'fsdax-xfs-force', { step: 'unbound', ...NONE }, / xfs after the shutdown ioctl$/),
  link('A 2 shutdown first', 'fsdax-xfs-shutdown-first', { step: 'present', present: 'all' }, XFS),
  link('A 3 kill', 'remove-kill-ext4', { has: ['clean'] }, EXT4),
  link('A 4 unbind', 'fsdax-ext4-map-dev', { step: 'unbound', own: 'all' }, EXT4),
  link('A 4 unbind', 'fsdax-ext4-map-dev', { step: 'rebound', own: 'all' }, EXT4),
  link('B 1 unbind, B 1b devdax', 'devdax-unbind', { step: 'unbound', ...NONE }),
  link('B 1 unbind, B 1b devdax', 'devdax-unbind', { step: 'present', present: 0 }),
  link('B 1 rebind', 'devdax-unbind', { step: 'exposed', others: 'all' }),
  link('B 2 x', 'devdax-pin-af-xdp', { step: 'unbind', ends: 'hangs' }, /^5\.10/),
  link('B 2 x', 'devdax-pin-af-xdp', { step: 'unbind', ends: 'returned' }, /^[67]/),
  link('B 2 v', 'devdax-pin-vmsplice', { step: 'unbind', ends: 'hangs' }, /^5\.10/),
  link('B 2 v', 'devdax-pin-vmsplice', { step: 'unbind', ends: 'returned' }, /^[67]/),
  link('B 2 v', 'devdax-pin-vmsplice', { step: 'drop', ends: 'oops' }, /^[67]/),
  link('B 2 u', 'devdax-pin-io-uring', { step: 'unbind', ends: 'returned' }, /^(?:6\.12|7)/),
  link('B 2 u', 'devdax-pin-io-uring', { step: 'use', ends: 'oops' }, /^(?:6\.12|7)/),
  link('B 2 o', 'devdax-pin-o-direct', { step: 'unbind', ends: 'hangs' }, /^5\.10/),
  link('B 2 o', 'devdax-pin-o-direct', { step: 'unbind', ends: 'returned' }, /^[67]/),
  link('B 1b pagemap', 'fsdax-ext4-pagemap', { step: 'pagemap', ends: 'oops' }),
  link('B 6 virtio_pmem', 'virtio-pmem-unbind', { step: 'unbound', own: 'all' }),
  link('B 3 a', 'kmem-online-unbind', { step: 'unbind', ends: 'returned', log: ['hotremove-fails'] }),
  link('B 3 a', 'kmem-online-unbind', { has: ['region-leaked'] }),
  link('B 3 a rebind', 'kmem-online-unbind', { step: 'bind', ends: 'refused' }),
  link('B 3 b, B 3 c plain', 'kmem-offline-unbind', { has: ['clean'] }),
  link('B 3 c vmsplice', 'kmem-offline-pinned', { step: 'offline', ends: 'spins' }),
  link('B 3 c vmsplice', 'kmem-offline-pinned', { step: 'offline-again', ends: 'returned' }),
  link('B 3 c mlock', 'kmem-offline-mlocked', { step: 'offline', ends: 'returned' }),
  link('B 3 c longterm', 'kmem-offline-longterm', { step: 'offline', ends: 'spins' }, /^5\.10/),
  link('B 3 c longterm', 'kmem-offline-longterm', { step: 'offline', ends: 'returned' }, /^[67]/),
  link('B 3 c normal none', 'kmem-normal-unmovable', { step: 'offline', ends: 'refused', errno: 'EBUSY', log: ['unmovable'] }),
  link('B 4 A mount', 'mixed-section', { step: 'bind', ends: 'returned' }),
  link('B 4 A mount', 'mixed-section', { step: 'unbind', ends: 'returned' }),
  link('B 4 offline', 'mixed-section', { step: 'shared-block', ends: 'refused', errno: 'EINVAL' }),
  link('B 4 neighbours', 'namespaces-one-section', { step: 'neighbour', ...KEPT }),
  link('B 5 two zones', 'block-hole', { step: 'first', ends: 'refused', errno: 'EINVAL' }),
  link('B 5 two nodes', 'block-two-nodes', { step: 'spanning', ends: 'refused', errno: 'EINVAL' }),
  link('B 6 unbind', 'virtio-mem-unbind', { step: 'unbind', ends: 'returned' }),
  link('B 6 unbind', 'virtio-mem-unbind', { step: 'user', own: 'all' }),
  link('B 6 bind', 'virtio-mem-unbind', { step: 'bind', ends: 'refused', errno: 'EBUSY' }),
  link('B 6 shrink splice', 'virtio-mem-shrink-pinned', { step: 'shrink', ends: 'hangs' }),
  link('B 6 shrink splice', 'virtio-mem-shrink-pinned', { step: 'rest', ends: 'returned' }),
  link('B 7 users', 'dimm-eject-used', { step: 'pull', ends: 'returned' }),
  link('B 7 users', 'dimm-eject-used', { step: 'user', own: 'all' }),
  link('B 7 pinned', 'dimm-eject-pinned', { has: ['never-ends'] }),
  link('B 7 veto', 'dimm-eject-veto', { has: ['veto'] }),
  link('B 8 ram cxl_pci', 'cxl-ram-unbind', { has: ['allocator-continues', 'reads-zero'] }),
  link('B 8 ram hot-unplug', 'cxl-ram-unplug', { has: ['allocator-continues', 'reads-zero'] }),
  link('B 8 devdax unbind', 'cxl-devdax-unbind', { step: 'gone', ...NONE }),
  link('B 8 fsdax unbind', 'cxl-fsdax-unbind', { step: 'gone', own: 'none', zero: 'all', sigbus: 'none' }),
  link('B 8 fsdax hot-unplug', 'cxl-fsdax-unplug', { step: 'leave', ends: 'returned' }),
  link('B 8 pciehp power', 'slot-power-off', { step: 'power', ends: 'returned' }),
];

/** Why no scenario of the lab does what a row says; the first that fits. */
export const NOT_DONE: readonly (readonly [rows: RegExp, reason: string])[] = [
  [/^A 1 [befh]$|^A 1 one page|^A 1 stale writes|^A 1 write 4k/, 'a variant of the row above it; its scenario was not written'],
  [/^A 2 (?:three 4 KiB|private 4 KiB|LATE and normal|5\.10|write|intact|unaligned|XFS)/, 'a variant of a shape that was run; its scenario was not written'],
  [/^A 2 ptrace madvise/, 'detach maps over, it does not drop pages; the other row of the two was run'],
  [/^A 2 (?:umount -l|unlinked exit|drop_caches)|^A 3/, 'a single observation of an order that unseat never takes; its scenario was not written'],
  [/^A 4 forced|^A 5|^A 6|^A 7/, 'data, figures and counters of the forced procedure: the verbs of scenarios do not read them'],
  [/^B 1 (?:open|destroy|second)|^B 2 (?:v read|warns|silent)/, 'damages the guest for all later steps; seen by hand only'],
  [/^B 1b/, 'a reader of /proc that dies by chance of what lies in freed memory; the pagemap rows were run'],
  [/^B 3 (?:size|iomem|a destroy|b daxctl|c|e|d)/, 'figures, tools or kinds of user that scenarios do not have'],
  [/^B 4|^B 5|^B 10/, 'address layouts or page flags that scenarios do not have'],
  [/^B 6|^B 7/, 'a variant of a row that was run; its scenario was not written'],
  [/^B 8/, 'the tool or the text of a log; scenarios do the unbind and the unplug'],
];
