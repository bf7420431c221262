/** fsdax and raw pmem under a file system: what unbinding nd_pmem (or virtio_pmem, or the CXL device) does. */
import { displayName } from '../../../host/names.ts';
import type { ProcessHolder } from '../../../machine/types/holder.ts';
import { everybody, mountNames, type LeafFacts } from '../../facts/leaf-facts.ts';
import { valueOf } from '../../../profile/build.ts';
import type { Certainty, Needs, Rule } from '../rule.ts';

const PMEM = ['fsdax', 'raw-pmem'] as const;
const BOTH = ['unbind', 'pull'] as const;
const A1 = 'docs/kernel-truth A matrix and A 1';
const mapped = (f: LeafFacts): boolean => f.direct && f.mapped.length > 0;
const xfs = (f: LeafFacts): boolean => f.fs === 'xfs';
const mayHaveRmapbt = (f: LeafFacts): boolean => f.rmapbt !== 'no';
const mayLackRmapbt = (f: LeafFacts): boolean => f.rmapbt !== 'yes';
const tellsNobody = (f: LeafFacts): boolean => valueOf(f.profile, 'fsdax.kill-dax-notifies') === 'none';
const ifKnown = (f: LeafFacts): Certainty => (f.rmapbt === 'unknown' ? 'possible' : 'certain');
const holders = (f: LeafFacts): string => everybody(f.mapped);
const mounts = (f: LeafFacts): string => mountNames(f.mounts);
/** Anything that is unmapped by nobody: every file system but XFS, and XFS where its notification does not come to it. */
const notNotified = (f: LeafFacts): boolean => mapped(f) && !xfs(f);
const base: Pick<Rule, 'events' | 'kinds'> = { events: BOTH, kinds: PMEM };
const NOBODY_UNMAPS: Needs = { 'fsdax.removal-design': ['none'], 'fsdax.unbind-unmaps-page-cache': [false] };
/** Whether a stale mapping is left is a matter of the file system; these hold wherever one may be. */
const stale = (f: LeafFacts): Certainty => (xfs(f) && !(f.rmapbt === 'no' || valueOf(f.profile, 'fsdax.kill-dax-notifies') === 'none' || valueOf(f.profile, 'fsdax.xfs-notify-at-metadata') === 'stop') ? 'possible' : 'certain');
/** What touches a struct page of the device afterwards: how surely that goes wrong hangs on what became of the memmap. */
const byMemmap = (sure: Certainty) => (f: LeafFacts): Certainty => (f.memmap === 'gone' ? sure : 'possible');
const touched = (f: LeafFacts): Certainty => byMemmap(stale(f))(f);
/** The inode of a file without a name is evicted before, with its last holder; an unmount finds the mount busy then. */
const evictedAtUmount = (f: LeafFacts): boolean => f.direct && f.mounts.length > 0 && f.namedMapped.length > 0;
const hugeNamed = (f: LeafFacts): readonly ProcessHolder[] => f.namedMapped.filter((p) => f.hugeMapped.includes(p));
/** XFS with the reverse map unmaps by itself only where the notification reaches its files. */
const mayBeStale = mapped;

const STALE: readonly Rule[] = [
  {
    ...base, id: 'fsdax-no-handler-stale', needs: { ...NOBODY_UNMAPS, 'fsdax.ext4-registers-holder': [false] }, when: notNotified,
    effect: 'stale-mapping', whom: holders, certainty: 'certain',
    because: 'the file system registers no dax_holder_operations and nd_pmem does not unmap, so the page tables of the holders keep pointing at the device; nothing waits for mappings', source: A1,
  },
  {
    ...base, id: 'fsdax-xfs-none-stale', needs: { ...NOBODY_UNMAPS, 'fsdax.kill-dax-notifies': ['none'] }, when: (f) => mapped(f) && xfs(f),
    effect: 'stale-mapping', whom: holders, certainty: 'certain',
    because: 'kill_dax() tells nobody on this kernel, so the page tables of the holders keep pointing at the device', source: 'docs/kernel-truth A matrix (ext4; XFS on this kernel was not run)',
  },
  {
    ...base, id: 'fsdax-xfs-stop-stale', needs: { ...NOBODY_UNMAPS, 'fsdax.xfs-registers-holder': [true], 'fsdax.xfs-notify-at-metadata': ['stop'], 'fsdax.kill-dax-notifies': ['failure', 'pre-remove'] },
    when: (f) => mapped(f) && xfs(f), effect: 'stale-mapping', whom: holders, certainty: 'certain',
    because: 'with rmapbt XFS shuts down at the first metadata record ("Corruption of on-disk metadata") before it comes to the files; without rmapbt it does nothing', source: 'docs/kernel-truth A matrix, 6.1 xfs',
  },
  {
    ...base, id: 'fsdax-xfs-no-rmapbt-stale', needs: { ...NOBODY_UNMAPS, 'fsdax.xfs-notify-needs-rmapbt': [true], 'fsdax.kill-dax-notifies': ['pre-remove'], 'fsdax.xfs-notify-at-metadata': ['go-on'] },
    when: (f) => mapped(f) && xfs(f) && mayLackRmapbt(f), effect: 'stale-mapping', whom: holders, certainty: ifKnown,
    because: 'on a file system without rmapbt xfs_dax_notify_failure() returns EOPNOTSUPP and the mappings stay', source: 'docs/kernel-truth A matrix, rmapbt=0',
  },
  {
    ...base, id: 'fsdax-xfs-race-stale', needs: { ...NOBODY_UNMAPS, 'fsdax.kill-dax-notifies': ['pre-remove'], 'fsdax.xfs-notify-block-count': ['clamped'], 'fsdax.xfs-notify-at-metadata': ['go-on'] },
    when: (f) => mapped(f) && xfs(f) && mayHaveRmapbt(f) && f.smallMapped.length > 0, effect: 'stale-mapping', whom: (f) => everybody(f.smallMapped), certainty: 'possible',
    because: 'a running reader with 4 KiB mappings faults its pages in again between the notification and the death of the device', source: 'docs/kernel-truth A 3, XFS 6.12',
  },
];

const XFS_OWN: readonly Rule[] = [
  {
    ...base, id: 'fsdax-xfs-notified-sigbus', needs: { 'fsdax.kill-dax-notifies': ['pre-remove'], 'fsdax.xfs-registers-holder': [true], 'fsdax.xfs-notify-at-metadata': ['go-on'], 'fsdax.xfs-notify-block-count': ['clamped'] },
    when: (f) => mapped(f) && xfs(f) && mayHaveRmapbt(f), effect: 'sigbus', whom: holders, certainty: ifKnown,
    because: 'with rmapbt XFS walks its reverse map, unmaps its files and sends SIGBUS (BUS_MCEERR_AO); a holder without a handler dies', source: 'docs/kernel-truth A matrix, 6.12 xfs',
  },
  {
    ...base, id: 'fsdax-xfs-wrap-spins', needs: { 'fsdax.kill-dax-notifies': ['pre-remove'], 'fsdax.xfs-registers-holder': [true], 'fsdax.xfs-notify-block-count': ['wraps'] },
    when: (f) => xfs(f) && mayHaveRmapbt(f) && f.mounts.some((m) => m.dax !== 'never'), effect: 'unbind-spins', whom: (f) => `the unbind of ${f.device.name}, one CPU; mounted on ${mounts(f)}`, certainty: (f) => (f.rmapbt === 'yes' && (f.mapped.length > 0 || f.openers.length > 0) ? 'likely' : 'possible'),
    because: 'with rmapbt the length of each extent wraps to 2^32 pages for any file in core with blocks outside the last allocation group, mapped or not', source: 'docs/kernel-truth A 1, the XFS spin',
  },
  {
    ...base, id: 'fsdax-xfs-last-group-sigbus', needs: { 'fsdax.kill-dax-notifies': ['pre-remove'], 'fsdax.xfs-registers-holder': [true], 'fsdax.xfs-notify-block-count': ['wraps'] },
    when: (f) => mapped(f) && xfs(f) && mayHaveRmapbt(f), effect: 'sigbus', whom: holders, certainty: 'possible',
    because: 'with rmapbt a file whose blocks all lie in the last allocation group is unmapped rightly and its holders get SIGBUS (BUS_MCEERR_AO), where no other file makes the unbind spin; in which group a file lies was not looked at', source: 'docs/kernel-truth A 1, the XFS spin; scenarios/truth-a-xfs-last-group: 7.2.12 in the lab',
  },
];

const AFTERMATH: readonly Rule[] = [
  {
    ...base, id: 'fsdax-next-owner', needs: NOBODY_UNMAPS, through: 'self', when: mayBeStale, effect: 'next-owner-exposed', whom: holders, certainty: stale,
    because: 'a stale entry is not tied to a bind: after a rebind the old process reads whatever the next owner stores there', source: `${A1} (READTEST after the rebind)`,
  },
  {
    ...base, id: 'fsdax-cxl-reads-zero', needs: NOBODY_UNMAPS, through: 'cxl', when: mayBeStale, effect: 'reads-zero', whom: holders, certainty: stale,
    because: 'the decoder is gone: a read through the stale entry is answered with zeroes (QEMU; real hardware may differ)', source: 'docs/kernel-truth B 8, fsdax ext4 mapped',
  },
  {
    ...base, id: 'fsdax-write-sigbus', needs: { ...NOBODY_UNMAPS, 'fsdax.del-gendisk-syncs': [true], 'fsdax.wp-fault-reads-pte-page': [false] }, when: (f) => mapped(f) && !xfs(f), effect: 'sigbus', whom: (f) => `${holders(f)}, on a write`, certainty: 'certain',
    because: 'the sync at removal write-protects the stale entries and the write fault finds no device', source: 'docs/kernel-truth A 1, WRITE by a stale holder',
  },
  {
    ...base, id: 'fsdax-write-sigbus-huge', needs: { ...NOBODY_UNMAPS, 'fsdax.del-gendisk-syncs': [true], 'fsdax.wp-fault-reads-pte-page': [true] }, when: (f) => f.direct && f.hugeMapped.length > 0 && !xfs(f), effect: 'sigbus', whom: (f) => `${everybody(f.hugeMapped)}, on a write`, certainty: 'certain',
    because: 'the sync at removal write-protects the stale 2 MiB entries and the write fault finds no device', source: 'docs/kernel-truth A 1, WRITE by a stale holder (7.2)',
  },
  {
    ...base, id: 'fsdax-xfs-write-sigbus', needs: { ...NOBODY_UNMAPS, 'fsdax.del-gendisk-syncs': [true], 'fsdax.fault-splits-pmd-reads-page': [false] }, when: (f) => mapped(f) && xfs(f), effect: 'sigbus', whom: (f) => `${holders(f)}, on a write`, certainty: 'possible',
    because: 'the sync at removal write-protects the stale entries and the write fault finds no device', source: 'docs/kernel-truth A 1, WRITE by a stale holder (ext4; XFS 6.12 after a shutdown)',
  },
  {
    ...base, id: 'fsdax-oops-on-write-small', needs: { ...NOBODY_UNMAPS, 'fsdax.del-gendisk-syncs': [true], 'fsdax.wp-fault-reads-pte-page': [true] }, when: (f) => f.direct && f.smallMapped.length > 0, effect: 'oops-on-write', whom: (f) => everybody(f.smallMapped), certainty: touched,
    because: 'the write fault on a write-protected 4 KiB entry looks at the freed struct page (do_wp_page) before it asks the file system', source: 'docs/kernel-truth B 6, virtio-pmem 7.2; scenarios/fsdax-ext4-write-unbound-4k: 7.2.12 in the lab',
  },
  {
    ...base, id: 'fsdax-oops-on-write', needs: { ...NOBODY_UNMAPS, 'fsdax.fault-splits-pmd-reads-page': [true] }, when: (f) => mapped(f) && xfs(f) && f.hugeMapped.length > 0, effect: 'oops-on-write', whom: (f) => everybody(f.hugeMapped), certainty: 'possible',
    because: 'a write fault on a stale 2 MiB entry splits it through its freed struct page (__split_huge_pmd)', source: 'docs/kernel-truth A 1, xfs 7.2 and 6.18',
  },
  {
    ...base, id: 'fsdax-oops-at-exit', needs: { ...NOBODY_UNMAPS, 'fsdax.zap-reads-page': ['pmd-and-pte'] }, when: (f) => f.direct && f.hugeMapped.length > 0, effect: 'oops-at-exit', whom: (f) => everybody(f.hugeMapped), certainty: touched,
    because: 'exit unmaps, and unmapping looks at the freed struct page (vm_normal_folio_pmd <- unmap_vmas <- exit_mmap); the task stays half dead', source: `${A1}, holder killed while unbound (7.2; 6.18 has the same code, not run)`,
  },
  {
    ...base, id: 'fsdax-oops-at-exit-small', needs: { ...NOBODY_UNMAPS, 'fsdax.zap-reads-page': ['pmd-and-pte'] }, when: (f) => f.direct && f.smallMapped.length > 0, effect: 'oops-at-exit', whom: (f) => everybody(f.smallMapped), certainty: touched,
    because: 'exit unmaps, and vm_normal_page() looks at the freed struct page behind each 4 KiB entry too; the task stays half dead', source: 'scenarios/fsdax-ext4-exit-unbound-4k, namespaces-one-section-exit: 6.18.15 and 7.2.12 in the lab',
  },
  {
    ...base, id: 'fsdax-oops-at-exit-unlinked', needs: { 'fsdax.page-struct-gone-at-unbind': [true], 'fsdax.removal-drops-entries': [false] }, when: (f) => f.direct && f.unlinkedMapped.length > 0,
    effect: 'oops-at-exit', whom: (f) => `the last of ${everybody(f.unlinkedMapped)}, also after memory_failure()`, certainty: byMemmap('certain'),
    because: 'the last user of a file without a name evicts its inode (iput <- __fput <- do_exit), and that touches the freed struct pages of its entries', source: 'docs/kernel-truth A 2, order of umount and rebind; scenarios/truth-a-unbound-unlinked: 6.12.107, 6.18.15 and 7.2.12 in the lab; litmus/fsdax-exit-unlinked',
  },
  {
    ...base, id: 'fsdax-oops-at-umount-disassociate', needs: { 'fsdax.page-struct-gone-at-unbind': [true], 'fsdax.evict-entries': ['disassociate'], 'fsdax.removal-drops-entries': [false] }, when: evictedAtUmount, effect: 'oops-at-umount', whom: mounts, certainty: byMemmap('certain'),
    because: 'umount evicts the inodes that were in use, and dax_disassociate_entry() writes to the freed struct pages of their entries', source: 'docs/kernel-truth A 2, order of umount and rebind',
  },
  {
    ...base, id: 'fsdax-oops-at-umount-final', needs: { 'fsdax.page-struct-gone-at-unbind': [true], 'fsdax.evict-entries': ['break-layout-final'], 'fsdax.removal-drops-entries': [false] }, when: evictedAtUmount, effect: 'oops-at-umount', whom: mounts, certainty: byMemmap('certain'),
    because: 'umount evicts the inodes that were in use, and dax_break_layout_final() reads the freed struct pages of their entries; so does umount -l', source: 'docs/kernel-truth A 2, order of umount and rebind',
  },
  {
    ...base, id: 'fsdax-umount-hangs', through: 'self', needs: { ...NOBODY_UNMAPS, 'fsdax.mapping-counts': ['folio'] }, when: (f) => evictedAtUmount(f) && hugeNamed(f).length > 0, effect: 'umount-hangs', whom: (f) => `${mounts(f)}, after a rebind and the end of ${everybody(hugeNamed(f))}`, certainty: stale,
    because: 'the counts of the new struct pages do not fit the old 2 MiB mapping, and dax_break_layout_final() waits for ever', source: `${A1}, holder killed after the rebind`,
  },
  {
    ...base, id: 'fsdax-bad-page-map', through: 'self', needs: { ...NOBODY_UNMAPS, 'fsdax.mapping-counts': ['folio'] }, when: (f) => f.direct && f.smallMapped.length > 0, effect: 'bad-page-map', whom: (f) => `${everybody(f.smallMapped)}, on its exit after a rebind`, certainty: stale,
    because: 'each stale 4 KiB entry is taken off a new struct page that never counted it: one "BUG: Bad page map" per page', source: `${A1}, holder killed after the rebind; scenarios/fsdax-ext4-exit-rebound-4k`,
  },
];

const WALKS: readonly Rule[] = [
  {
    ...base, id: 'fsdax-pagemap-pmd', needs: { ...NOBODY_UNMAPS, 'fsdax.pagemap-reads-dax-pmd-page': [true] }, when: (f) => f.direct && f.hugeMapped.length > 0, effect: 'oops-on-pagemap', whom: (f) => `whoever reads /proc/PID/pagemap of ${everybody(f.hugeMapped)}`, certainty: touched,
    because: 'the walk looks at the freed struct page behind a 2 MiB entry (walk_pgd_range <- pagemap_read) with the page table lock held; the next walker spins', source: 'docs/kernel-truth B 1b',
  },
  {
    ...base, id: 'fsdax-pagemap-pte', needs: { ...NOBODY_UNMAPS, 'fsdax.walk-reads-dax-pte-page': [true] }, when: (f) => f.direct && f.smallMapped.length > 0, effect: 'oops-on-pagemap', whom: (f) => `whoever reads /proc/PID/pagemap of ${everybody(f.smallMapped)}`, certainty: touched,
    because: 'since 6.15 the walk looks at the struct page behind a DAX PTE too', source: 'scenarios/fsdax-ext4-pagemap-4k: 6.18.15 and 7.2.12 in the lab',
  },
  {
    ...base, id: 'fsdax-smaps-pmd', needs: { ...NOBODY_UNMAPS, 'fsdax.smaps-reads-dax-pmd-page': [true] }, when: (f) => f.direct && f.hugeMapped.length > 0, effect: 'oops-on-smaps', whom: (f) => `whoever reads /proc/PID/smaps of ${everybody(f.hugeMapped)}`, certainty: touched,
    because: 'the walk looks at the freed struct page behind a 2 MiB entry (smaps_pte_range); monitoring agents read smaps by themselves', source: 'docs/kernel-truth B 1b',
  },
  {
    ...base, id: 'fsdax-smaps-pte', needs: { ...NOBODY_UNMAPS, 'fsdax.walk-reads-dax-pte-page': [true] }, when: (f) => f.direct && f.smallMapped.length > 0, effect: 'oops-on-smaps', whom: (f) => `whoever reads /proc/PID/smaps of ${everybody(f.smallMapped)}`, certainty: touched,
    because: 'since 6.15 the walk looks at the struct page behind a DAX PTE too', source: 'scenarios/fsdax-ext4-smaps-4k: 6.18.15 and 7.2.12 in the lab',
  },
];

const FILE_SYSTEM: readonly Rule[] = [
  {
    ...base, kinds: [...PMEM, 'btt'], id: 'pmem-mark-dead', needs: { 'fsdax.mark-dead-shuts-down': [true] }, when: (f) => f.fs === 'ext4' || f.fs === 'xfs', effect: 'fs-shutdown', whom: mounts, certainty: 'certain',
    because: 'del_gendisk() marks the block device dead and the file system shuts down ("shut down requested (2)")', source: 'docs/kernel-truth A matrix and A 5',
  },
  {
    ...base, id: 'fsdax-xfs-corrupt-shutdown', needs: { 'fsdax.kill-dax-notifies': ['failure'], 'fsdax.xfs-notify-at-metadata': ['stop'] }, when: (f) => xfs(f) && mayHaveRmapbt(f), effect: 'fs-shutdown', whom: mounts, certainty: ifKnown,
    because: 'with rmapbt the notification ends in "Corruption of on-disk metadata (0x10)"', source: 'docs/kernel-truth A matrix, 6.1 xfs',
  },
  {
    ...base, kinds: [...PMEM, 'btt'], id: 'xfs-umount-shutdown', needs: { 'fsdax.mark-dead-shuts-down': [false] }, when: (f) => xfs(f) && (tellsNobody(f) || mayLackRmapbt(f)), effect: 'fs-shutdown', whom: (f) => `${mounts(f)}, at its unmount`,
    certainty: (f) => (tellsNobody(f) ? 'certain' : ifKnown(f)),
    because: 'nobody tells XFS that the disk has gone; the record that its unmount writes to the log fails, and it shuts down ("Log I/O Error Detected")', source: 'scenarios/fsdax-xfs-idle: 5.10.223, truth-a-xfs-exit-rebound: 6.1.176 in the lab',
  },
  {
    ...base, kinds: [...PMEM, 'btt'], id: 'pmem-io-errors', needs: {}, when: (f) => f.mounts.length > 0 || f.openers.length > 0, effect: 'io-errors', whom: (f) => mounts(f) || everybody(f.openers), certainty: 'certain',
    because: 'the disk is gone: reads, writes and fsync on open files end with EIO or ENXIO; the mount stays', source: 'docs/kernel-truth A 5',
  },
  {
    ...base, kinds: [...PMEM, 'btt'], id: 'pmem-swap-lost', needs: {}, when: (f) => f.swaps.length > 0, effect: 'swap-lost', whom: (f) => f.swaps.map((s) => displayName(s.path)).join(', '), certainty: 'certain',
    because: 'active swap does not stop the unbind; swapoff then fails with ENOENT and swapped pages cannot be read', source: 'docs/kernel-truth A 5, swap',
  },
  {
    ...base, kinds: [...PMEM, 'btt'], id: 'pmem-swap-sigbus', needs: {}, when: (f) => f.swaps.some((s) => s.usedBytes > 0), effect: 'sigbus', whom: (f) => `whoever touches memory that was swapped to ${f.swaps.map((s) => displayName(s.path)).join(', ')}`, certainty: 'certain',
    because: 'the page cannot be read back (do_swap_page), and the fault ends in SIGBUS; which processes have pages there was not looked at', source: 'docs/kernel-truth A 5, swap; scenarios/truth-a-swap: 6.12.107 and 7.2.12 in the lab',
  },
  {
    ...base, id: 'fsdax-pin', needs: { 'gup.memunmap-references': ['bulk'] }, when: (f) => f.pins.some((p) => p.pin.certainty === 'seen'), effect: 'pin-outlives-memmap', whom: (f) => everybody(f.pins.filter((p) => p.pin.certainty === 'seen').map((p) => p.process)), certainty: 'likely',
    because: 'memunmap_pages() gives all references back at once and does not look at pinned pages', source: 'docs/kernel-truth A 5, page pins',
  },
];

export const FSDAX_RULES: readonly Rule[] = [...STALE, ...XFS_OWN, ...AFTERMATH, ...WALKS, ...FILE_SYSTEM];
