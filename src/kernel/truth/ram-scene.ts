/** The machine of part B, sections 3 and 5: 2 GiB of RAM on node 0, and a node 1 that has no memory of its own. */
import type { Profile } from '../../profile/profile.ts';
import { MiB } from '../../range/units.ts';
import { stateStore } from '../drivers/base/block-state.ts';
import { blockState, MEM, memoryBlocks } from '../drivers/base/memory.ts';
import { bindStore, unbindStore } from '../drivers/base/dd.ts';
import { daxKmemInit } from '../drivers/dax/kmem.ts';
import { createDevDax } from '../drivers/dax/dev_dax.ts';
import { deviceDaxDriver } from '../drivers/dax/bus.ts';
import { errnoName } from '../errno.ts';
import type { Kernel } from '../kernel.ts';
import { MMOP } from '../mm/memory_hotplug/hotplug.ts';
import { userAlloc, userFolios, userPagesIn, userRead, type UserKind } from '../mm/ram-user.ts';
import { iomemText } from '../resource.ts';
import { bootMachine, pmemResource, type MachineInput } from '../setup/boot-machine.ts';
import { runStraight, type Path } from '../state/path.ts';
import { threads, type Thread } from '../threads.ts';

/** RAM as QEMU gives it to a 2 GiB machine: the last block has a hole of 37 pages. */
export const RAM_2G = [{ start: MiB, end: 0x7ffdb000, nid: 0 }] as const;
export const DAX_START = 0x100200000;
export const DAX_END = 0x120000000;
/** Pages of the kmem blocks, as pfns. */
export const KMEM_PFNS = [0x108000, 0x120000] as const;

export const bootTruth = (profile: Profile, over: Partial<MachineInput> = {}): Kernel => bootMachine({ profile, ram: RAM_2G, ...over });

export const offline = (k: Kernel, id: number): number => runStraight(stateStore(k, id, MMOP.offline, 0));
export const errno = (rc: number): string => (rc >= 0 ? 'ok' : errnoName(rc));

/** A write to `state` in a shell that can be interrupted. */
export const offlineShell = (k: Kernel, id: number): Thread => threads(k).spawn('sh', (signal) => stateStore(k, id, MMOP.offline, signal));

/** devdax namespace of 512 MiB on node 1, unbound from device_dax, given to kmem by new_id; auto_online_blocks offline. */
export class KmemScene {
  readonly k: Kernel;
  readonly dev: number;
  readonly kmem: number;
  readonly deviceDax: number;
  /** /proc/iomem before kmem took the device. */
  readonly iomem: string;

  constructor(profile: Profile, over: Partial<MachineInput> = {}) {
    this.k = bootTruth(profile, over);
    pmemResource(this.k, { start: 0x100000000, end: DAX_END }, 'Persistent Memory');
    this.deviceDax = deviceDaxDriver(this.k);
    this.kmem = daxKmemInit(this.k);
    this.dev = runStraight(createDevDax(this.k, { name: 'dax0.0', ranges: [{ start: DAX_START, end: DAX_END }], targetNode: 1 }));
    this.run(unbindStore(this.k, this.deviceDax, this.dev));
    this.iomem = iomemText(this.k);
    this.run(bindStore(this.k, this.kmem, this.dev));
  }

  run(path: Path<number>): number {
    return runStraight(path);
  }

  get blocks(): number[] {
    return [...memoryBlocks(this.k).all()].filter((id) => id >= 32);
  }

  /** Onlines all blocks of the device. */
  online(mmop: number): void {
    for (const id of this.blocks) runStraight(stateStore(this.k, id, mmop, 0));
  }

  /** A process with `folios` of 2 MiB (order 9) or 4 KiB (order 0) on node 1, each holding `value`. */
  user(kind: UserKind, folios: number, order: number, value = 7): number {
    return userAlloc(this.k, { name: kind, kind, nid: 1, folios, order, thisNode: true, value });
  }

  /** Pages of the user on the device. */
  pagesHere(user: number): number {
    return userPagesIn(this.k, user, KMEM_PFNS[0], KMEM_PFNS[1]);
  }

  /** Whether the user still reads what it wrote. */
  intact(user: number, value = 7): boolean {
    for (let slot = 0; slot < userFolios(this.k, user); slot += 1) if (userRead(this.k, user, slot) !== value) return false;
    return true;
  }

  states(): string {
    return this.blocks.map((id) => (blockState(this.k, id) === MEM.online ? 'on' : 'off')).join(' ');
  }
}
