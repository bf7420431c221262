/** The forced procedure of part A (memory_failure() on every mapped page), what it leaves, and the cells of the lab that show its rows. */
import { KEPT, link, NONE, type Fact, type TruthLink } from './truth-link.ts';

const EXT4 = / ext4$/;
const XFS = / xfs$/;
const LATER_EXT4 = /^[67].* ext4$/;

/** Of a holder in the scenarios that count writes: what took it out, what is left of it, and what it then reads. */
function shape(row: string, holder: string, forcedAt: string, writes: number, read = true): TruthLink[] {
  return ([['truth-a-forced-ext4', LATER_EXT4], ['truth-a-forced-xfs', XFS]] as const).flatMap(([scenario, columns]) => [
    link(row, scenario, { step: `force-${forcedAt}`, figures: { writes, refused: 0 } }, columns),
    link(row, scenario, { step: `left-${holder}`, present: 0 }, columns),
    ...(read ? [link(row, scenario, { step: holder, ...NONE }, columns)] : []),
  ]);
}

const WRITES: readonly TruthLink[] = [
  link('A 2 2 MiB', 'truth-a-forced-ext4', { step: 'before', present: 1024 }, EXT4),
  ...shape('A 2 2 MiB', 'huge', 'huge', 2),
  ...shape('A 2 4 KiB', 'small', 'private-small', 256, false),
  ...shape('A 2 three', 'two', 'one', 2, false),
  ...shape('A 2 three', 'three', 'one', 2),
  ...shape('A 2 three 4 KiB', 'two-small', 'one-small', 256, false),
  ...shape('A 2 three 4 KiB', 'three-small', 'one-small', 256),
  ...shape('A 2 private 4 KiB', 'private-small', 'private-small', 256),
  ...shape('A 2 LATE and normal', 'normal', 'late', 2),
  ...shape('A 2 LATE and normal', 'late', 'late', 2),
  ...([['truth-a-forced-ext4', LATER_EXT4], ['truth-a-forced-xfs', XFS]] as const).flatMap(([scenario, columns]) => [
    link('A 2 LATE and normal', scenario, { step: 'ao-normal', figures: { ao: 1 } }, columns),
    link('A 2 LATE and normal', scenario, { step: 'ao-late', figures: { ao: 0 } }, columns),
    link('A 2 write', scenario, { step: 'write', own: 'none' }, columns),
    link('A 2 intact', scenario, { step: 'intact', own: 'all' }, columns),
    link('A 2 intact', scenario, { step: 'intact-late', own: 'all' }, columns),
  ]),
];

/** 5.10 and holders with PR_MCE_KILL_LATE: every write says success, nothing is unmapped. */
const IN_VAIN: readonly TruthLink[] = [
  ...([['A 2 5.10, A matrix 9', 'huge', 1024, 'huge'], ['A 2 5.10 4 KiB', 'private-small', 256, 'small'], ['A 2 5.10 three', 'one', 1024, 'three']] as const).flatMap(([rows, at, pages, left]) => [
    link(rows, 'truth-a-forced-ext4', { step: `force-${at}`, figures: { writes: pages, refused: 0 } }, /^5\.10 ext4$/),
    link(rows, 'truth-a-forced-ext4', { step: `left-${left}`, present: pages }, /^5\.10 ext4$/),
  ]),
  link('A 2 5.10 three', 'truth-a-forced-ext4', { step: 'three', ...KEPT }, /^5\.10 ext4$/),
  link('A 2 recovered', 'truth-a-forced-ext4', { step: 'force-huge', said: ['recovery action for dax page: Recovered'] }, /^5\.10 ext4$/),
  link('A 2 recovered', 'truth-a-poison', { step: 'force-late', said: ['recovery action for dax page: Recovered'], figures: { writes: 16, refused: 0 } }, / ext4 LATE$/),
  link('A 2 recovered', 'truth-a-poison', { step: 'present-late', present: 16 }, / ext4 LATE$/),
  link('A 2 LATE', 'truth-a-xfs-whole', { step: 'force-late', figures: { writes: 1024, refused: 0 } }, XFS),
  link('A 2 LATE', 'truth-a-xfs-whole', { step: 'left-late', present: 1024 }, XFS),
  link('A 2 XFS 6.12 LATE', 'truth-a-xfs-whole', { step: 'late', ...NONE }, /^6\.12 xfs$/),
  link('A 2 XFS 6.12 LATE', 'truth-a-xfs-whole', { step: 'late', ...KEPT }, /^6\.1 xfs$/),
  link('A 2 XFS 6.12 LATE', 'truth-a-xfs-whole', { step: 'unbind-forced', log: ['fs-shutdown'] }, /^6\.1 xfs$/),
];

const ORDERS: readonly TruthLink[] = [
  link('A 2 unaligned', 'truth-a-unaligned', { step: 'before', present: 1024 }),
  link('A 2 unaligned', 'truth-a-unaligned', { step: 'force', figures: { writes: 1024, refused: 0 } }),
  link('A 2 unaligned', 'truth-a-unaligned', { step: 'unbound', ...NONE }),
  link('A 2 shutdown first', 'truth-a-shutdown-ext4', { step: 'force', figures: { writes: 2, refused: 0 } }, EXT4),
  link('A 2 shutdown first', 'truth-a-shutdown-ext4', { step: 'present', present: 0 }, EXT4),
  link('A 2 shutdown first', 'truth-a-shutdown-xfs', { step: 'force', figures: { writes: 1024, refused: 1024 } }, XFS),
  link('A 2 shutdown first', 'truth-a-shutdown-xfs', { step: 'present', present: 1024 }, XFS),
  link('A 2 umount -l', 'truth-a-unbound-lazy', { step: 'umount-lazy', ends: 'oops' }),
  link('A 2 unlinked exit', 'truth-a-unbound-unlinked', { step: 'exit', ends: 'oops' }),
  link('A 2 unlinked exit', 'truth-a-unbound-unlinked', { step: 'umount-gone', ends: 'refused', errno: 'EBUSY' }),
  link('A 2 drop_caches', 'truth-a-drop-caches', { step: 'drop', ends: 'returned' }),
  link('A 2 drop_caches', 'truth-a-drop-caches', { step: 'umount', ends: 'returned' }),
  ...([['huge', EXT4], ['small', / ext4 4 KiB$/], ['private', / ext4 MAP_PRIVATE$/]] as const).flatMap(([holder, columns]) => ([
    { step: `inject-${holder}`, ends: 'returned' }, { step: `left-${holder}`, present: 0 }, { step: `ao-${holder}`, figures: { ao: 0 } }, { step: holder, ...NONE },
    { step: 'unbind', said: [] }, { step: holder === 'small' ? 'intact-small' : 'intact-huge', own: 'all' },
  ] satisfies Fact[]).map((shows) => link('A 2 ptrace madvise', 'truth-a-madvise', shows, columns))),
  ...([['huge', EXT4, 2], ['small', / ext4 4 KiB$/, 256]] as const).flatMap(([holder, columns, writes]) => ([
    { step: `force-${holder}`, figures: { writes, refused: 0 } }, { step: `left-${holder}`, present: 0 }, { step: holder, ...NONE }, { step: 'umount', ends: 'returned' }, { step: `intact-${holder}`, own: 'all' },
  ] satisfies Fact[]).map((shows) => link('A 4 forced', 'truth-a-map-dev', shows, columns))),
  link(['A 6 256 MiB, 2 MiB pages'], 'truth-a-writes-2m', { step: 'force', figures: { writes: 128, refused: 0 } }),
  link(['A 6 256 MiB, 4 KiB pages'], 'truth-a-writes-4k', { step: 'force', figures: { writes: 65536, refused: 0 } }),
];

/** kB of /proc/meminfo. The rows are about differences; the guest is one in which nothing was poisoned before. */
const counted = (step: string, kB: number): Fact => ({ step, value: `HardwareCorrupted: ${String(kB).padStart(5)} kB` });

const POISON: readonly TruthLink[] = [
  ...[counted('counted', 72), counted('counted-again', 144), { step: 'force-big', figures: { writes: 2, refused: 0 } }, { step: 'force-small', figures: { writes: 16, refused: 0 } }].map((shows) => link('A 7 counts', 'truth-a-poison', shows, EXT4)),
  ...[counted('counted-again', 144), counted('xfs-counted', 216), { step: 'xfs-force-small', figures: { writes: 16, refused: 0 } }].map((shows) => link('A 7 counts', 'truth-a-poison', shows, XFS)),
  link('A 7 unbind', 'truth-a-poison', counted('counted-late', 288)),
  link('A 7 unbind', 'truth-a-poison', counted('counted-unbound', 288), /^(?:6\.12|7\.2)/),
  link('A 7 unbind', 'truth-a-poison', counted('counted-unbound', 152), /^6\.1 /),
  link('A 7 unpoison', 'truth-a-poison', { step: 'unpoison', ends: 'refused', errno: 'EIO' }),
  link('A 7 unpoison', 'truth-a-poison', counted('counted-late', 288)),
  ...[{ step: 'refault', ...KEPT }, { step: 'newcomer', ...KEPT }, { step: 'again', figures: { writes: 2, refused: 0 } }].flatMap((shows) => [
    link('A 7 bound', 'truth-a-poison', shows, EXT4), link('A 7 bound', 'truth-a-poison', { ...shows, step: `xfs-${shows.step}` }, XFS),
  ]),
  link('A 7 rebound', 'truth-a-forced-ext4', { step: 'intact', own: 'all' }),
  link('A 7 rebound', 'truth-a-forced-ext4', { step: 'written-anew', own: 'all' }),
];

export const FORCED_A: readonly TruthLink[] = [...WRITES, ...IN_VAIN, ...ORDERS, ...POISON];
