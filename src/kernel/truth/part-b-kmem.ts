/** Part B, section 3: device-dax as System RAM. */
import type { Profile } from '../../profile/profile.ts';
import { validZones } from '../drivers/base/block-state.ts';
import { blockNodes, blockState, MEM, memoryBlocks } from '../drivers/base/memory.ts';
import { bindStore, unbindStore } from '../drivers/base/dd.ts';
import { MMOP } from '../mm/memory_hotplug/hotplug.ts';
import { allocContigKernel } from '../mm/page_alloc.ts';
import { TYPE } from '../mm/page.ts';
import { pinLongterm, spliceGet, splicePut, unpinLongterm } from '../mm/pin-ram.ts';
import { userFolios, type UserKind } from '../mm/ram-user.ts';
import { iomemText, requestRegion, walkResources } from '../resource.ts';
import { threads } from '../threads.ts';
import { errno, KmemScene, offline, offlineShell } from './ram-scene.ts';
import { columns, type Seen, type TruthRow } from './row.ts';

/** Effects of an unbind of kmem, read off iomem and the blocks. */
function afterUnbind(s: KmemScene): Seen['effects'] {
  const kept = iomemText(s.k).includes('System RAM (kmem)') || [...walkResources(s.k)].some((r) => r.name === 'dax0.0');
  const blocked = s.run(bindStore(s.k, s.kmem, s.dev)) < 0;
  return kept && blocked ? ['region-leaked'] : ['clean'];
}

const SIZE_ROWS: readonly TruthRow[] = [
  {
    id: 'B 3 size', says: '510 MiB of devdax give three whole blocks; only 7.2 says so',
    seen: { ...columns('5.10, 6.12', { effects: [], figures: { blocks: '33 34 35', says: false } }), '7.2': { effects: [], figures: { blocks: '33 34 35', says: true } } },
    run: (profile) => {
      const s = new KmemScene(profile);
      return { effects: [], figures: { blocks: s.blocks.join(' '), says: s.k.log.has('DAX region truncated by 126 MiB due to alignment') } };
    },
  },
  {
    id: 'B 3 iomem', says: 'dax0.0 with System RAM (kmem) inside, from the first whole block', seen: columns('5.10, 6.12, 7.2', { effects: [], figures: { iomem: true } }),
    run: (profile) => ({ effects: [], figures: { iomem: /108000000-11fffffff : dax0\.0\n\s+108000000-11fffffff : System RAM \(kmem\)/.test(iomemText(new KmemScene(profile).k)) } }),
  },
];

const UNBIND_ROWS: readonly TruthRow[] = [
  {
    id: 'B 3 a', says: 'kmem unbind while blocks are online: the write returns 0, the range is leaked until reboot',
    seen: columns('5.10, 6.1, 6.12, 7.2', { effects: ['region-leaked'], figures: { rc: 0, lines: 2, states: 'on on on' } }),
    run: (profile) => {
      const s = new KmemScene(profile);
      s.online(MMOP.onlineMovable);
      const rc = s.run(unbindStore(s.k, s.kmem, s.dev));
      const lines = ['removing memory fails, because memory [0x0000000108000000-0x000000010fffffff] is onlined', 'kmem dax0.0: mapping0: 0x108000000-0x11fffffff cannot be hotremoved until the next reboot'];
      const states = s.states();
      return { effects: afterUnbind(s), figures: { rc, lines: lines.filter((line) => s.k.log.has(line)).length, states } };
    },
  },
  {
    id: 'B 3 a rebind', says: 'then bind to device_dax or kmem: EBUSY (5.10: ENODEV), also after the blocks went offline',
    seen: {
      '5.10': { effects: ['region-leaked'], figures: { kmem: 'ENODEV', dax: 'ENODEV', offline: 'ok', later: 'ENODEV' } },
      ...columns('6.1, 6.12, 7.2', { effects: ['region-leaked'], figures: { kmem: 'EBUSY', dax: 'EBUSY', offline: 'ok', later: 'EBUSY' } }),
    },
    run: (profile) => {
      const s = new KmemScene(profile);
      s.online(MMOP.onlineMovable);
      s.run(unbindStore(s.k, s.kmem, s.dev));
      const kmem = errno(s.run(bindStore(s.k, s.kmem, s.dev)));
      const dax = errno(s.run(bindStore(s.k, s.deviceDax, s.dev)));
      const gone = errno(Math.min(...s.blocks.map((id) => offline(s.k, id))));
      const later = errno(s.run(bindStore(s.k, s.deviceDax, s.dev)));
      return { effects: afterUnbind(s), figures: { kmem, dax, offline: gone, later } };
    },
  },
  {
    id: 'B 3 a destroy', says: 'ndctl destroy-namespace and a new probe fail too: could not reserve region', seen: columns('5.10, 6.1, 6.12, 7.2', { effects: ['region-leaked'], figures: { reserved: false } }),
    run: (profile) => {
      const s = new KmemScene(profile);
      s.online(MMOP.onlineMovable);
      s.run(unbindStore(s.k, s.kmem, s.dev));
      const reserved = requestRegion(s.k, 0x100000000, 0x20000000, 'namespace0.0') !== 0;
      return { effects: afterUnbind(s), figures: { reserved } };
    },
  },
  {
    id: 'B 3 b', says: 'offline all blocks, then unbind: clean, no message, the device can be bound again',
    seen: { '5.10': { effects: ['clean'], figures: { rc: 0, logged: 3, again: 'ok' } }, ...columns('6.12, 7.2', { effects: ['clean'], figures: { rc: 0, logged: 0, again: 'ok' } }) },
    run: (profile) => {
      const s = new KmemScene(profile);
      s.online(MMOP.onlineMovable);
      const mark = s.k.log.mark;
      for (const id of s.blocks) offline(s.k, id);
      const rc = s.run(unbindStore(s.k, s.kmem, s.dev));
      const clean = iomemText(s.k) === s.iomem && s.blocks.length === 0;
      const logged = s.k.log.since(mark).filter((line) => line.text === 'Offlined Pages 32768').length;
      const others = s.k.log.since(mark).length - logged;
      return { effects: clean && others === 0 ? ['clean'] : [], figures: { rc, logged, again: errno(s.run(bindStore(s.k, s.kmem, s.dev))) } };
    },
  },
];

const TOOL_ROW: TruthRow = {
  id: 'B 3 b daxctl', says: 'daxctl offline-memory, then reconfigure-device -m devdax: the right order, clean, device_dax takes it', seen: columns('5.10, 7.2', { effects: ['clean'], figures: { offline: 'ok ok ok', unbind: 0, dax: 'ok' } }),
  run: (profile) => {
    const s = new KmemScene(profile);
    s.online(MMOP.onlineMovable);
    const gone = s.blocks.map((id) => errno(offline(s.k, id))).join(' ');
    const unbind = s.run(unbindStore(s.k, s.kmem, s.dev));
    const clean = iomemText(s.k) === s.iomem;
    return { effects: clean ? ['clean'] : [], figures: { offline: gone, unbind, dax: errno(s.run(bindStore(s.k, s.deviceDax, s.dev))) } };
  },
};

/** What a user of the first block does to `echo offline`: how it ended, pages that stayed, whether the data is whole. */
function offlineWith(profile: Profile, kind: UserKind, folios: number, order: number, pin: 'none' | 'longterm' | 'splice'): Seen {
  const s = new KmemScene(profile);
  s.online(MMOP.onlineMovable);
  const user = s.user(kind, folios, order);
  const spliced = Math.min(16, userFolios(s.k, user));
  if (pin === 'longterm') s.run(pinLongterm(s.k, user, 0, folios));
  if (pin === 'splice') spliceGet(s.k, user, 0, spliced);
  const left = s.pagesHere(user);
  const shell = offlineShell(s.k, 33);
  if (shell.state === 'done') return { effects: [], figures: { offline: errno(shell.result), before: left, stays: s.pagesHere(user), intact: s.intact(user) } };
  threads(s.k).kill(shell);
  const stays = s.pagesHere(user);
  const back = blockState(s.k, 33) === MEM.online;
  if (pin === 'longterm') unpinLongterm(s.k, user, 0, folios);
  else splicePut(s.k, user, 0, spliced);
  const later = errno(offline(s.k, 33));
  return { effects: ['never-ends'], figures: { offline: errno(shell.result), before: left, stays, back, later, intact: s.intact(user) } };
}

const MOVED = (before: number): Seen => ({ effects: [], figures: { offline: 'ok', before, stays: 0, intact: true } });
const LOOPS = (before: number, stays: number): Seen => ({ effects: ['never-ends'], figures: { offline: 'EINTR', before, stays, back: true, later: 'ok', intact: true } });

const USER_ROWS: readonly TruthRow[] = [
  { id: 'B 3 c plain', says: 'plain anon 64 MiB in ZONE_MOVABLE: offline OK, data migrated', seen: columns('5.10, 6.1, 7.2', MOVED(16384)), run: (profile) => offlineWith(profile, 'anon', 32, 9, 'none') },
  { id: 'B 3 c mlock', says: 'mlock 64 MiB in ZONE_MOVABLE: offline OK', seen: columns('5.10, 6.1, 7.2', MOVED(16384)), run: (profile) => offlineWith(profile, 'mlock', 32, 9, 'none') },
  {
    id: 'B 3 c longterm', says: 'io_uring fixed buffer, AF_XDP umem of 16 MiB in ZONE_MOVABLE: moved out before they are pinned (6.1 on); 5.10 loops until a signal',
    seen: { '5.10': LOOPS(4096, 4096), ...columns('6.1, 7.2', MOVED(0)) }, run: (profile) => offlineWith(profile, 'anon', 8, 9, 'longterm'),
  },
  {
    id: 'B 3 c vmsplice', says: 'vmsplice in a pipe: never returns, SIGINT ends it, block back online, 16 pages stay, OK after the pipe is closed',
    seen: columns('5.10, 6.1, 7.2', LOOPS(256, 16)), run: (profile) => offlineWith(profile, 'anon', 256, 0, 'splice'),
  },
  {
    id: 'B 3 c hugetlb', says: '32 MiB of hugetlb, mapped: migrated as huge pages, offline OK',
    seen: { '5.10': { notModelled: 'no huge page could be had on the MOVABLE node there; how the hugetlb pool is filled is not modelled' }, '7.2': MOVED(8192) },
    run: (profile) => offlineWith(profile, 'hugetlb', 16, 9, 'none'),
  },
  {
    id: 'B 3 c log', says: 'the log of a pin: migrating pfn failed ret:16, refcount 3 mapcount 1, migration failure', seen: { '7.2': { effects: ['never-ends'], figures: { failed: true, refs: true, dumped: true } } },
    run: (profile) => {
      const s = new KmemScene(profile);
      s.online(MMOP.onlineMovable);
      const user = s.user('anon', 256, 0);
      spliceGet(s.k, user, 0, 16);
      const shell = offlineShell(s.k, 33);
      const figures = { failed: s.k.log.has('failed ret:16'), refs: s.k.log.has('page: refcount:3 mapcount:1'), dumped: s.k.log.has('page dumped because: migration failure') };
      return { effects: shell.state === 'waiting' ? ['never-ends'] : [], figures };
    },
  },
];

/** All blocks online_kernel, kernel pages in the first, a user: which blocks go offline. */
function kernelZone(profile: Profile, pin: 'none' | 'longterm' | 'splice'): Seen {
  const s = new KmemScene(profile);
  s.online(MMOP.onlineKernel);
  for (const type of [TYPE.slab, TYPE.table]) allocContigKernel(s.k, 1, 1, type);
  const user = s.user('anon', pin === 'splice' ? 256 : 8, pin === 'splice' ? 0 : 9);
  if (pin === 'longterm') s.run(pinLongterm(s.k, user, 0, 8));
  if (pin === 'splice') spliceGet(s.k, user, 0, 16);
  const before = s.pagesHere(user);
  const results = s.blocks.map((id) => errno(offline(s.k, id)));
  const figures = { blocks: results.join(' '), moved: before - s.pagesHere(user), slab: s.k.log.has('page_type: f5(slab)'), unmovable: s.k.log.has('page dumped because: unmovable page') };
  return { effects: results[0] === 'EBUSY' ? ['veto'] : [], figures };
}

const NORMAL_ROWS: readonly TruthRow[] = (['none', 'longterm', 'splice'] as const).map((pin) => ({
  id: `B 3 c normal ${pin}`, says: `ZONE_NORMAL block with kernel pages, user with pin ${pin}: EBUSY at once because of the kernel pages; only their block`,
  seen: { '7.2': { effects: ['veto'], figures: { blocks: 'EBUSY ok ok', moved: 0, slab: true, unmovable: true } } },
  run: (profile: Profile) => kernelZone(profile, pin),
}));

const SYSFS_ROWS: readonly TruthRow[] = [
  {
    id: 'B 3 e', says: 'valid_zones before online "Normal Movable", after it exactly one; the block is linked to node 1', seen: columns('6.12, 7.2', { effects: [], figures: { before: 'Normal Movable', after: 'Movable', nodes: '1' } }),
    run: (profile) => {
      const s = new KmemScene(profile);
      const before = validZones(s.k, 33);
      s.online(MMOP.onlineMovable);
      return { effects: [], figures: { before, after: validZones(s.k, 33), nodes: blockNodes(s.k, memoryBlocks(s.k).find(33)).join() } };
    },
  },
];

export const PART_B_KMEM: readonly TruthRow[] = [...SIZE_ROWS, ...UNBIND_ROWS, TOOL_ROW, ...USER_ROWS, ...NORMAL_ROWS, ...SYSFS_ROWS];
