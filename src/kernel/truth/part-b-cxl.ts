/** Part B, section 8: CXL memory as System RAM, device-dax and fsdax, taken away by unbind and by hot-unplug. */
import type { Profile } from '../../profile/profile.ts';
import { peekMedium } from '../domains.ts';
import { bindStore } from '../drivers/base/dd.ts';
import { busDevices, deviceChildren, DEV, driverCore } from '../drivers/base/bus.ts';
import { MEMDEV, REGION, regionCommitted } from '../drivers/cxl/cxl.ts';
import { commitStore } from '../drivers/cxl/region.ts';
import { deviceDaxDriver, DEVDAX } from '../drivers/dax/bus.ts';
import { deviceData } from '../drivers/base/bus.ts';
import { SB_SHUTDOWN, sbHas } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import { exitTask } from '../mm/exit.ts';
import { vmaStart } from '../mm/mm_struct.ts';
import { PIN_KINDS, pinPages } from '../mm/pin-holders.ts';
import { userRead } from '../mm/ram-user.ts';
import { walkTask, WALK_PAGEMAP } from '../mm/walkers.ts';
import { iomemText } from '../resource.ts';
import { adoptByRegion, cxlDisableMemdev, cxlDisableRegion } from '../setup/cxl.ts';
import { addPmem, createFile, mountFs } from '../setup/fsdax.ts';
import { lookAt, presentPages, touchTest } from '../setup/look.ts';
import { addProcess, mapFile, openFile, touchAll } from '../setup/process.ts';
import { run } from '../setup/run.ts';
import { runStraight } from '../state/path.ts';
import { CXL_SIZE, CXL_START, CxlScene } from './cxl-scene.ts';
import { errno } from './ram-scene.ts';
import { columns, type Seen, type TruthRow } from './row.ts';

const DAMAGE = ['allocator-continues', 'reads-zero', 'region-leaked'] as const;

const unbindUnderRam = (which: 'cxl_mem' | 'cxl_pci'): TruthRow => ({
  id: `B 8 ram ${which}`, says: `System RAM online, unbind ${which}: returns 0, blocks stay online, the process reads zeroes, new allocations land there; rebind works, still zero`,
  seen: columns('6.12, 7.2', { effects: DAMAGE, figures: { rc: 0, online: 4, rebind: 'ok', later: 0 } }),
  run: (profile) => {
    const s = new CxlScene(profile, 'ram');
    const user = s.asRam();
    const dev = s.k.heap.load(s.mem0 + (which === 'cxl_mem' ? MEMDEV.dev : MEMDEV.pci));
    const driver = s.k.heap.load(dev + DEV.driver);
    const rc = s.unbind(which);
    const effects = s.ramEffects(user);
    const online = s.onlineBlocks;
    const rebind = errno(runStraight(bindStore(s.k, driver, dev)));
    return { effects, figures: { rc, online, rebind, later: userRead(s.k, user, 3) } };
  },
});

const RAM_ROWS: readonly TruthRow[] = [
  unbindUnderRam('cxl_mem'),
  unbindUnderRam('cxl_pci'),
  {
    id: 'B 8 ram hot-unplug', says: 'System RAM online, PCIe hot-unplug: not refused; after 5 s power 0, adapter 0, same damage', seen: columns('7.2', { effects: DAMAGE, figures: { power: 0, adapter: 0, online: 4, says: true } }),
    run: (profile) => {
      const s = new CxlScene(profile, 'ram');
      const user = s.asRam();
      const slot = s.hotUnplug();
      return { effects: s.ramEffects(user), figures: { ...slot, online: s.onlineBlocks, says: s.k.log.has('pciehp: Slot(2): Button press: will power off in 5 sec') } };
    },
  },
  {
    id: 'B 8 ram disable-memdev', says: 'cxl disable-memdev: refused by the tool; with -f the damage of unbind', seen: columns('7.2', { effects: DAMAGE, figures: { plain: 'EBUSY', held: 77, forced: 0 } }),
    run: (profile) => {
      const s = new CxlScene(profile, 'ram');
      const user = s.asRam();
      const plain = errno(cxlDisableMemdev(s.k, s.mem0, false));
      const held = userRead(s.k, user, 3);
      const forced = cxlDisableMemdev(s.k, s.mem0, true);
      return { effects: s.ramEffects(user), figures: { plain, held, forced } };
    },
  },
  {
    id: 'B 8 ram disable-region', says: 'cxl disable-region: the tool offlines first, data migrated, iomem clean', seen: columns('7.2', { effects: ['clean'], figures: { rc: 0, holds: 77, iomem: false } }),
    run: (profile) => {
      const s = new CxlScene(profile, 'ram');
      const user = s.asRam();
      const rc = runStraight(cxlDisableRegion(s.k, s.region, 0));
      return { effects: s.ramEffects(user), figures: { rc, holds: userRead(s.k, user, 3), iomem: iomemText(s.k).includes('kmem') } };
    },
  },
  {
    id: 'B 8 ram commit', says: 'echo 0 > region0/commit: accepted, the damage of unbind', seen: columns('7.2', { effects: DAMAGE, figures: { rc: 0 } }),
    run: (profile) => {
      const s = new CxlScene(profile, 'ram');
      const user = s.asRam();
      const rc = runStraight(commitStore(s.k, s.region, 0));
      return { effects: s.ramEffects(user), figures: { rc } };
    },
  },
  {
    id: 'B 8 rebind', says: 'after a cxl_pci rebind cxl_mem is bound by itself (EBUSY); region0 stays listed and is not committed again', seen: columns('7.2', { effects: [], figures: { mem: 'EBUSY', listed: true, committed: false } }),
    run: (profile) => {
      const s = new CxlScene(profile, 'ram');
      const pci = s.k.heap.load(s.mem0 + MEMDEV.pci);
      const driver = s.k.heap.load(pci + DEV.driver);
      s.unbind('cxl_pci');
      runStraight(bindStore(s.k, driver, pci));
      const mem = errno(runStraight(bindStore(s.k, driverCore(s.k).find('cxl', 'cxl_mem'), s.k.heap.load(s.mem0 + MEMDEV.dev))));
      return { effects: [], figures: { mem, listed: busDevices(s.k, 'cxl').includes(s.k.heap.load(s.region + REGION.dev)), committed: regionCommitted(s.k, s.region) } };
    },
  },
  {
    id: 'B 8 iomem', says: 'create-region -t ram: CXL Window 0 / region0 / dax0.0 / System RAM (kmem), memmap_on_memory 1', seen: columns('6.12, 7.2', { effects: [], figures: { nested: true } }),
    run: (profile) => ({ effects: [], figures: { nested: /CXL Window 0\n {2}\S+ : region0\n {4}\S+ : dax0\.0\n {6}\S+ : System RAM \(kmem\)/.test(iomemText(new CxlScene(profile, 'ram').k)) } }),
  },
];

/** devdax on the region, 8 MiB mapped and written by one process. */
function devdax(profile: Profile): { readonly s: CxlScene; readonly task: number; readonly vma: number } {
  const k = new CxlScene(profile, 'devdax');
  deviceDaxDriver(k.k);
  const dev = deviceChildren(k.k, k.k.heap.load(k.region + REGION.dev))[0] as number;
  runStraight(bindStore(k.k, deviceDaxDriver(k.k), dev));
  const inode = k.k.heap.load(deviceData(k.k, dev) + DEVDAX.inode);
  const task = addProcess(k.k, { comm: 'h' });
  openFile(k.k, task, inode);
  const vma = mapFile(k.k, task, inode, { pages: 2048 });
  touchAll(k.k, task, vma, 'write');
  return { s: k, task, vma };
}
const daxDevices = (s: CxlScene): number => busDevices(s.k, 'dax').length;

const DEVDAX_ROWS: readonly TruthRow[] = [
  {
    id: 'B 8 devdax unbind', says: 'devdax mapped, unbind cxl_mem: 0, dax device gone, SIGBUS on read and write, also after the rebind; region0 stays in iomem',
    seen: columns('7.2', { effects: ['sigbus'], figures: { rc: 0, dax: 0, read: 2048, write: 2048, later: 2048, iomem: true } }),
    run: (profile) => {
      const { s, task, vma } = devdax(profile);
      const mem = s.k.heap.load(s.mem0 + MEMDEV.dev);
      const driver = s.k.heap.load(mem + DEV.driver);
      const rc = s.unbind('cxl_mem');
      const [read, write] = [touchTest(s.k, task, vma, 'read').sigbus, touchTest(s.k, task, vma, 'write').sigbus];
      runStraight(bindStore(s.k, driver, mem));
      return { effects: read > 0 ? ['sigbus'] : [], figures: { rc, dax: daxDevices(s), read, write, later: touchTest(s.k, task, vma, 'read').sigbus, iomem: iomemText(s.k).includes('region0') } };
    },
  },
  {
    id: 'B 8 devdax io_uring', says: 'devdax mapped and in an io_uring fixed buffer, device_del: removed after 5 s, SIGBUS, pagemap empty; page fault when the process exits',
    seen: columns('7.2', { effects: ['sigbus', 'pin-outlives-memmap'], figures: { power: 0, present: 0 } }),
    run: (profile) => {
      const { s, task, vma } = devdax(profile);
      run(s.k, pinPages(s.k, task, PIN_KINDS.indexOf('io_uring'), vmaStart(s.k, vma), 2048));
      const { power } = s.hotUnplug();
      const sigbus = touchTest(s.k, task, vma, 'read').sigbus > 0;
      const present = presentPages(s.k, task, CXL_START / 4096, (CXL_START + CXL_SIZE) / 4096);
      const exit = run(s.k, exitTask(s.k, task), task);
      return { effects: [...(sigbus ? (['sigbus'] as const) : []), ...(exit.oops !== null ? (['pin-outlives-memmap'] as const) : [])], figures: { power, present } };
    },
  },
];

interface FsdaxHolder {
  readonly s: CxlScene;
  readonly sb: number;
  readonly task: number;
  readonly vma: number;
}

/** ext4 -o dax on a pmem region, 4 MiB file mapped and written by one process. */
function fsdaxHolder(profile: Profile): FsdaxHolder {
  const s = new CxlScene(profile, 'pmem');
  const dev = addPmem(s.k, { start: CXL_START, size: CXL_SIZE });
  adoptByRegion(s.k, s.region, dev);
  const sb = mountFs(s.k, dev, { type: 'ext4' });
  const file = createFile(s.k, sb, { pages: 1024, align: 512 });
  const task = addProcess(s.k, { comm: 'h' });
  const vma = mapFile(s.k, task, file);
  touchAll(s.k, task, vma, 'write');
  return { s, sb, task, vma };
}

/** The same twice: once the memory is touched afterwards, once the holder's pagemap is read (what oopses ends the show). */
function fsdax(profile: Profile, act: (s: CxlScene) => number): Seen {
  const { s, sb, task, vma } = fsdaxHolder(profile);
  const rc = act(s);
  const read = touchTest(s.k, task, vma, 'read');
  const zero = read.ok > 0 && readsZero(s.k);
  const write = touchTest(s.k, task, vma, 'write');
  const watched = fsdaxHolder(profile);
  act(watched.s);
  const pagemap = run(watched.s.k, walkTask(watched.s.k, watched.task, WALK_PAGEMAP));
  const effects: Seen['effects'][number][] = [];
  if (read.ok > 0) effects.push('stale-mapping');
  if (zero) effects.push('reads-zero');
  if (sbHas(s.k, sb, SB_SHUTDOWN)) effects.push('fs-shutdown');
  if (pagemap.oops !== null) effects.push('oops-on-pagemap');
  return { effects, figures: { rc, read: read.ok, sigbus: write.sigbus } };
}

/** A page that the process wrote reads as zero now, although the card still has the data. */
function readsZero(k: Kernel): boolean {
  for (let pfn = CXL_START / 4096; pfn < (CXL_START + CXL_SIZE) / 4096; pfn += 1) if (peekMedium(k, pfn) !== 0) return lookAt(k, pfn, 1) === 0;
  return false;
}

const FSDAX_SEEN: Seen = { effects: ['stale-mapping', 'reads-zero', 'fs-shutdown', 'oops-on-pagemap'], figures: { rc: 0, read: 1024, sigbus: 1024 } };
const FSDAX_ROWS: readonly TruthRow[] = [
  {
    id: 'B 8 fsdax unbind', says: 'ext4 dax mapped, unbind cxl_pci: 0, fs shut down, read gives zeroes through the stale entry, write SIGBUS, reading pagemap oopses',
    seen: columns('6.12, 7.2', FSDAX_SEEN), run: (profile) => fsdax(profile, (s) => s.unbind('cxl_pci')),
  },
  {
    id: 'B 8 fsdax hot-unplug', says: 'same by device_del', seen: { '6.1': { ...FSDAX_SEEN, effects: ['stale-mapping', 'reads-zero', 'oops-on-pagemap'] }, ...columns('6.12, 7.2', FSDAX_SEEN) },
    run: (profile) => fsdax(profile, (s) => s.hotUnplug().power),
  },
];

export const PART_B_CXL: readonly TruthRow[] = [...RAM_ROWS, ...DEVDAX_ROWS, ...FSDAX_ROWS];
