/** Part A of docs/kernel-truth.md (file systems on persistent memory) and the cells of the lab that show its rows. */
import { KEPT, link, NONE, type TruthLink } from './truth-link.ts';
import { FORCED_A } from './truth-links-forced.ts';

const EXT4 = / ext4$/;
const XFS = / xfs$/;
const CLEAN_UMOUNT = { step: 'umount', ends: 'returned' } as const;

/** Rows of the forced procedure and the holder of the shapes scenarios that each is about. */
const SHAPES: readonly (readonly [row: string, holder: string])[] = [
  ['A 2 2 MiB', 'two-mib'], ['A 2 4 KiB', 'four-kib'], ['A 2 three', 'second'], ['A 2 mixed', 'third'], ['A 2 fork', 'parent'], ['A 2 private', 'private'],
  ['A 2 read-only', 'second'], ['A 2 mlock', 'locked'], ['A 2 sync', 'synced'], ['A 2 unlinked', 'unlinked'],
];

const SEEN_BEFORE: readonly TruthLink[] = [
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
  link('A matrix 9', 'fsdax-ext4-force-shapes', { step: 'left-two-mib', present: 0 }, /^[67].* ext4$/),
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
];

const UNBIND: readonly TruthLink[] = [
  link('A matrix 4', 'truth-a-stale', { step: 'exit', ends: 'oops' }, /^7\.2 xfs rmapbt=0$/),
  link('A matrix 5', 'truth-a-xfs-exit-rebound', CLEAN_UMOUNT, /^6\.12? xfs rmapbt=0$/),
  link('A matrix 5', 'truth-a-xfs-exit-rebound', { lacks: ['bad-page-map'] }, /^6\.12? xfs rmapbt=0$/),
  link('A matrix 5b', 'truth-a-stale', { step: 'end-small', log: ['bad-page-map'] }, / xfs rmapbt=0$/),
  link('A matrix 6, A 2 umount unbound', 'truth-a-unbound-umount', { step: 'left-rmap', present: 0 }, XFS),
  link('A matrix 6, A 2 umount unbound', 'truth-a-unbound-umount', { step: 'umount', ends: 'oops' }, XFS),
  link('A matrix 10', 'truth-a-xfs-whole', { step: 'left', present: 0 }, XFS),
  link('A matrix 10', 'truth-a-xfs-whole', { step: 'forced', ...NONE }, /^6\.12? xfs$/),
  link('A matrix 10', 'truth-a-xfs-whole', { step: 'unbind-forced', ends: 'spins' }, /^(?:6\.18|7\.2) xfs$/),
  link('A 1 readable', 'truth-a-stale', { step: 'remount', ends: 'returned' }, / read-only$/),
  link('A 1 readable', 'truth-a-stale', { step: 'ro', ...KEPT }, / read-only$/),
  link('A 1 readable', 'truth-a-stale', { step: 'ro-rebound', ...KEPT }, / read-only$/),
  link('A 1 b', 'truth-a-xfs-whole', { step: 'unbind-cached', ends: 'spins' }),
  link('A 1 d', 'truth-a-xfs-whole', { step: 'unbind-shared', ends: 'spins' }, / reflink=1$/),
  link('A 1 e', 'truth-a-xfs-whole', { step: 'unbind-ro', ends: 'spins' }, /^7\.2/),
  link('A 1 e', 'truth-a-xfs-whole', { step: 'ro', ...NONE }, /^6\.12/),
  link('A 1 f', 'truth-a-xfs-last-group', { step: 'unbind', ends: 'returned' }),
  link('A 1 f', 'truth-a-xfs-last-group', { step: 'unbound', ...NONE }),
  link('A 1 g', 'truth-a-stale', { step: 'shared', ...KEPT }, / reflink=1$/),
  link('A 1 h', 'truth-a-stale', { step: 'unbind-down', ends: 'returned' }),
  link('A 1 h', 'truth-a-stale', { step: 'down', ...KEPT }),
  link('A 1 one page', 'truth-a-xfs-whole', { step: 'force', ends: 'returned', figures: { writes: 2, refused: 0 } }),
  link('A 1 one page', 'truth-a-xfs-whole', { step: 'left', present: 0 }),
  link('A 1 write after shutdown', 'truth-a-unbound-write', { step: 'write', ...NONE }, /^6\.12 xfs/),
  link('A 1 write after shutdown', 'truth-a-unbound-write', { step: 'write', ends: 'oops' }, /^7\.2 xfs/),
  link('A 1 write after shutdown', 'truth-a-unbound-late', { step: 'write-late', ends: 'oops' }, / LATE$/),
  link('A 1 write 4k', 'truth-a-stale-write', { step: 'write-small', own: 256, sigbus: 'none' }),
  link('A 1 stale writes hit the medium', 'truth-a-stale-write', { step: 'medium', figures: { huge: 1024 } }, EXT4),
];

const RUNNING: readonly TruthLink[] = [
  link('A 3 refault', 'truth-a-poison', { step: 'refaulted', present: 1024 }, EXT4),
  link('A 3 refault', 'truth-a-poison', { step: 'xfs-refaulted', present: 1024 }, XFS),
  link('A 3 stale', 'truth-a-poison', { step: 'stale', ...KEPT }),
  link('A 3 stale', 'truth-a-poison', { step: 'stale-small', ...KEPT }),
  link('A 3 notification', 'truth-a-notify-busy', { has: ['sigbus', 'stale-mapping'] }),
  link('A 3 notification', 'truth-a-notify-busy', { step: 'small', ...KEPT }),
  link('A 3 umount -l', 'truth-a-freezer', { step: 'lazy', ends: 'returned' }),
  link('A 3 umount -l', 'truth-a-freezer', { step: 'refault-lazy', ...KEPT }),
  link('A 3 remount', 'truth-a-freezer', { step: 'remount', ends: 'refused', errno: 'EBUSY' }),
  link('A 3 remount', 'truth-a-freezer', { step: 'refaulted', present: 1024 }),
  link('A 3 shutdown', 'truth-a-shutdown-ext4', { step: 'refaulted', present: 1024 }, EXT4),
  link('A 3 shutdown', 'truth-a-shutdown-xfs', { step: 'present', present: 1024 }, XFS),
  link('A 3 shutdown', 'truth-a-shutdown-xfs', { step: 'readable', ...KEPT }, XFS),
  link('A 3 freezer', 'truth-a-freezer', { step: 'frozen', present: 0 }),
  link('A 3 freezer', 'truth-a-freezer', { step: 'pending', figures: { sigbus: 1 } }),
  link('A 3 freezer', 'truth-a-freezer', { step: 'ao', figures: { ao: 1 } }),
  link('A 3 freezer', 'truth-a-freezer', { step: 'refault', ...KEPT }),
  link('A 3 frozen unbind', 'truth-a-freezer', { step: 'unbound', ...NONE }),
];

const io = (pwrite: string, pread: string, fsync: string): { calls: Record<string, string> } => ({ calls: { '/mnt/synced pwrite': pwrite, '/mnt/synced pread': pread, '/mnt/synced fsync': fsync } });

/** Data after the rebind, ext4 in one scenario and XFS in another. */
const DATA: readonly TruthLink[] = ([['truth-a-data-ext4', EXT4], ['truth-a-data-xfs', /^6\.12 xfs$/]] as const).flatMap(([scenario, columns]) => [
  link('A 5 io', scenario, { step: 'io', ...io('EIO', 'EIO', 'EIO') }, scenario === 'truth-a-data-ext4' ? /^[67].* ext4$/ : columns),
  link('A 5 data fsync', scenario, { step: 'data-synced', others: 256 }, columns),
  link(['A 5 data new file, no fsync'], scenario, { step: 'data-fresh', others: 256 }, columns),
  link(['A 5 data overwrite, no fsync'], scenario, { step: 'data-over', others: 256 }, columns),
  link('A 5 dirty existing file', scenario, { step: 'data-dirty', others: 1024 }, columns),
]);

const OTHERS: readonly TruthLink[] = [
  ...DATA,
  link('A 5 io', 'truth-a-data-ext4', { step: 'io', ...io('ENXIO', 'ENXIO', 'EIO') }, /^5\.10 ext4$/),
  link('A 5 dirty new file never synced', 'truth-a-data-ext4', { step: 'data-new', others: 1024 }, EXT4),
  link('A 5 dirty new file never synced', 'truth-a-lost-file', { step: 'check', ends: 'refused', errno: 'ENOENT' }, / with the shutdown ioctl$/),
  link('A 5 raw', 'truth-a-raw', { step: 'before', calls: { '/dev/{data.block} pwrite': 'ok' } }),
  link('A 5 raw', 'truth-a-raw', { step: 'after', calls: { '/dev/{data.block} pwrite': 'EIO' } }, /^5\.10/),
  link('A 5 raw', 'truth-a-raw', { step: 'after', calls: { '/dev/{data.block} pwrite': 'ENOSPC' } }, /^[67]/),
  ...['before', 'after', 'unbound'].flatMap((when) => {
    const row = { before: 'A 5 sync before the forced unmap', after: 'A 5 sync after it', unbound: 'A 5 sync after the unbind' }[when] ?? '';
    return [link(row, 'truth-a-forced-ext4', { step: `sync-${when}`, notEnds: 'hangs' }, EXT4), link(row, 'truth-a-forced-xfs', { step: `sync-${when}`, notEnds: 'hangs' }, /^6\.12 xfs$/)];
  }),
  link('A 5 swap', 'truth-a-swap', { step: 'unbind', ends: 'returned' }),
  link('A 5 swap', 'truth-a-swap', { step: 'swapoff', ends: 'refused', errno: 'ENOENT' }),
  link('A 5 swap', 'truth-a-swap', { step: 'lost', ...NONE }),
  link('A 5 ndctl', 'truth-a-freezer', { step: 'destroy-mounted', ends: 'refused', errno: 'EBUSY' }),
  link('A 5 ndctl', 'truth-a-freezer', { step: 'destroy-lazy', ends: 'refused', errno: 'EBUSY' }),
  link('A 5 pin', 'truth-a-pin', { step: 'present', present: 0 }),
  link('A 5 pin', 'truth-a-pin', { step: 'unbind', ends: 'returned' }),
];

export const LINKS_A: readonly TruthLink[] = [...SEEN_BEFORE, ...UNBIND, ...FORCED_A, ...RUNNING, ...OTHERS];
