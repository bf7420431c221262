/** Why a mutation that no litmus test notices is not noticed: true of the statement it names, first match wins. */
import type { Site } from './mutation-sites.ts';

interface Reason { readonly file?: RegExp; readonly text?: RegExp; readonly how?: Site['how']; readonly reason: string }

const ATOMIC = 'nobody can run between this lock and its unlock: the path has no point there, so the lock shows only when its holder dies inside (fsdax-exit-spins, fsdax-next-walker-spins)';
const HOTPLUG = 'mem_hotplug_lock: every writer has taken device_hotplug_lock before, and its readers (kmem caches, compaction, walkers with get_online_mems) are not modelled';
const BOOK = 'memory of a bookkeeping object that stays allocated: only a machine that runs out of them would show it';
const VIEW = 'shown in sysfs or in the log only; no path decides by it (unit tests of the file look at it)';
const ERROR = 'taken where an allocation fails after the point at which litmus tests let one fail; hotplug.property.test.ts and the tests of devices under failing allocations go through all of them';
const NOT_LOOKED = 'equivalent for what the kernel does: the word is written again before anybody reads it, or its reader has another sign of the same';
const POISON = 'poison of device pages is read by no path (kernel-truth A 7); the counts are held by memory-failure.test.ts';
const DATA = 'what the medium holds after a crash of power: not part of a litmus machine (dax.test.ts, part A 5)';
const TLB = 'stale translations are modelled only for walkers with interrupts off; they take no page from an entry that was made clean or moved';
const REFERENCE = 'the reference is one of several, and the other ones outlive every thread of the library';

export const REASONS: readonly Reason[] = [
  // Lines of the removal.
  { file: /^litmus\/removal-crash/, reason: 'the program dies here after any of its steps: what is left out is another point of death, and that is what the test asks' },
  { file: /^litmus\//, text: /sync pmem0/, reason: 'the unmount syncs what is dirty; the sync before it only makes the pause of the holder short' },
  { file: /^litmus\//, text: /confirm/, reason: 'the unmount that follows refuses while anybody holds the file system: with the look there are two nets (removal-no-confirm has neither)' },
  { file: /^litmus\//, text: /continue/, reason: 'the holder has nothing left to fault with: when it goes on does not matter (removal-continue-early)' },
  // Locks.
  { text: /ptlUnlock.*flushTlb/, reason: 'the flush then waits with the page-table lock held, which nobody who has interrupts off needs' },
  { text: /ptlLock|ptlUnlock/, reason: ATOMIC },
  { text: /memHotplugBegin/, reason: HOTPLUG },
  { file: /remove\.ts/, text: /unlockDeviceHotplug/, reason: 'what is undone after a refusal is undone block by block, each by one step: a second writer in between leaves a block as one of the two wanted it' },
  { file: /dax-(?:fault(?:-pmd)?|insert)\.ts|fs\/dax\.ts/, text: /DAX_LOCKED\);$/, how: 'drop', reason: 'the entry is locked again, or the invalidate lock keeps everybody else out who could meet it' },
  { file: /fault\.ts/, text: /startPagefault/, reason: 'the freeze keeps write faults out that the death of the device fails a moment later; no test tells the two apart' },
  { file: /fs\/super\.ts/, text: /sUmount/, reason: 's_umount keeps two unmounts and a freeze apart; the count of mounts already lets only one unmount through' },
  { file: /base\/dd\.ts/, text: /deviceLock|DEV_DEAD/, reason: 'a device that device_del has taken off its bus is found by no bind: the mark closes the moment between, in which the model has no point' },
  // TLB.
  { text: /flushTlb/, reason: TLB },
  // Objects and references.
  { text: /slab\.free|freeAltmap|arrays\.free|mms\.free|freeResource|freeFolio|putAnonPage/, reason: BOOK },
  { text: /getDevice|putDevice/, reason: REFERENCE },
  { text: /DEV\.next|deviceBus\(k, dev\)\.devices|load\(dev \+ next\)|DEV\.sibling|devresReleaseAll\(k, dev\);  <->  putDevice/, reason: 'a device that has gone stays on a list that nobody walks in the library' },
  { file: /base\/dd\.ts/, text: /DEV\.drvdata/, reason: 'no driver of a litmus machine keeps anything there' },
  { file: /base\/dd\.ts/, text: /devresReleaseAll/, reason: 'the device lock is held over both, and what a device that goes had was released with its driver right before' },
  { file: /pin-holders/, text: /HOLDER\.next|holdersOf\(k\)\.head|load\(link\) === holder/, reason: 'the list of pins is walked by a revoke only, and one pin is found with or without the others' },
  { file: /pin-holders/, text: /HOLDER\.count, i|dropPins|HOLDER\.revoked/, reason: 'pins of litmus tests are of one page: the way back from the second is not taken; a revoked pin is not dropped twice' },
  { file: /memremap\.ts/, text: /PGMAP\.(altmap|owner|node)/, reason: 'set to what it is at birth in litmus machines (no altmap, node 0), or set by the driver right after' },
  { file: /memremap\.ts/, text: /taintSections/, reason: 'the namespace was bound once when the machine was set up, and a section that RAM shares keeps the flag (pfn.test.ts)' },
  { file: /memremap\.ts/, text: /PGMAP\.dying, 1\)/, reason: 'who asks for the pagemap between the two is waited for all the same: only the wait is longer' },
  // memory_failure and data.
  { text: /poison|numPoisonedPages|HWPoison/i, reason: POISON },
  { text: /diskLogged|diskLoseUnlogged|INODE\.dirty|SB_JOURNAL_ABORTED|diskGone/, reason: DATA },
  { file: /memory-failure/, text: /unlockEntry/, reason: 'a fault between unlock and unmap brings in what the unmap then takes out' },
  { file: /fs\/sync\.ts/, reason: 'the entry is locked over both: nobody can meet it in between' },
  // fs.
  { file: /dax-(?:fault(?:-pmd)?|insert)\.ts/, text: /DAX_ZERO_PAGE|DAX_EMPTY|unmapZeroPmd|k\.heap\.store\(entry, pfn\)|unmapMappingRange/, reason: 'holes, and entries that replace another one: the fault that follows writes the same words (dax.test.ts has both)' },
  { file: /dax-(?:fault(?:-pmd)?|insert)\.ts/, text: /daxFaultDone/, reason: 'dax_read_lock is held up to here in one proposal (inode-walk-locked) only, and its tests do not come this way' },
  { file: /dax-(?:fault(?:-pmd)?|insert)\.ts/, text: /splitHugePmd/, reason: 'a write to part of a 2 MiB entry, which litmus machines make with one process only' },
  { file: /fs\/super\.ts/, text: /evictInodes|syncFilesystem|evictInode/, reason: 'sync, eviction and shutdown at the unbind each end in the same state in either order where the file system goes on to nobody; an eviction of its own syncs too' },
  { file: /corrupt-range/, reason: 'a proposal: what it reports and in which order is looked at by who-maps.test.ts' },
  // DAX and its drivers.
  { file: /dax\/super\.ts/, text: /DAXDEV\.(sb|holder|ops|name)/, reason: 'a dax device that is dead, or whose file system is gone, is asked by nobody: whoever could call it asks first whether it is alive' },
  { file: /dax\/bus\.ts/, text: /altmap|DAXDEV\.pgmap/, reason: NOT_LOOKED },
  { file: /dax\/bus\.ts/, text: /unbind-(runs-memory-failure|revokes-longterm-pins|unmaps)/, reason: 'a variant that changes its outcome in one order only, and not against a holder that is told and unmapped in the same stroke' },
  { file: /dax\/device\.ts/, text: /PAGE\.(mapping|index)|setFaultInfo/, reason: 'page->mapping of device-dax is read by memory_failure() alone, which no litmus test calls there (memory-failure.test.ts)' },
  { file: /dax\/kmem\.ts/, text: /kmem-keeps-request/, reason: 'every release keeps the request there: the statement is for a variant that no test sets' },
  { file: /dax\/kmem\.ts/, reason: BOOK },
  { file: /nvdimm\/pmem/, text: /altmap|PMEM\.(altmap|node|blk)/, reason: NOT_LOOKED },
  // Slots, ACPI, CXL.
  { file: /pci\/(pciehp|acpiphp)/, text: /cardUnpowered|deviceDel/, reason: 'the removal of the device tears its decoders down: the card answers no more, with or without power' },
  { file: /pci\/(pciehp|acpiphp)/, text: /SLOT\.(latch|adapter|indicator|deadline|events)|setState|EVENT\./, reason: VIEW },
  { file: /acpi\/memhotplug/, text: /OST\.inProgress|ost\(/, reason: 'an answer to firmware that nobody waits for (acpi memhotplug tests count them)' },
  { file: /cxl\//, reason: 'tearing a region down twice, or a driver that has let go already, changes nothing more' },
  { file: /pci\/p2pdma/, text: /PGMAP\.dying|unmapMappingRange|mapcount/, reason: 'BARs of litmus machines have no inode to unmap; who maps one holds it, and is waited for' },
  // Memory hotplug.
  { file: /memory_hotplug\/add\.ts/, text: /made < 0|memoryBlocks|ret < 0/, reason: ERROR },
  { file: /memory_hotplug\/add\.ts/, text: /add-pages-reverts/, reason: 'a proposal (add-pages-reverts): no release takes back what __add_pages had made (7f in the tests of the file)' },
  { file: /memory_hotplug\/add\.ts/, text: /auto !== 0|mergeResource/, reason: 'auto_online_blocks is offline and ranges stand alone in litmus machines (memory_hotplug.test.ts)' },
  { file: /memory_hotplug\/offline\.ts/, text: /REQUEST\.|memoryNotify|dissolveFreeHugePages|oopsPage|BLOCKED\(LOOPS\)/, reason: 'the words of one offline are fresh when it begins; notifiers, signals, idle huge pages and poisoned zones are in the unit tests of the file' },
  { text: /removePfnRangeFromZone|BLOCK\.(zone|state)|initMemmapOnMemory|movePfnRangeToZone/, reason: 'spans of zones and the words of a block while it changes: valid_zones and sysfs alone show them (memory.test.ts, memory_hotplug.test.ts)' },
  { file: /memory_hotplug\/remove\.ts/, text: /remove-memory-online/, reason: 'a BUG() of 5.2, which is not among the profiles that mutations are tried on' },
  { file: /mm\/migrate\.ts/, text: /PG\.isolated/, reason: 'who finds the folio off its list tries again, as one who waits for it does' },
  { file: /mm\/migrate\.ts/, text: /^putFolio\(k, head, 1\)/, reason: 'a user that goes while its folio is moved is in test/migration-races.test.ts; the library counts no frames of a block that is offline then' },
  { file: /pin-holders/, text: /vmsplice-longterm/, reason: 'either kind of reference outlives the memmap of device-dax; the proposal is about System RAM, whose pages do not come by here (row B 3 c vmsplice)' },
  { file: /mm\/migrate\.ts/, text: /PAGE\.(mapping|refcount|mapcount)/, reason: 'words of a page that is freed next: whoever gets it writes them' },
  { file: /virtio/, text: /releaseResource|VM\.resource/, how: 'drop', reason: 'the region is not busy: the claim of the next bind nests in the one that was left, and only /proc/iomem shows both' },
  { file: /virtio/, reason: 'the driver of litmus machines is bound and unbound by one thread: what the worker could meet in between is kept away by cancel_work_sync' },
  { text: /onlineMemSections\(k, pfn, pfn \+ own/, reason: 'the sections of a self-hosted memmap go offline with the rest of their block' },
  { file: /nvdimm\/pmem\.ts/, text: /PMEM\.swap/, reason: 'swap is not part of litmus machines' },
  { file: /removal-designs/, text: /dropEntries/, reason: 'entries that stay are met by an eviction, which no litmus test of that design makes' },
  { file: /dax\/super\.ts/, text: /DAXDEV_ALIVE/, how: 'swap', reason: 'who takes dax_read_lock between the two is waited for at the next look: in the model the wait and the mark are one step' },
  { text: /daxDisassociateEntry|eraseEntry/, reason: 'an entry that stays is met by an eviction of the same inode, after which nobody looks' },
  { file: /fs\/super\.ts/, text: /forceShutdown/, reason: 'the shutdown at the death of the disk: the death of the dax device alone fails what comes after (A matrix 3 has the state)' },
  { file: /pin-holders/, text: /HOLDER\.kind/, reason: 'the kind of a pin decides what its holder does with it, which litmus threads say themselves' },
  { file: /virt\/kvm/, text: /k\.heap\.store\(entry, 0\)/, reason: 'the page frame of an entry that is not present is read by nobody' },
  // Processes and guests.
  { file: /mm\/access\.ts/, text: /T stopped/, reason: 'litmus threads stop a process at its entry into the kernel (in-kernel.ts): the second look is never needed' },
  { file: /mm\/access\.ts/, text: /setFlags/, reason: 'accessed and dirty bits of process entries are read by no path: the DAX entry has the dirty mark' },
  { file: /mm\/exit\.ts|mm\/fork\.ts/, reason: 'the parent of a child, and the directory of a process that ends, are asked by nobody' },
  { file: /mm\/gup\.ts/, text: /gup_put_folio/, reason: 'taken where the entry changed under GUP-fast: one test gets there, and what its page counts is not looked at afterwards' },
  { file: /virt\/kvm/, text: /putDevPagemap/, reason: 'a proposal in which KVM never puts the page: the removal hangs with or without the pagemap reference' },
  { file: /virt\/kvm/, text: /SPTE_DIRTY|lostDirty|wanted !== flags/, reason: 'the dirty bit of a guest goes to the DAX entry when the host faults the page for writing: the second-level bit is the second sign of it' },
  { file: /paths\.ts/, text: /unmapMappingRange|daxDeleteMappingRange|daxBreakLayout|INODE\.pages/, reason: 'truncate unmaps in dax_break_layout already, and holds the invalidate lock over all of it: no fault can come between' },
  { file: /paths\.ts/, text: /detach: mmap_lock/, reason: 'a stopped process is not in the kernel; detach is always told to one that was stopped' },
  // Checks, branches and ranges.
  { file: /dax\/device\.ts/, how: 'range', reason: 'page->mapping of device-dax is read by memory_failure() alone, which no litmus test calls there (memory-failure.test.ts)' },
  { file: /memhotplug/, text: /pass/, reason: 'the second pass takes blocks that the first one could not: litmus machines have one block or a pin that no pass can move' },
  { how: 'range', reason: 'the end of this range is one that no thread of the library comes to: the loop steps by whole sub-sections or blocks, or the last page, node or number is not in use' },
  { file: /mm\/gup\.ts/, text: /vma === 0/, how: 'check', reason: 'where nothing is mapped the walk finds no entry either' },
  { file: /memremap-span\.ts/, reason: 'a span is wider than what was asked for on 5.2 only, where litmus machines have nothing else in the section (section-generation is refused before)' },
  { file: /mm\/page_ref\.ts/, text: /pgmap === 0/, how: 'check', reason: 'a page without a pagemap counts for none: what follows finds nothing to count' },
  { file: /mm\/pfn\.ts/, reason: 'a section that is not there has no sub-section bit, and one that is there as a whole has all of them: the two questions differ for pfn-walk-remove and online-walk-device alone, which notice the other changes here' },
  { file: /mm\/physmem\.ts/, reason: 'one range of addresses falls off at a time, and one that was freed matches no address any more' },
  { file: /mm\/walkers\.ts/, text: /mm === 0/, reason: 'a process without memory has no mapping to walk' },
  { file: /collect-procs\.ts/, text: /memory-failure-unmap-size/, reason: 'a page and the largest mapping are the same where nothing is mapped huge; tests with huge files call no memory_failure()' },
  { file: /collect-procs\.ts/, reason: 'processes of litmus tests have one thread and one mapping: looking at all threads, or at one without an entry, collects the same' },
  { file: /mm\/memory\.ts/, how: 'check', reason: 'a private copy that goes too, or a clean entry that is made clean again, is asked for by nobody afterwards' },
  { file: /mm\/memory-failure\.ts/, text: /entry === 0/, how: 'check', reason: 'a page without an entry is mapped by nobody: what follows finds nothing to unmap' },
  { file: /mm\/mmap\.ts/, text: /end <= from/, reason: 'processes of litmus tests have one mapping where this is asked' },
  { file: /mm\/access\.ts/, how: 'check', reason: 'a dead process has nothing left to touch, and no litmus test writes to a hole that was read' },
  { file: /pin-holders/, how: 'check', reason: 'the pin has failed: who holds nothing gives nothing back' },
  { file: /migrate_device\.ts/, how: 'check', reason: 'all device pages of a litmus process are of the device that goes' },
  { file: /memory_hotplug\/add\.ts/, text: /newNode/, reason: 'the node of a litmus machine is asked for by nobody when its last memory has failed to come' },
  { file: /memory_hotplug\/offline\.ts/, text: /templateOf|hugetlb|firstFailed|doMigrateRange/, how: 'check', reason: 'pages without users are passed over in either way; a huge page is given back by its user (offline-hugetlb); one round more or less changes nothing' },
  { file: /memory_hotplug\/offline\.ts|block-state\.ts/, text: /hole-check|one-zone-check/, reason: 'the checks of all versions agree on blocks without holes and with one zone; those with them are in memory_hotplug.test.ts and the rows B 5' },
  { file: /block-state\.ts/, how: 'check', reason: 'a block that is online already is refused by the next question as well' },
  { file: /memory_hotplug\/online\.ts/, text: /memoryNotify/, reason: 'the words of one offline are fresh when it begins; notifiers, signals, idle huge pages and poisoned zones are in the unit tests of the file' },
  { file: /memory_hotplug\/remove\.ts/, how: 'check', reason: 'the rest of the range is in the same state as its first block in litmus machines; with a memmap of its own only the altmap would stay allocated' },
  { file: /fs\/dax\.ts/, how: 'check', reason: 'an index without an entry, an inode without pages: what follows finds nothing to do there' },
  { file: /dax-(?:fault(?:-pmd)?|insert)\.ts/, how: 'check', reason: 'holes, huge entries and faults that find their entry in place: the way that is taken instead writes the same words (dax.test.ts has each)' },
  { file: /fs\/fault\.ts/, reason: 'a write fault after the death of the disk ends in SIGBUS by the dead dax device too; who waits for whom before that changes no outcome' },
  { file: /fs\/super\.ts/, text: /SB_SHUTDOWN|sbBusy/, how: 'check', reason: 'a second shutdown changes nothing; a lazy unmount with a user left is followed by the end of the file system in no litmus test but removal-lazy-umount, where it stays wrong' },
  { file: /fs\/multi\.ts/, reason: 'the death of the disk shuts the file system down as well, a moment later' },
  { file: /notify-failure\.ts/, reason: 'the freeze has one taker, and what is left of entries after the notification is met by an eviction that litmus tests do not make; a record without a file is of metadata, which shuts the file system down anyway' },
  { file: /dax\/bus\.ts/, text: /INODE\.(nlink|count)|DAXDEV\.flags, 0/, reason: 'one thread destroys a namespace: nobody looks between these stores' },
  { file: /nvdimm\/(pmem|removal-designs)/, text: /removal-design|removalDesign/, reason: 'a design that runs on an idle device, or after the disk has gone, finds nothing to unmap or unmaps the same' },
  { file: /base\/dd\.ts/, how: 'check', reason: 'which error a bind that failed returns; a device that is not the driver\'s is not unbound by it a second time' },
  { file: /devm-memory\.ts/, reason: NOT_LOOKED },
  { file: /base\/memory\.ts/, reason: VIEW },
  { file: /pci\/pciehp\.ts/, reason: VIEW },
  { file: /pci\/p2pdma\.ts/, reason: 'the kernels on which a process may not map a BAR have no other way to it: the test for them says the same without the refusal' },
  { file: /virt\/kvm\.ts/, how: 'check', reason: 'a page frame that is not one, or an entry that is not present, is looked at by nobody after the check either' },
  { file: /virt\/kvm\.ts/, how: 'version', reason: 'the dirty bit of a guest goes to the DAX entry when the host faults the page for writing: the second-level bit is the second sign of it' },
  { file: /paths\.ts/, text: /PTE_PRESENT/, how: 'check', reason: 'a page that is not there has a frame outside the device' },
  { file: /mm\/memremap\.ts/, how: 'check', reason: NOT_LOOKED },
];

export const reasonFor = (site: Site): string | null =>
  REASONS.find((r) => (r.file === undefined || r.file.test(site.file)) && (r.text === undefined || r.text.test(site.text)) && (r.how === undefined || r.how === site.how))?.reason ?? null;

