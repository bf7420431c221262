/**
 * Buses, devices and drivers (drivers/base/{bus,core,dd,driver}.c; 5.10 to 7.2). A device is a heap object; a bus and a
 * driver are constants of a kernel that refer to functions, registered at set-up and named by number in the heap.
 */
import type { Kernel } from '../../kernel.ts';
import { loadLong, storeLong } from '../../state/long.ts';
import type { PathFunction } from '../../state/path.ts';
import { Slab } from '../../state/slab.ts';

/** Words of a `struct device`. */
export const DEV = {
  name: 0,
  bus: 1,
  /** Number of the bound driver, 0 for none. */
  driver: 2,
  parent: 3,
  /** First child, and the next child of the same parent. */
  child: 4,
  sibling: 5,
  /** Next on the same bus. */
  next: 6,
  /** device_lock. */
  lock: 7,
  /** 1 on its bus, 2 when device_del has begun. */
  state: 8,
  /** What the subsystem keeps for the device: a heap address of its own struct. */
  data: 9,
  /** dev_set_drvdata. */
  drvdata: 10,
  devres: 11,
  /** `dev->offline` and `dev->offline_disabled`. */
  offline: 12,
  numaNode: 13,
  /** Two words more for the subsystem (a long). */
  value: 14,
  refcount: 16,
  words: 17,
} as const;

export const DEV_ADDED = 1;
export const DEV_DEAD = 2;

export interface Driver {
  readonly name: string;
  /** 0, or -errno. Argument: the device. */
  readonly probe: PathFunction<Kernel>;
  /** Its result is not looked at: the core cannot undo a removal. Argument: the device. */
  readonly remove: PathFunction<Kernel>;
  /** Whether the driver takes the device at all (bus->match); every device where absent. */
  readonly matches?: (k: Kernel, dev: number) => boolean;
  /** True for drivers that new devices are not bound to by themselves (drivers_autoprobe off, or by new_id only). */
  readonly manual?: boolean;
}

export interface Bus {
  readonly name: string;
  readonly number: number;
  /** Heap word: first device. */
  readonly devices: number;
  /** Driver numbers, in order of registration. */
  readonly drivers: number[];
}

export class DriverCore {
  readonly slab: Slab;
  readonly buses: Bus[] = [];
  readonly drivers: Driver[] = [];
  private readonly driverBus: Bus[] = [];
  /** Heap words: 1 while the driver is registered (its module is loaded). */
  private readonly loaded: number[] = [];
  /** device_hotplug_lock. */
  readonly hotplugLock: number;
  private readonly k: Kernel;

  constructor(k: Kernel) {
    this.k = k;
    this.slab = new Slab(k.heap, 'device', DEV.words);
    this.hotplugLock = k.heap.reserve(1);
  }

  bus(name: string): Bus {
    let bus = this.buses.find((b) => b.name === name);
    if (bus === undefined) {
      bus = { name, number: this.buses.length + 1, devices: this.k.heap.reserve(1), drivers: [] };
      this.buses.push(bus);
    }
    return bus;
  }

  /** driver_register; the number that stands for the driver in this kernel. The same driver is registered once. */
  register(busName: string, driver: Driver): number {
    const known = this.drivers.indexOf(driver);
    if (known >= 0) return known + 1;
    const bus = this.bus(busName);
    this.drivers.push(driver);
    this.driverBus.push(bus);
    const word = this.k.heap.reserve(1);
    this.k.heap.store(word, 1);
    this.loaded.push(word);
    bus.drivers.push(this.drivers.length);
    return this.drivers.length;
  }

  driver(number: number): Driver {
    return this.drivers[number - 1] as Driver;
  }

  /** Number of the driver of that name on a bus, 0 where there is none. */
  find(busName: string, driverName: string): number {
    return this.bus(busName).drivers.find((n) => this.driver(n).name === driverName) ?? 0;
  }

  busOf(driver: number): Bus {
    return this.driverBus[driver - 1] as Bus;
  }

  isLoaded(driver: number): boolean {
    return this.k.heap.load(this.loaded[driver - 1] as number) !== 0;
  }

  setLoaded(driver: number, loaded: boolean): void {
    this.k.heap.store(this.loaded[driver - 1] as number, loaded ? 1 : 0);
  }
}

export const driverCore = (k: Kernel): DriverCore => k.part(makeDriverCore);
const makeDriverCore = (k: Kernel): DriverCore => new DriverCore(k);

export interface DeviceInput {
  readonly bus: string;
  readonly name: string;
  readonly parent?: number;
  readonly data?: number;
  readonly numaNode?: number;
}

/** device_initialize: a device that is on no bus yet. 0 when memory is short. */
export function deviceAlloc(k: Kernel, input: DeviceInput): number {
  if (!k.mayAllocate()) return 0;
  const core = driverCore(k);
  const dev = core.slab.alloc();
  k.heap.store(dev + DEV.name, k.names.of(input.name));
  k.heap.store(dev + DEV.bus, core.bus(input.bus).number);
  k.heap.store(dev + DEV.parent, input.parent ?? 0);
  k.heap.store(dev + DEV.data, input.data ?? 0);
  k.heap.store(dev + DEV.numaNode, input.numaNode ?? -1);
  k.heap.store(dev + DEV.refcount, 1);
  return dev;
}

export const deviceName = (k: Kernel, dev: number): string => k.names.text(k.heap.load(dev + DEV.name));
export const deviceBus = (k: Kernel, dev: number): Bus => driverCore(k).buses[k.heap.load(dev + DEV.bus) - 1] as Bus;
export const deviceDriver = (k: Kernel, dev: number): number => k.heap.load(dev + DEV.driver);
export const deviceData = (k: Kernel, dev: number): number => k.heap.load(dev + DEV.data);
export const deviceValue = (k: Kernel, dev: number): number => loadLong(k.heap, dev + DEV.value);
export const setDeviceValue = (k: Kernel, dev: number, value: number): void => storeLong(k.heap, dev + DEV.value, value);
/** `driver device`, as dev_printk begins a line. */
export const deviceLabel = (k: Kernel, dev: number): string => {
  const driver = deviceDriver(k, dev);
  return `${driver === 0 ? deviceBus(k, dev).name : driverCore(k).driver(driver).name} ${deviceName(k, dev)}`;
};

/** Devices on a bus, in order of arrival. */
export function busDevices(k: Kernel, busName: string): number[] {
  const found: number[] = [];
  for (let dev = k.heap.load(driverCore(k).bus(busName).devices); dev !== 0; dev = k.heap.load(dev + DEV.next)) found.push(dev);
  return found;
}

/** bus_find_device_by_name; 0 where there is none. */
export const findDevice = (k: Kernel, busName: string, name: string): number => busDevices(k, busName).find((dev) => deviceName(k, dev) === name) ?? 0;

/** Children of a device, in order of arrival. */
export function deviceChildren(k: Kernel, dev: number): number[] {
  const found: number[] = [];
  for (let child = k.heap.load(dev + DEV.child); child !== 0; child = k.heap.load(child + DEV.sibling)) found.push(child);
  return found;
}
