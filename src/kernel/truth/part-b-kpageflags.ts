/** Part B, sections 3 (d), 4 and 5: what /proc/kpageflags shows of RAM users, of pins, of device pages and of memmap. */
import type { Profile } from '../../profile/profile.ts';
import { GiB, MiB } from '../../range/units.ts';
import { stateStore } from '../drivers/base/block-state.ts';
import { kpageflags } from '../fs/proc/page.ts';
import type { Kernel } from '../kernel.ts';
import { MMOP } from '../mm/memory_hotplug/hotplug.ts';
import { MEMORY_DEVICE, memremapPages } from '../mm/memremap.ts';
import { allocContigKernel, allocPages } from '../mm/page_alloc.ts';
import { TYPE } from '../mm/page.ts';
import { pinLongterm, spliceGet } from '../mm/pin-ram.ts';
import { userPfn, type UserKind } from '../mm/ram-user.ts';
import { pmemResource } from '../setup/boot-machine.ts';
import { plugDimm } from '../setup/dimm.ts';
import { runStraight } from '../state/path.ts';
import { bootTruth, KmemScene, offline } from './ram-scene.ts';
import { columns, type Seen, type TruthRow } from './row.ts';

const words = (k: Kernel, pfn: number): string => kpageflags(k, pfn)?.join('|') ?? 'EOF';
/** As the row writes them: without what comes and goes (REFERENCED). */
const seen = (figures: Record<string, string | boolean>): Seen => ({ effects: [], figures });

/** Head and second page of a user's first folio in ZONE_MOVABLE. */
function flagsOf(profile: Profile, kind: UserKind): Seen {
  const s = new KmemScene(profile);
  s.online(MMOP.onlineMovable);
  const pfn = userPfn(s.k, s.user(kind, 2, 9), 0);
  return seen({ head: words(s.k, pfn), tail: words(s.k, pfn + 1) });
}

const USER_ROWS: readonly TruthRow[] = [
  {
    id: 'B 3 d anon', says: 'anonymous THP', seen: { '7.2': seen({ head: 'UPTODATE|LRU|MMAP|ANON|SWAPBACKED|COMPOUND_HEAD|THP', tail: 'UPTODATE|LRU|MMAP|ANON|SWAPBACKED|COMPOUND_TAIL|THP' }) },
    run: (profile) => flagsOf(profile, 'anon'),
  },
  {
    id: 'B 3 d mlock', says: 'mlock adds UNEVICTABLE and MLOCKED', seen: { '7.2': seen({ added: 'UNEVICTABLE|MLOCKED' }) },
    run: (profile) => {
      const plain = String(flagsOf(profile, 'anon').figures?.['head']).split('|');
      return seen({ added: String(flagsOf(profile, 'mlock').figures?.['head']).split('|').filter((name) => !plain.includes(name)).join('|') });
    },
  },
  {
    id: 'B 3 d hugetlb', says: 'hugetlb, mapped: UPTODATE|MMAP|ANON|COMPOUND|HUGE', seen: { '7.2': seen({ head: 'UPTODATE|MMAP|ANON|COMPOUND_HEAD|HUGE', tail: 'UPTODATE|MMAP|ANON|COMPOUND_TAIL|HUGE' }) },
    run: (profile) => flagsOf(profile, 'hugetlb'),
  },
  {
    id: 'B 3 d kernel', says: 'kernel pages SLAB, PGTABLE or no flag at all; free pages BUDDY, every one', seen: { '7.2': seen({ slab: 'SLAB', table: 'PGTABLE', other: '', free: 'BUDDY' }) },
    run: (profile) => {
      const s = new KmemScene(profile);
      s.online(MMOP.onlineKernel);
      const [slab, table] = [TYPE.slab, TYPE.table].map((type) => words(s.k, allocContigKernel(s.k, 1, 1, type)));
      const other = words(s.k, allocPages(s.k, { nid: 1, order: 0, gfp: 'kernel', type: TYPE.kernel }));
      return seen({ slab: slab ?? '', table: table ?? '', other, free: words(s.k, 0x11ffff) });
    },
  },
  {
    id: 'B 3 d pin', says: 'a pinned page carries no flag', seen: { '7.2': seen({ splice: true, longterm: true }) },
    run: (profile) => {
      const s = new KmemScene(profile);
      s.online(MMOP.onlineKernel);
      const user = s.user('anon', 2, 9);
      const before = words(s.k, userPfn(s.k, user, 0));
      spliceGet(s.k, user, 0, 1);
      const splice = words(s.k, userPfn(s.k, user, 0)) === before;
      s.run(pinLongterm(s.k, user, 0, 2));
      return seen({ splice, longterm: words(s.k, userPfn(s.k, user, 0)) === before });
    },
  },
  {
    id: 'B 10 ksm', says: '6.12 sets KSM on every anonymous page', seen: { '6.12': seen({ ksm: true }), '7.2': seen({ ksm: false }) },
    run: (profile) => seen({ ksm: String(flagsOf(profile, 'anon').figures?.['head']).includes('KSM') }),
  },
];

/** pmem in a section with RAM (layout A), and a namespace above the end of RAM. */
function devicePages(profile: Profile): Seen {
  const k = bootTruth(profile, { ram: [{ start: MiB, end: 0x46000000, nid: 0 }, { start: 0x4a000000, end: 0x7ffdb000, nid: 0 }] });
  for (const [start, end] of [[0x46000000, 0x4a000000], [4 * GiB, 4 * GiB + 64 * MiB]] as const) {
    pmemResource(k, { start, end });
    memremapPages(k, { startPfn: start / 4096, endPfn: end / 4096, dataPfn: start / 4096, type: MEMORY_DEVICE.fsdax });
  }
  return seen({ early: words(k, 0x46100), above: words(k, (4 * GiB) / 4096) });
}

const DEVICE_ROWS: readonly TruthRow[] = [
  {
    id: 'B 4 kpageflags', says: 'device pages: 5.10 RESERVED in an early section, NOPAGE above RAM; 6.1, 6.12 NOPAGE, 7.2 no flag; EOF above the end of RAM',
    seen: { '5.10': seen({ early: 'RESERVED', above: 'NOPAGE' }), ...columns('6.1, 6.12', seen({ early: 'NOPAGE', above: 'EOF' })), '7.2': seen({ early: '', above: 'EOF' }) },
    run: devicePages,
  },
  {
    id: 'B 4 kpageflags offline', says: 'offline blocks read 0x0 (7.2)', seen: { '7.2': seen({ offline: '' }) },
    run: (profile) => {
      const k = bootTruth(profile);
      offline(k, 5);
      return seen({ offline: words(k, 5 * 32768) });
    },
  },
  {
    id: 'B 5 kpageflags', says: 'memmap_on_memory: the first 512 pages of a block OWNER_PRIVATE, the rest BUDDY', seen: { '7.2': seen({ first: 'OWNER_PRIVATE', last: 'OWNER_PRIVATE', rest: 'BUDDY' }) },
    run: (profile) => {
      const k = bootTruth(profile, { memmapOnMemory: true });
      plugDimm(k, { name: 'PNP0C80:00', addr: 4 * GiB, size: 256 * MiB, nid: 1 });
      runStraight(stateStore(k, 32, MMOP.onlineMovable, 0));
      return seen({ first: words(k, 0x100000), last: words(k, 0x1001ff), rest: words(k, 0x100200) });
    },
  },
];

export const PART_B_KPAGEFLAGS: readonly TruthRow[] = [...USER_ROWS, ...DEVICE_ROWS];
