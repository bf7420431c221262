/**
 * Rows of KERNEL-TRUTH that are a matter of order, each with the litmus test that shows it; and why the others are none.
 * What a row saw is taken from src/kernel/truth/, what a test says from its pinned verdicts: nothing is repeated here.
 */

/** What was seen, and the property of the litmus test that stands for it: of effects, of a figure above zero, or of one that `is` a word; `sometimes X` is what the test must come to in some order. */
export type Shows = Readonly<Record<string, string>>;

export interface OrderedRow {
  readonly row: string;
  readonly litmus: string;
  /** Columns of the row that the test is about: those that contain this; all unless told. */
  readonly only?: string;
  /** Columns left out, with the reason. */
  readonly except?: Readonly<Record<string, string>>;
  readonly shows: Shows;
  /** Lab scenarios that do the same, with the same reading of their effects. */
  readonly lab?: Readonly<Record<string, Shows>>;
}

const STALE = { 'stale-mapping': 'stale-mapping' };
const SPINS = { 'unbind-spins': 'hang' };
const gone = 'online-but-gone ram0';
const KEPT = 'sometimes not plugged ram0 above 4 and block-online ram0';
const HURT = { sigbus: 'sigbus-taken h', 'reads-zero': 'absent-access' };

export const ORDERED: readonly OrderedRow[] = [
  { row: 'A matrix 1', litmus: 'fsdax-mapped-unbind', only: 'ext4', shows: STALE, lab: { 'fsdax-ext4-unbind': STALE, 'fsdax-ext4-map-dev': STALE } },
  { row: 'A matrix 1', litmus: 'xfs-mapped-first-group', only: 'rmapbt=1', shows: { ...STALE, ...SPINS }, lab: { 'fsdax-xfs-rmapbt': { ...STALE, ...SPINS } } },
  { row: 'A matrix 1', litmus: 'xfs-no-rmapbt', only: 'rmapbt=0', shows: STALE, lab: { 'fsdax-xfs-plain': STALE } },
  { row: 'A matrix 1', litmus: 'fsdax-fault-unbind', only: 'ext4', shows: STALE },
  { row: 'A matrix 1', litmus: 'fork-unmap', only: 'ext4', shows: STALE },
  { row: 'A matrix 1', litmus: 'removal-no-detach', only: 'ext4', shows: STALE },
  { row: 'A matrix 1', litmus: 'removal-unbind-first', only: 'ext4', shows: STALE },
  { row: 'A matrix 4', litmus: 'fsdax-exit-unbound', only: 'ext4', shows: { 'oops-at-exit': 'oops' }, lab: { 'fsdax-ext4-exit-unbound': { 'oops-at-exit': 'oops' }, 'fsdax-ext4-exit-unbound-4k': { 'oops-at-exit': 'oops' } } },
  { row: 'A matrix 4', litmus: 'fsdax-exit-unbind', only: 'ext4', shows: { 'oops-at-exit': 'oops' } },
  { row: 'A matrix 5', litmus: 'fsdax-exit-rebound-huge', only: 'ext4', shows: { 'umount-hangs': 'hang' }, lab: { 'fsdax-ext4-exit-rebound': { 'umount-hangs': 'hang' } } },
  { row: 'A matrix 5b', litmus: 'fsdax-exit-rebound', only: 'ext4', shows: { 'bad-page-map': 'bad-page-map pmem0' }, lab: { 'fsdax-ext4-exit-rebound-4k': { 'bad-page-map': 'bad-page-map pmem0' } } },
  { row: 'A matrix 6', litmus: 'fsdax-umount-unbound', only: 'ext4', shows: { 'oops-at-umount': 'oops' }, lab: { 'fsdax-ext4-umount-unbound': { 'oops-at-umount': 'oops' } } },
  { row: 'A matrix 6', litmus: 'removal-unbind-first', only: 'ext4', shows: { 'oops-at-umount': 'oops' } },
  // The oops is in truncate_inode_pages_range there, which truncate calls as well.
  { row: 'A matrix 6', litmus: 'xfs-truncate-notify', only: 'xfs', shows: { 'oops-at-umount': 'oops' } },
  { row: 'A matrix 7', litmus: 'fsdax-umount-unbound-idle', only: 'ext4', shows: { 'oops-at-umount': 'oops', 'umount-hangs': 'hang' }, lab: { 'fsdax-ext4-idle': { 'oops-at-umount': 'oops', 'umount-hangs': 'hang' } } },
  { row: 'A matrix 8', litmus: 'fsdax-rebind-first', only: 'ext4', shows: { 'oops-at-umount': 'oops' }, lab: { 'fsdax-ext4-force': { 'oops-at-umount': 'oops' } } },
  { row: 'A matrix 9', litmus: 'force-stopped', only: 'ext4', shows: { 'figure present': 'stale-mapping' } },
  { row: 'A matrix 10', litmus: 'force-stopped', only: 'ext4', shows: STALE, lab: { 'fsdax-ext4-force': STALE, 'remove-force-ext4': STALE } },
  { row: 'A matrix 10', litmus: 'xfs-force-unbind', only: 'xfs', except: { 'after the shutdown ioctl': 'the row below' }, shows: { ...STALE, ...SPINS } },
  { row: 'A matrix 10', litmus: 'xfs-force-shutdown-unbind', only: 'after the shutdown ioctl', shows: { ...STALE, ...SPINS }, lab: { 'remove-force-xfs': { ...STALE, ...SPINS } } },
  { row: 'A 1 readable', litmus: 'fsdax-stale-read', shows: { 'stale-mapping': 'cross-read' }, lab: { 'fsdax-ext4-unbind': { 'stale-mapping': 'cross-read' } } },
  { row: 'A 1 readable', litmus: 'wrong-device-rebind', shows: { 'stale-mapping': 'cross-read' } },
  { row: 'A 1 b', litmus: 'xfs-open-only', shows: SPINS },
  { row: 'A 1 c', litmus: 'xfs-open-only', shows: SPINS },
  { row: 'A 1 d', litmus: 'xfs-mapped-first-group', shows: { ...STALE, ...SPINS } },
  { row: 'A 1 e', litmus: 'xfs-mapped-first-group', shows: { ...STALE, ...SPINS } },
  { row: 'A 1 f', litmus: 'xfs-mapped-last-group', shows: { ...STALE, ...SPINS } },
  { row: 'A 1 g', litmus: 'xfs-no-rmapbt', shows: STALE },
  { row: 'A 1 h', litmus: 'xfs-shutdown-unbind', shows: { ...STALE, ...SPINS } },
  { row: 'A 1 spin', litmus: 'xfs-mapped-first-group', shows: SPINS },
  { row: 'A 1 write', litmus: 'fsdax-unbind-write-protects', shows: { 'stale-write': 'stale-writable' }, lab: { 'fsdax-ext4-write-unbound': { 'stale-write': 'stale-writable' } } },
  { row: 'A 1 write', litmus: 'fsdax-dirty-unbind', shows: { 'stale-write': 'stale-writable' } },
  { row: 'A 1 write after shutdown', litmus: 'fsdax-shutdown-writable', only: 'ext4', shows: { 'stale-write': 'stale-writable' }, lab: { 'fsdax-ext4-write-shutdown': { 'stale-write': 'stale-writable' } } },
  { row: 'A 1 write after shutdown', litmus: 'fsdax-write-huge-unbound', only: 'rmapbt=0', shows: { 'oops-on-write': 'oops' } },
  { row: 'A 1 write 4k', litmus: 'fsdax-shutdown-writable', shows: { 'stale-write': 'stale-writable' } },
  { row: 'A 1 stale writes hit the medium', litmus: 'fsdax-stale-write-rebind', shows: { 'stale-write': 'cross-write' } },
  { row: 'A 2 cow', litmus: 'cow-failure', shows: { 'oops-on-write': 'oops' } },
  { row: 'A 2 fork', litmus: 'fork-unmap-file', shows: { 'figure stale': 'mapped-after unmapper pmem0' } },
  { row: 'A 2 LATE', litmus: 'force-late', only: 'ext4', shows: { 'figure stale': 'mapped-after remover pmem0' }, lab: { 'fsdax-ext4-force-late': { 'present after hardOffline': 'mapped-after remover pmem0' } } },
  { row: 'A 2 5.10', litmus: 'force-stopped', shows: { 'figure stale': 'stale-mapping' } },
  { row: 'A 2 5.10', litmus: 'memory-failure-fault', shows: { 'figure sigbus is 0': 'told h' } },
  { row: 'A 2 5.10 4 KiB', litmus: 'force-stopped', shows: { 'figure stale': 'stale-mapping' } },
  { row: 'A 2 5.10 three', litmus: 'force-stopped', shows: { 'figure stale': 'stale-mapping' } },
  { row: 'A 2 shutdown first', litmus: 'xfs-shutdown-then-force', only: 'xfs', shows: { 'figure present': 'not maps-device pmem0' } },
  { row: 'A 2 umount unbound', litmus: 'fsdax-umount-unbound', only: 'ext4', shows: { 'oops-at-umount': 'oops' } },
  { row: 'A 2 umount -l', litmus: 'fsdax-umount-lazy-unbound', shows: { 'oops-at-umount': 'oops' } },
  { row: 'A 2 unlinked exit', litmus: 'fsdax-exit-unlinked', shows: { 'oops-at-exit': 'oops' } },
  { row: 'A 2 rebind first', litmus: 'fsdax-rebind-first', only: 'ext4', shows: { 'oops-at-umount': 'oops' } },
  { row: 'A 2 not in use', litmus: 'fsdax-umount-unbound-idle', only: 'ext4', shows: { 'oops-at-umount': 'oops' } },
  { row: 'A 2 not in use', litmus: 'fsdax-umount-first', only: 'ext4', shows: { 'oops-at-umount': 'oops', ...STALE }, lab: { 'fsdax-ext4-unmount-first': { 'oops-at-umount': 'oops', ...STALE }, 'remove-graceful-ext4': { 'oops-at-umount': 'oops', ...STALE } } },
  { row: 'A 2 ptrace mmap', litmus: 'removal-detach', only: 'ext4', shows: { 'figure present': 'stale-mapping' }, lab: { 'fsdax-ext4-detach': STALE } },
  { row: 'A 3 refault', litmus: 'force-running', only: 'ext4', shows: { 'figure present': 'mapped-after remover pmem0' } },
  { row: 'A 3 refault', litmus: 'removal-stop-late', only: 'ext4', shows: { 'figure present': 'not result unseat below 0' } },
  { row: 'A 3 stale', litmus: 'force-running-unbind', shows: STALE },
  { row: 'A 3 stale', litmus: 'removal-no-confirm', shows: STALE },
  { row: 'A 3 notification', litmus: 'xfs-refault', shows: STALE },
  { row: 'A 3 umount -l', litmus: 'removal-lazy-umount', shows: { 'figure present': 'stale-mapping' } },
  { row: 'A 3 frozen unbind', litmus: 'force-stopped', shows: STALE },
  { row: 'A 3 kill', litmus: 'removal-kill', shows: STALE, lab: { 'remove-kill-ext4': STALE } },
  { row: 'A 3 kill', litmus: 'removal-kill-forked', shows: { 'figure child': 'mounted-dead pmem0' } },
  { row: 'A 3 kill', litmus: 'removal-fork-by-pid', shows: { 'figure child': 'mounted-dead pmem0' } },
  { row: 'A 5 fd', litmus: 'xfs-open-only', only: 'xfs', shows: SPINS },
  { row: 'A 5 mount only', litmus: 'fsdax-umount-unbound-idle', only: 'ext4', shows: { 'oops-at-umount': 'oops' } },
  { row: 'A 5 mount only', litmus: 'removal-no-umount', only: 'ext4', shows: { clean: 'mounted-dead pmem0' } },
  { row: 'A 5 pin', litmus: 'fsdax-pin-kept', shows: { 'unbind-hangs': 'hang', 'clean': 'pin-without-page' } },
  { row: 'B 1 unbind', litmus: 'devdax-unbind', shows: STALE, lab: { 'devdax-unbind': STALE } },
  { row: 'B 1 rebind', litmus: 'devdax-rebind', shows: { 'next-owner-exposed': 'cross-read' }, lab: { 'devdax-unbind': { 'next-owner-exposed': 'cross-read' } } },
  { row: 'B 1 rebind', litmus: 'devdax-rebind-write', shows: { 'next-owner-exposed': 'cross-write' } },
  { row: 'B 1 destroy', litmus: 'devdax-cdev-destroy', shows: { 'kernel-bug-later': 'oops' } },
  { row: 'B 1 destroy', litmus: 'devdax-cdev-held', shows: { 'kernel-bug-later': 'oops' } },
  { row: 'B 2 x', litmus: 'devdax-pin-kept', shows: { 'unbind-hangs': 'hang', 'pin-outlives-memmap': 'pin-without-page' }, lab: { 'devdax-pin-af-xdp': { 'pin-outlives-memmap': 'pin-without-page' } } },
  { row: 'B 2 x', litmus: 'devdax-pin-dropped', shows: { 'pin-outlives-memmap': 'oops' }, lab: { 'devdax-pin-af-xdp': { 'pin-outlives-memmap': 'oops' } } },
  { row: 'B 2 x', litmus: 'gup-put-unbind', shows: { 'pin-outlives-memmap': 'oops' } },
  { row: 'B 2 x', litmus: 'devdax-pin-races-unbind', shows: { 'pin-outlives-memmap': 'oops' }, lab: { 'devdax-pin-af-xdp': { 'pin-outlives-memmap': 'oops' } } },
  { row: 'B 2 warns', litmus: 'gup-put-late', shows: { 'figure warns': 'rest pages' } },
  { row: 'B 2 u', litmus: 'devdax-io-uring', shows: { 'pin-outlives-memmap': 'oops' }, lab: { 'devdax-pin-io-uring': { 'pin-outlives-memmap': 'oops' } } },
  { row: 'B 2 v', litmus: 'gup-grace-period', shows: { 'unbind-hangs': 'hang', 'pin-outlives-memmap': 'pin-without-page' }, lab: { 'devdax-pin-vmsplice': { 'unbind-hangs': 'hang', 'pin-outlives-memmap': 'pin-without-page' } } },
  { row: 'B 2 v', litmus: 'devdax-pin-vmsplice', shows: { 'pin-outlives-memmap': 'oops' }, lab: { 'devdax-pin-vmsplice': { 'pin-outlives-memmap': 'oops' } } },
  { row: 'B 2 o', litmus: 'devdax-o-direct-rebind', shows: { 'next-owner-exposed': 'dma-cross' }, lab: { 'devdax-pin-o-direct': { 'pin-outlives-memmap': 'dma-cross' } } },
  { row: 'B 1b smaps', litmus: 'fsdax-smaps-unbound-huge', shows: { 'oops-on-smaps': 'oops' } },
  { row: 'B 1b smaps', litmus: 'fsdax-next-walker-spins', shows: { 'oops-on-smaps': 'hang' } },
  { row: 'B 1b pagemap', litmus: 'fsdax-pagemap-unbound-huge', shows: { 'oops-on-pagemap': 'oops' }, lab: { 'fsdax-ext4-pagemap': { 'oops-on-pagemap': 'oops' } } },
  { row: 'B 1b pagemap 4 KiB', litmus: 'fsdax-pagemap-unbound', shows: { 'oops-on-pagemap': 'oops' }, lab: { 'fsdax-ext4-pagemap-4k': { 'oops-on-pagemap': 'oops' } } },
  { row: 'B 3 a', litmus: 'kmem-unbind-online', shows: { 'region-leaked': 'not region-leaked ram0' }, lab: { 'kmem-online-unbind': { 'region-leaked': 'not region-leaked ram0' } } },
  { row: 'B 3 a', litmus: 'kmem-unbind-udev', shows: { 'region-leaked': 'not region-leaked ram0' }, lab: { 'kmem-online-unbind': { 'region-leaked': 'not region-leaked ram0' } } },
  { row: 'B 3 b', litmus: 'kmem-unbind-offline', shows: { 'region-leaked': 'not region-leaked ram0' }, lab: { 'kmem-offline-unbind': { 'region-leaked': 'not region-leaked ram0' }, 'remove-kmem': { 'region-leaked': 'not region-leaked ram0' } } },
  { row: 'B 3 c plain', litmus: 'offline-moves-data', shows: { 'never-ends': 'hang' } },
  { row: 'B 3 c hugetlb', litmus: 'offline-hugetlb', shows: { 'never-ends': 'hang' } },
  { row: 'B 3 c longterm', litmus: 'offline-longterm', shows: { 'never-ends': 'hang' } },
  { row: 'B 3 c vmsplice', litmus: 'offline-pinned', shows: { 'never-ends': 'hang' }, lab: { 'kmem-offline-pinned': { 'never-ends': 'hang' } } },
  { row: 'B 3 c vmsplice', litmus: 'offline-get-put', shows: { 'figure later is ok': 'sometimes block-offline ram0' } },
  { row: 'B 3 c normal none', litmus: 'offline-kernel-page', shows: { 'never-ends': 'hang' }, lab: { 'kmem-normal-unmovable': { 'never-ends': 'hang' } } },
  { row: 'B 4 A mount', litmus: 'pfn-walk-boot-section', shows: { 'oops-at-exit': 'oops' }, lab: { 'mixed-section': { 'oops-at-exit': 'oops' } } },
  { row: 'B 4 offline', litmus: 'offline-device-subsection', shows: { 'allocator-continues': 'result admin above -1' }, lab: { 'mixed-section': { 'allocator-continues': 'result admin above -1' } } },
  { row: 'B 4 offline', litmus: 'block-online-pmem-add', shows: { 'allocator-continues': 'result admin above -1', 'figure online is true': 'sometimes bound pmem0 and result walker above -1' } },
  { row: 'B 4 labels', litmus: 'subsection-add-remove', shows: { 'region-leaked': 'not memmap-left pmem0' } },
  { row: 'B 4 neighbours', litmus: 'subsection-neighbour', shows: STALE, lab: { 'namespaces-one-section': STALE } },
  { row: 'B 4 bad page map', litmus: 'fsdax-exit-rebound', shows: { 'bad-page-map': 'bad-page-map pmem0' } },
  { row: 'B 4 kpageflags', litmus: 'online-walk-device', shows: { 'figure early is RESERVED': 'result walker above 0' } },
  { row: 'B 5 free', litmus: 'offline-alloc', shows: { 'figure ok': 'sometimes block-offline ram0' } },
  { row: 'B 5 zones', litmus: 'block-zone-change', shows: { 'figure zones is Movable DMA32 DMA32': 'sometimes block-zones-differ ram0' } },
  { row: 'B 6 unbind', litmus: 'virtio-mem-unbind', shows: { 'no-rebind': 'bound ram0' }, lab: { 'virtio-mem-unbind': { 'no-rebind': 'bound ram0' } } },
  { row: 'B 6 bind', litmus: 'virtio-mem-unbind', shows: { 'no-rebind': 'bound ram0' } },
  { row: 'B 6 shrink splice', litmus: 'virtio-mem-pinned', shows: { 'figure size': KEPT }, lab: { 'virtio-mem-shrink-pinned': { 'never-ends': KEPT } } },
  { row: 'B 6 shrink splice', litmus: 'virtio-mem-shrink', shows: { 'figure later is 0': 'sometimes plugged ram0 is 0 and block-absent ram0' } },
  { row: 'B 7 users', litmus: 'dimm-eject', shows: { 'never-ends': 'hang' }, lab: { 'dimm-eject-used': { 'never-ends': 'hang' } } },
  { row: 'B 7 pinned', litmus: 'dimm-eject-pinned', shows: { 'never-ends': 'hang' }, lab: { 'dimm-eject-pinned': { 'never-ends': 'hang' } } },
  { row: 'B 7 veto', litmus: 'dimm-eject-veto', shows: { 'never-ends': 'hang' }, lab: { 'dimm-eject-veto': { 'never-ends': 'hang' } } },
  { row: 'B 8 ram cxl_mem', litmus: 'cxl-unbind-online', shows: { 'allocator-continues': gone }, lab: { 'cxl-ram-unbind': { 'allocator-continues': gone } } },
  { row: 'B 8 ram cxl_pci', litmus: 'cxl-unbind-online', shows: { 'allocator-continues': gone } },
  { row: 'B 8 ram commit', litmus: 'cxl-commit-online', shows: { 'allocator-continues': gone } },
  { row: 'B 8 ram commit', litmus: 'cxl-teardown-reads', shows: { 'reads-zero': 'result reader is 0' }, lab: { 'cxl-ram-unbind': { 'reads-zero': 'result reader is 0' } } },
  { row: 'B 8 ram commit', litmus: 'cxl-teardown-alloc', shows: { 'allocator-continues': gone }, lab: { 'cxl-ram-unbind': { 'allocator-continues': gone } } },
  { row: 'B 8 ram commit', litmus: 'cxl-tool-udev', shows: { 'allocator-continues': gone } },
  { row: 'B 8 ram hot-unplug', litmus: 'slot-button', shows: { 'allocator-continues': gone }, lab: { 'cxl-ram-unplug': { 'allocator-continues': gone } } },
  { row: 'B 8 ram disable-region', litmus: 'cxl-tool-order', shows: { 'allocator-continues': gone, 'reads-zero': 'result reader is 0' }, lab: { 'remove-cxl-ram': { 'allocator-continues': gone, 'reads-zero': 'result reader is 0' } } },
  { row: 'B 8 devdax unbind', litmus: 'window-notified', shows: HURT, lab: { 'cxl-devdax-unbind': HURT, 'cxl-devdax-unplug': HURT } },
  { row: 'B 8 devdax io_uring', litmus: 'window-dma', shows: { 'pin-outlives-memmap': 'pin-without-page' } },
  { row: 'B 8 fsdax unbind', litmus: 'window-cpu', shows: { 'reads-zero': 'absent-access' }, lab: { 'cxl-fsdax-unbind': { 'reads-zero': 'absent-access' } } },
  { row: 'B 8 fsdax hot-unplug', litmus: 'wrong-device-pulled', shows: { 'reads-zero': 'result reader is 0' }, lab: { 'cxl-fsdax-unplug': { 'reads-zero': 'result reader is 0' } } },
  // A disk stood in the slot there, online memory stands here: the same path.
  { row: 'B 8 pciehp power', litmus: 'slot-power-file', shows: { 'figure off is 0': 'sometimes result admin is 0', 'figure devices is 0': 'sometimes slot-empty s2' } },
  { row: 'B 8 acpiphp', litmus: 'acpiphp-eject', shows: { 'figure after is 0/0': 'sometimes slot-empty s2' } },
];

const FORM = 'what the holder had does not change the order: the same steps as force-stopped';
const DATA = 'what the medium holds afterwards: one thread, one order';
const STATE = 'a state of sysfs or procfs, not an order';
const STATIC = 'fixed when the memory is set up, and refused before anything is changed';
const MODE = 'a view of the same holes by another way in: the order is that of another row';

/** Rows that are no matter of order, and why. */
export const NO_ORDER: Readonly<Record<string, string>> = {
  'A matrix 2': 'that nobody waits is what every stale mapping of the table rests on (fsdax-mapped-unbind, kvm-fault-unbind)', 'A matrix 3': STATE, 'A 1 a': STATE,
  'A 1 one page': 'a computation of one call', 'A 2 2 MiB': FORM, 'A 2 4 KiB': FORM, 'A 2 nohuge': FORM, 'A 2 three': FORM, 'A 2 three 4 KiB': FORM, 'A 2 mixed': FORM, 'A 2 private': FORM, 'A 2 private 4 KiB': FORM,
  'A 2 read-only': FORM, 'A 2 mlock': FORM, 'A 2 sync': FORM, 'A 2 unlinked': FORM, 'A 2 no handler': FORM, 'A 2 LATE and normal': FORM, 'A 2 recovered': 'words in the log', 'A 2 write': FORM, 'A 2 intact': DATA, 'A 2 unaligned': FORM,
  'A 2 XFS 6.12 LATE': 'whom the notification of that version collects; its order is that of xfs-refault', 'A 2 drop_caches': 'an inode whose pages are mapped is not dropped, in any order', 'A 2 ptrace madvise': 'as A 2 ptrace mmap',
  'A 3 remount': STATE, 'A 3 shutdown': 'what the ioctl leaves (fsdax-shutdown-writable, xfs-shutdown-unbind)', 'A 3 freezer': 'a frozen process is a stopped one: as A 3 frozen unbind', 'A 4 unbind': MODE, 'A 4 forced': MODE,
  'A 5 io': 'errors of one file descriptor', 'A 5 data fsync': DATA, 'A 5 data new file, no fsync': DATA, 'A 5 data overwrite, no fsync': DATA, 'A 5 raw': 'errors of one file descriptor', 'A 5 dirty existing file': DATA, 'A 5 dirty new file never synced': DATA,
  'A 5 sync before the forced unmap': 'one thread, it returns', 'A 5 sync after it': 'one thread, it returns', 'A 5 sync after the unbind': 'one thread, it returns', 'A 5 swap': 'swap is not modelled in litmus machines; the loss needs no second thread', 'A 5 ndctl': 'a check of the tool',
  'A 6 256 MiB, 2 MiB pages': 'a count', 'A 6 256 MiB, 4 KiB pages': 'a count', 'A 7 counts': 'a count', 'A 7 unbind': 'a count', 'A 7 unpoison': 'one call', 'A 7 bound': 'poison of DAX pages is looked at by nobody', 'A 7 rebound': 'poison of DAX pages is looked at by nobody',
  'B 1 open': 'a check of one call', 'B 1 second round': 'not modelled', 'B 2 v read': 'as B 2 v, by the reader of the pipe', 'B 2 silent': 'words in the log', 'B 1b numa_maps': 'harmless on the one kernel where it was reached', 'B 1b devdax': 'nothing is left to be met',
  'B 6 virtio_pmem': MODE, 'B 6 shrink longterm': 'the pages leave before they are pinned (offline-longterm): nothing is left to wait for', 'B 3 size': STATIC, 'B 3 iomem': STATE, 'B 3 a rebind': 'what stays after B 3 a', 'B 3 a destroy': 'what stays after B 3 a', 'B 3 b daxctl': 'the tool does B 3 b', 'B 3 c mlock': 'as B 3 c plain',
  'B 3 c log': 'words in the log', 'B 3 c normal longterm': 'as B 3 c normal none', 'B 3 c normal splice': 'as B 3 c normal none', 'B 3 e': STATE, 'B 4 A': STATIC, 'B 4 C': STATIC, 'B 4 E': STATIC, 'B 4 B': STATIC, 'B 4 D': STATIC, 'B 4 D by hand': STATIC,
  'B 4 valid_zones': STATE, 'B 4 no block': STATE, 'B 4 ndctl sizes': 'a check of the tool', 'B 4 region align': STATE, 'B 4 btt': 'not modelled', 'B 5 two zones': STATIC, 'B 5 reserved': STATIC, 'B 5 hole': STATIC, 'B 5 two nodes': STATIC, 'B 5 again': 'a check of one call',
  'B 5 memmap_on_memory=Y': STATIC, 'B 5 memmap_on_memory=N': STATIC, 'B 5 kmem memmap_on_memory': STATIC, 'B 6 device_del': 'the host alone decides', 'B 6 rmmod': 'as B 6 unbind', 'B 7 add': STATE, 'B 7 idle': 'as B 7 users', 'B 7 offline': 'as B 7 users', 'B 7 eject file': 'as B 7 veto',
  'B 8 ram disable-memdev': 'a check of the tool; with -f as B 8 ram cxl_mem', 'B 8 rebind': STATE, 'B 8 iomem': STATE,
  'B 8 pciehp': 'one press, no second thread; with one: slot-button-cancel, slot-surprise', 'B 8 pciehp add': 'no removal', 'B 8 pciehp text': 'words in the log', 'B 3 d anon': STATE, 'B 3 d mlock': STATE, 'B 3 d hugetlb': STATE, 'B 3 d kernel': STATE, 'B 3 d pin': STATE, 'B 10 ksm': STATE, 'B 4 kpageflags offline': STATE, 'B 5 kpageflags': STATE,
};
