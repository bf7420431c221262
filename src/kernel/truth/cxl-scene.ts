/** The CXL machine of part B, section 8: one type-3 card behind a native hotplug slot, one region on it. */
import type { Profile } from '../../profile/profile.ts';
import { GiB, MiB } from '../../range/units.ts';
import { deviceDriver } from '../drivers/base/bus.ts';
import { stateStore } from '../drivers/base/block-state.ts';
import { unbindStore } from '../drivers/base/dd.ts';
import { blockState, MEM } from '../drivers/base/memory.ts';
import { MEMDEV } from '../drivers/cxl/cxl.ts';
import { SLOT } from '../drivers/pci/slot.ts';
import type { Kernel } from '../kernel.ts';
import { MMOP } from '../mm/memory_hotplug/hotplug.ts';
import { userAlloc, userPagesIn, userRead } from '../mm/ram-user.ts';
import type { RegionMode } from '../drivers/cxl/cxl.ts';
import { cxlWindow, makeMemdev, makeRegion } from '../setup/cxl.ts';
import { deviceDelByHost, makeSlot } from '../setup/slot.ts';
import { runStraight } from '../state/path.ts';
import { threads } from '../threads.ts';
import { bootTruth } from './ram-scene.ts';
import type { Seen } from './row.ts';

export const CXL_START = 0x690000000;
export const CXL_SIZE = 512 * MiB;
export const CXL_BLOCKS = [0, 1, 2, 3].map((i) => CXL_START / (128 * MiB) + i);

export class CxlScene {
  readonly k: Kernel;
  readonly mem0: number;
  readonly slot: number;
  readonly region: number;

  constructor(profile: Profile, mode: RegionMode) {
    this.k = bootTruth(profile);
    cxlWindow(this.k, 0, CXL_START, CXL_START + 4 * GiB);
    this.mem0 = makeMemdev(this.k, { name: 'mem0', pciName: '0000:0d:00.0' });
    this.slot = makeSlot(this.k, { name: '2', kind: 'pciehp', dev: this.k.heap.load(this.mem0 + MEMDEV.pci) });
    this.region = makeRegion(this.k, { name: 'region0', start: CXL_START, end: CXL_START + CXL_SIZE, mode, targets: [this.mem0], nid: 1 });
  }

  /** All four blocks online_movable, a process with 16 MiB on them. */
  asRam(): number {
    for (const id of CXL_BLOCKS) runStraight(stateStore(this.k, id, MMOP.onlineMovable, 0));
    return userAlloc(this.k, { name: 'h', kind: 'anon', nid: 1, folios: 8, order: 9, thisNode: true, value: 77 });
  }

  unbind(which: 'cxl_mem' | 'cxl_pci'): number {
    const dev = this.k.heap.load(this.mem0 + (which === 'cxl_mem' ? MEMDEV.dev : MEMDEV.pci));
    return runStraight(unbindStore(this.k, deviceDriver(this.k, dev), dev));
  }

  /** QEMU device_del, and what comes after five seconds. */
  hotUnplug(): { readonly power: number; readonly adapter: number } {
    deviceDelByHost(this.k, this.slot);
    threads(this.k).pass(5.2);
    return { power: this.k.heap.load(this.slot + SLOT.power), adapter: this.k.heap.load(this.slot + SLOT.adapter) };
  }

  get onlineBlocks(): number {
    return CXL_BLOCKS.filter((id) => blockState(this.k, id) === MEM.online).length;
  }

  /** What has become of the memory under a process that holds `user`. */
  ramEffects(user: number): Seen['effects'] {
    const { k } = this;
    const found: Seen['effects'][number][] = [];
    if (k.log.has('cannot be hotremoved until the next reboot')) found.push('region-leaked');
    if (userRead(k, user, 3) !== 77) found.push('reads-zero');
    const fresh = this.onlineBlocks > 0 ? userAlloc(k, { name: 'new', kind: 'anon', nid: 1, folios: 1, order: 9, thisNode: true, value: 9 }) : 0;
    const there = fresh !== 0 && userPagesIn(k, fresh, CXL_START / 4096, (CXL_START + CXL_SIZE) / 4096) > 0;
    if (there && userRead(k, fresh, 0) !== 9) found.push('allocator-continues');
    return found.length === 0 ? ['clean'] : found;
  }
}
