/** What a scenario has become: its names and what they stand for in the simulated kernel. */
import type { PhysRange } from '../../range/phys-range.ts';
import type { DeviceKind } from '../../scenario/layout.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { World } from '../host/world.ts';
import type { Started } from './start-process.ts';

export interface BuiltDevice {
  readonly name: string;
  readonly kind: DeviceKind;
  /** Bytes, half open; for memory through kmem the whole device. Null for what has no memory. */
  readonly range: PhysRange | null;
  /** The device whose driver makes it work: heap address, 0 where there is none. */
  readonly dev: number;
  /** Driver of `dev` at the start: heap number. */
  driver: number;
  /** Heap address of the DIMM, virtio_mem, CXL memdev or region, or slot, where it is one or has one. */
  readonly dimm?: number;
  readonly vm?: number;
  readonly memdev?: number;
  readonly region?: number;
  readonly slot?: number;
}

export interface BuiltScenario {
  readonly world: World;
  readonly scenario: Scenario;
  /** Heap address of the device of each namespace and card, by its name in the scenario. */
  readonly devices: ReadonlyMap<string, number>;
  readonly built: ReadonlyMap<string, BuiltDevice>;
  /** Super block by mount point. */
  readonly supers: Map<string, number>;
  readonly processes: Map<string, Started>;
  /** Processes that wait in the kernel for what will not come. */
  readonly stuck: Set<string>;
  /** Security domain of who starts programs and makes file systems now: 1 until mkfs gives a device to the next owner. */
  domain: number;
}
