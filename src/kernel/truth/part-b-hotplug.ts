/** Part B, sections 6 (virtio-mem) and 7 (ACPI DIMMs). */
import type { Profile } from '../../profile/profile.ts';
import { GiB, MiB } from '../../range/units.ts';
import { dimmPresent, OST, ostEvents } from '../drivers/acpi/memhotplug.ts';
import { driverCore } from '../drivers/base/bus.ts';
import { stateStore, validZones } from '../drivers/base/block-state.ts';
import { bindStore, driverLoad, driverUnregister, unbindStore } from '../drivers/base/dd.ts';
import { blockState, MEM, MEM_NAMES } from '../drivers/base/memory.ts';
import { createVirtioMem, VM, vmPlugged } from '../drivers/virtio/virtio_mem.ts';
import type { Kernel } from '../kernel.ts';
import { MMOP } from '../mm/memory_hotplug/hotplug.ts';
import { allocContigKernel } from '../mm/page_alloc.ts';
import { TYPE } from '../mm/page.ts';
import { pinLongterm, spliceGet, splicePut } from '../mm/pin-ram.ts';
import { userAlloc, userRead } from '../mm/ram-user.ts';
import { iomemText } from '../resource.ts';
import { plugDimm, requestEject, writeEject } from '../setup/dimm.ts';
import { hostUnplugRefused, requestSize } from '../setup/virtio-mem.ts';
import { runStraight } from '../state/path.ts';
import { threads } from '../threads.ts';
import { bootTruth, errno } from './ram-scene.ts';
import { columns, type Seen, type TruthRow } from './row.ts';

/** 1 GiB device on node 1, 384 MiB plugged, three blocks online_movable, a process with 64 MiB on it. */
class VirtioScene {
  readonly k: Kernel;
  readonly vm: number;
  readonly dev: number;
  readonly driver: number;
  readonly user: number;

  constructor(profile: Profile, order: 0 | 9 = 9) {
    this.k = bootTruth(profile, { autoOnline: 'online_movable' });
    this.vm = runStraight(createVirtioMem(this.k, { name: 'virtio1', addr: 4 * GiB, size: GiB, nid: 1 }));
    requestSize(this.k, this.vm, 384 * MiB);
    this.dev = this.k.heap.load(this.vm + VM.dev);
    this.driver = driverCore(this.k).find('virtio', 'virtio_mem');
    this.user = userAlloc(this.k, { name: 'h', kind: 'anon', nid: 1, folios: order === 9 ? 32 : 1024, order, thisNode: true, value: 7 });
  }

  /** Memory stays and is used, the host cannot change it, the driver cannot come back. */
  leftBehind(): Seen['effects'] {
    const before = vmPlugged(this.k, this.vm);
    requestSize(this.k, this.vm, 0);
    const stuck = vmPlugged(this.k, this.vm) === before && before > 0;
    return stuck && runStraight(bindStore(this.k, this.driver, this.dev)) < 0 ? ['no-rebind'] : [];
  }
}

const VIRTIO_ROWS: readonly TruthRow[] = [
  {
    id: 'B 6 unbind', says: 'unbind virtio_mem in use: 0, memory stays online and usable, one line, host still shows 384M',
    seen: columns('5.10, 6.1, 7.2', { effects: ['no-rebind'], figures: { rc: 0, says: true, online: true, iomem: true, size: 384 * MiB, intact: true } }),
    run: (profile) => {
      const s = new VirtioScene(profile);
      const rc = runStraight(unbindStore(s.k, s.driver, s.dev));
      const figures = {
        rc, says: s.k.log.has('virtio_mem virtio1: device still has system memory added'), online: blockState(s.k, 33) === MEM.online,
        iomem: iomemText(s.k).includes('100000000-13fffffff : virtio1'), size: vmPlugged(s.k, s.vm), intact: userRead(s.k, s.user, 5) === 7,
      };
      return { effects: s.leftBehind(), figures };
    },
  },
  {
    id: 'B 6 bind', says: 'bind again: EBUSY, could not reserve device region, reloading the driver is not supported; device_del refused by the host',
    seen: { ...columns('6.1, 7.2', { effects: ['no-rebind'], figures: { rc: 'EBUSY', lines: 2, host: true } }) },
    run: (profile) => {
      const s = new VirtioScene(profile);
      runStraight(unbindStore(s.k, s.driver, s.dev));
      const rc = errno(runStraight(bindStore(s.k, s.driver, s.dev)));
      const lines = ['could not reserve device region', 'reloading the driver is not supported'].filter((line) => s.k.log.has(line)).length;
      return { effects: s.leftBehind(), figures: { rc, lines, host: hostUnplugRefused(s.k, s.vm) } };
    },
  },
  {
    id: 'B 6 shrink longterm', says: 'shrink with FOLL_LONGTERM pages in MOVABLE: works, size 0', seen: columns('7.2', { effects: [], figures: { size: 0 } }),
    run: (profile) => {
      const s = new VirtioScene(profile);
      runStraight(pinLongterm(s.k, s.user, 0, 32));
      requestSize(s.k, s.vm, 0);
      return { effects: [], figures: { size: vmPlugged(s.k, s.vm) } };
    },
  },
  {
    id: 'B 6 shrink splice', says: 'shrink with 64 KiB spliced: size falls to one sub-block, its memory block stays online, no line; goes to 0 when the pipe closes',
    seen: columns('7.2', { effects: [], figures: { size: 2097152, states: 'online absent absent', lines: 0, later: 0 } }),
    run: (profile) => {
      const s = new VirtioScene(profile, 0);
      spliceGet(s.k, s.user, 0, 16);
      requestSize(s.k, s.vm, 0);
      const figures = { size: vmPlugged(s.k, s.vm), states: [32, 33, 34].map((id) => MEM_NAMES[blockState(s.k, id)]).join(' '), lines: s.k.log.since().filter((line) => line.text.startsWith('virtio_mem')).length };
      splicePut(s.k, s.user, 0, 16);
      threads(s.k).run();
      return { effects: [], figures: { ...figures, later: vmPlugged(s.k, s.vm) } };
    },
  },
  {
    id: 'B 6 device_del', says: 'after size 0 the host may take the device', seen: columns('7.2', { effects: ['clean'], figures: { refused: false } }),
    run: (profile) => {
      const s = new VirtioScene(profile);
      requestSize(s.k, s.vm, 0);
      const refused = hostUnplugRefused(s.k, s.vm);
      runStraight(unbindStore(s.k, s.driver, s.dev));
      return { effects: !refused && !iomemText(s.k).includes('virtio') ? ['clean'] : [], figures: { refused } };
    },
  },
  {
    id: 'B 6 rmmod', says: 'rmmod virtio_mem in use: rc 0, same message and result; modprobe: probe fails', seen: columns('7.2', { effects: ['no-rebind'], figures: { rc: 0, says: true, bound: false } }),
    run: (profile) => {
      const s = new VirtioScene(profile);
      const rc = runStraight(driverUnregister(s.k, s.driver));
      runStraight(driverLoad(s.k, s.driver));
      const bound = s.k.heap.load(s.vm + VM.alive) !== 0;
      return { effects: s.leftBehind(), figures: { rc, says: s.k.log.has('device still has system memory added'), bound } };
    },
  },
];

/** pc-dimm of 256 MiB at 4 GiB on node 1: blocks 32 and 33. */
class DimmScene {
  readonly k: Kernel;
  readonly dimm: number;

  constructor(profile: Profile, mmop: number) {
    this.k = bootTruth(profile);
    this.dimm = plugDimm(this.k, { name: 'PNP0C80:00', addr: 4 * GiB, size: 256 * MiB, nid: 1 });
    if (mmop !== MMOP.offline) for (const id of [32, 33]) runStraight(stateStore(this.k, id, mmop, 0));
  }

  get states(): string {
    return [32, 33].map((id) => MEM_NAMES[blockState(this.k, id)]).join(' ');
  }

  get ost(): string {
    return ostEvents(this.k, this.dimm).map(([, status]) => `0x${status.toString(16)}`).join(' ');
  }
}

const DIMM_ROWS: readonly TruthRow[] = [
  {
    id: 'B 7 add', says: 'hot add: System RAM without another name, blocks offline', seen: columns('5.10, 7.2', { effects: [], figures: { iomem: true, states: 'offline offline' } }),
    run: (profile) => {
      const s = new DimmScene(profile, MMOP.offline);
      return { effects: [], figures: { iomem: iomemText(s.k).includes('100000000-10fffffff : System RAM\n'), states: s.states } };
    },
  },
  ...(['idle', 'users', 'offline'] as const).map((state): TruthRow => ({
    id: `B 7 ${state}`, says: `device_del with blocks ${state === 'offline' ? 'offline' : `MOVABLE, ${state}`}: the kernel offlines, users move, OST 0x84 then 0, ejected`,
    seen: columns(state === 'users' ? '5.10, 7.2' : '7.2', { effects: ['clean'], figures: { ost: '0x84 0x0', present: false, intact: true, lines: 0 } }),
    run: (profile) => {
      const s = new DimmScene(profile, state === 'offline' ? MMOP.offline : MMOP.onlineMovable);
      const user = state === 'users' ? userAlloc(s.k, { name: 'h', kind: 'anon', nid: 1, folios: 16, order: 9, thisNode: true, value: 7 }) : 0;
      requestEject(s.k, s.dimm);
      const present = dimmPresent(s.k, s.dimm);
      const lines = s.k.log.since().filter((line) => line.text !== 'Offlined Pages 32768').length;
      return { effects: !present && !iomemText(s.k).includes('100000000-') ? ['clean'] : [], figures: { ost: s.ost, present, intact: user === 0 || userRead(s.k, user, 15) === 7, lines } };
    },
  })),
  {
    id: 'B 7 pinned', says: 'MOVABLE, 64 KiB spliced: OST 0x84, going-offline, loops; completes by itself when the pipe closes',
    seen: columns('5.10, 6.1, 7.2', { effects: ['never-ends'], figures: { ost: '0x84', block: 'going-offline', zones: 'Movable Normal', log: true, later: '0x84 0x0' } }),
    run: (profile) => {
      const s = new DimmScene(profile, MMOP.onlineMovable);
      const user = userAlloc(s.k, { name: 'h', kind: 'anon', nid: 1, folios: 256, order: 0, thisNode: true });
      spliceGet(s.k, user, 0, 16);
      const worker = requestEject(s.k, s.dimm);
      const waits = worker.state === 'waiting';
      const figures = { ost: s.ost, block: MEM_NAMES[blockState(s.k, 32)] as string, zones: validZones(s.k, 32), log: s.k.log.has('page dumped because: migration failure') };
      splicePut(s.k, user, 0, 16);
      threads(s.k).run();
      return { effects: waits && !dimmPresent(s.k, s.dimm) ? ['never-ends'] : [], figures: { ...figures, later: s.ost } };
    },
  },
  {
    id: 'B 7 veto', says: 'online_kernel with kernel pages: OST 0x84 then 0x82, slab page in the log, Offline failed, both blocks online again',
    seen: columns('7.2', { effects: ['veto'], figures: { ost: '0x84 0x82', slab: true, failed: true, states: 'online online', present: true } }),
    run: (profile) => {
      const s = new DimmScene(profile, MMOP.onlineKernel);
      allocContigKernel(s.k, 1, 1, TYPE.slab);
      requestEject(s.k, s.dimm);
      const figures = { ost: s.ost, slab: s.k.log.has('page_type: f5(slab)'), failed: s.k.log.has('memory memory32: Offline failed.'), states: s.states, present: dimmPresent(s.k, s.dimm) };
      return { effects: figures.present && s.ost.endsWith('0x82') ? ['veto'] : [], figures };
    },
  },
  {
    id: 'B 7 eject file', says: 'echo 1 > eject in that state: the write returns 0, OST source 0x103 status 0x82, nothing else changes',
    seen: columns('7.2', { effects: ['veto'], figures: { rc: 0, source: OST.ospmEject, status: OST.deviceBusy, states: 'online online' } }),
    run: (profile) => {
      const s = new DimmScene(profile, MMOP.onlineKernel);
      allocContigKernel(s.k, 1, 1, TYPE.slab);
      const rc = writeEject(s.k, s.dimm);
      const [source, status] = ostEvents(s.k, s.dimm).at(-1) ?? [0, 0];
      return { effects: dimmPresent(s.k, s.dimm) ? ['veto'] : [], figures: { rc, source, status, states: s.states } };
    },
  },
];

export const PART_B_HOTPLUG: readonly TruthRow[] = [...VIRTIO_ROWS, ...DIMM_ROWS];
