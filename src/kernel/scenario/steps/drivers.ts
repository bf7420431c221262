/** Unbind, bind, new_id, memory blocks, and the hardware's own ways to leave. */
import { UnseatError } from '../../../errors/unseat-error.ts';
import { rangeSize } from '../../../range/phys-range.ts';
import type { Namespace } from '../../../scenario/layout.ts';
import type { PhysRange } from '../../../range/phys-range.ts';
import { GiB } from '../../../range/units.ts';
import { openExclusive } from '../../fs/block.ts';
import { dimmPresent, ostEvents } from '../../drivers/acpi/memhotplug.ts';
import { stateStore } from '../../drivers/base/block-state.ts';
import { busDevices, deviceBus, deviceData, deviceDriver, driverCore } from '../../drivers/base/bus.ts';
import { bindStore, deviceAdd, deviceDel, unbindStore } from '../../drivers/base/dd.ts';
import { blockState, MEM, memoryBlocks } from '../../drivers/base/memory.ts';
import { MEMDEV } from '../../drivers/cxl/cxl.ts';
import { deviceDaxDriver } from '../../drivers/dax/bus.ts';
import { daxKmemInit } from '../../drivers/dax/kmem.ts';
import { acpiphpEject } from '../../drivers/pci/acpiphp.ts';
import { powerStore } from '../../drivers/pci/pciehp.ts';
import { SLOT, SLOT_KIND } from '../../drivers/pci/slot.ts';
import { vmPlugged } from '../../drivers/virtio/virtio_mem.ts';
import { EBUSY, ENODEV } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import type { Path } from '../../state/path.ts';
import { MMOP } from '../../mm/memory_hotplug/hotplug.ts';
import { destroyNamespaceOf } from '../../setup/devdax.ts';
import { plugDimm, requestEject, writeEject } from '../../setup/dimm.ts';
import { deviceDelByHost, putCardIn } from '../../setup/slot.ts';
import { hostUnplugRefused, requestSize } from '../../setup/virtio-mem.ts';
import { threads } from '../../threads.ts';
import { createLater, destroyLater } from '../later-namespaces.ts';
import { blocksOf, kernelMovesIn } from '../build-memory.ts';
import type { BuiltDevice, BuiltScenario } from '../built.ts';
import { DONE, fromRan, fromRc, inShell, notAvailable, type Seen } from './outcome.ts';

/** The device that a driver's `unbind` and `bind` files are about. */
function target(k: Kernel, device: BuiltDevice, driver: string | undefined): number {
  if (device.memdev === undefined) return device.dev;
  return k.heap.load(device.memdev + (driver === 'cxl_mem' ? MEMDEV.dev : MEMDEV.pci));
}

const numberOf = (k: Kernel, device: BuiltDevice, dev: number, driver: string | undefined): number => {
  // virtio_pmem and nd_pmem end in the same place here: the namespace of the device.
  if (driver === undefined || device.kind === 'virtio-pmem') return device.driver;
  return driverCore(k).find(deviceBus(k, dev).name, driver);
};

export function unbind(built: BuiltScenario, name: string, driver: string | undefined): Seen {
  const { k } = built.world;
  const device = built.built.get(name);
  if (device === undefined || device.dev === 0) return notAvailable(`${name} has no driver that could be unbound`);
  const dev = target(k, device, driver);
  const number = driver === undefined ? deviceDriver(k, dev) : numberOf(k, device, dev, driver);
  if (number === 0) return fromRc(-ENODEV);
  return inShell(k, `sh: unbind ${name}`, () => unbindStore(k, number, dev));
}

export function bind(built: BuiltScenario, name: string, driver: string | undefined): Seen {
  const { k } = built.world;
  const device = built.built.get(name);
  if (device === undefined || device.dev === 0) return notAvailable(`${name} has no driver that could be bound`);
  const dev = target(k, device, driver);
  if (!busDevices(k, deviceBus(k, dev).name).includes(dev)) return fromRc(-ENODEV);
  return inShell(k, `sh: bind ${name}`, () => bindStore(k, numberOf(k, device, dev, driver), dev));
}

export function newId(built: BuiltScenario, name: string, driver: 'kmem' | 'device_dax'): Seen {
  const { k } = built.world;
  const device = built.built.get(name);
  if (device === undefined || device.dev === 0 || deviceBus(k, device.dev).name !== 'dax') return notAvailable(`${name} is no dax device`);
  const now = deviceDriver(k, device.dev);
  if (now !== 0) inShell(k, `sh: unbind ${name}`, () => unbindStore(k, now, device.dev));
  const wanted = driver === 'kmem' ? daxKmemInit(k) : deviceDaxDriver(k);
  const seen = inShell(k, `sh: ${driver}/new_id`, () => bindStore(k, wanted, device.dev));
  if (seen.ending === 'returned') device.driver = wanted;
  return seen;
}

/** `ndctl destroy-namespace -f`: refuses while a file system is mounted, unbinds, and forgets the namespace. */
export function destroy(built: BuiltScenario, name: string): Seen {
  const { k, mounts } = built.world;
  const later = laterNamed(built, name);
  if (later !== undefined) return destroyLater(built, later) ? DONE : notAvailable(`${name} was not made`);
  const device = built.built.get(name);
  if (device === undefined || device.kind !== 'namespace') return notAvailable(`${name} is no namespace`);
  const at = built.scenario.filesystems.filter((f) => f.on === name).map((f) => f.at);
  if (mounts.all().some((m) => at.includes(m.point)) || (deviceBus(k, device.dev).name === 'nd' && openExclusive(k, deviceData(k, device.dev)) < 0)) return fromRc(-EBUSY);
  const bound = deviceDriver(k, device.dev);
  if (bound !== 0) {
    const seen = inShell(k, `ndctl: unbind ${name}`, () => unbindStore(k, bound, device.dev));
    if (seen.ending !== 'returned') return seen;
  }
  if (deviceBus(k, device.dev).name === 'dax') {
    const ran = fromRan(destroyNamespaceOf(k, device.dev));
    if (ran.ending !== 'returned') return ran;
  }
  return inShell(k, `ndctl: destroy ${name}`, () => deviceDel(k, device.dev));
}

const laterNamed = (built: BuiltScenario, name: string): Namespace | undefined => built.scenario.machine.namespaces.find((n) => n.name === name && n.later);

export function create(built: BuiltScenario, name: string): Seen {
  const { k } = built.world;
  const later = laterNamed(built, name);
  if (later !== undefined) {
    const usable = createLater(built, later);
    return usable === null ? { ending: 'refused' } : { ending: 'returned', value: String(usable) };
  }
  const device = built.built.get(name);
  if (device === undefined || device.kind !== 'namespace') return notAvailable(`${name} is no namespace`);
  if (deviceBus(k, device.dev) === undefined) throw new UnseatError('UNSUPPORTED', `a simulated machine cannot make ${name} again: a destroyed dax device is gone for good`, { next: 'Run the scenario in the lab.' });
  const { errno: _ndctl, ...seen } = inShell(k, `ndctl: create ${name}`, () => deviceAdd(k, device.dev));
  return seen;
}

export function plug(built: BuiltScenario, name: string): Seen {
  const { k } = built.world;
  const device = built.built.get(name);
  if (device?.slot !== undefined) {
    putCardIn(k, device.slot);
    threads(k).pass(6);
    return DONE;
  }
  if (device?.kind !== 'dimm' || device.range === null) return notAvailable(`${name} cannot be plugged into a running machine here`);
  const node = built.scenario.machine.dimms.find((d) => d.name === name)?.node ?? 0;
  const dimm = plugDimm(k, { name: 'PNP0C80:07', addr: device.range.start, size: rangeSize(device.range), nid: node });
  (built.built as Map<string, BuiltDevice>).set(name, { ...device, dimm });
  return DONE;
}

/** Asks the hardware to leave and waits for the host's word that it has, or that the guest refused. */
export function pull(built: BuiltScenario, name: string, seconds: number): Seen {
  const { k } = built.world;
  const device = built.built.get(name);
  if (device?.dimm !== undefined && device.dimm !== 0) return pullDimm(k, device.dimm, seconds);
  if (device?.vm !== undefined) return pullVirtioMem(k, device.vm, () => unbindStore(k, device.driver, device.dev));
  if (device?.slot === undefined) return notAvailable(`the host cannot take ${name} away`);
  deviceDelByHost(k, device.slot);
  threads(k).pass(seconds);
  const gone = k.heap.load(device.slot + SLOT.adapter) === 0 && k.heap.load(device.slot + SLOT.power) === 0;
  return gone ? { ending: 'returned', hardware: ['DEVICE_DELETED'] } : { ending: 'hangs', hardware: [] };
}

function pullVirtioMem(k: Kernel, vm: number, unbound: () => Path): Seen {
  if (hostUnplugRefused(k, vm)) return notAvailable('virtio-mem device cannot get unplugged while some of its memory is still plugged');
  const seen = inShell(k, 'device_del', unbound);
  return seen.ending === 'returned' ? { ...seen, hardware: ['DEVICE_DELETED'] } : seen;
}

function pullDimm(k: Kernel, dimm: number, seconds: number): Seen {
  const worker = requestEject(k, dimm);
  threads(k).pass(seconds);
  const hardware = ostEvents(k, dimm).map(([, status]) => `OST ${status}`);
  // _EJ0 takes the DIMM away; the last _OST comes after it (drivers/acpi/scan.c).
  if (!dimmPresent(k, dimm)) return { ending: 'returned', hardware: [...hardware.slice(0, -1), 'DEVICE_DELETED', ...hardware.slice(-1)] };
  return { ending: worker.state === 'waiting' ? 'hangs' : 'refused', hardware };
}

export function eject(built: BuiltScenario, name: string): Seen {
  const dimm = built.built.get(name)?.dimm;
  if (dimm === undefined || dimm === 0) return notAvailable(`${name} has no eject file`);
  writeEject(built.world.k, dimm);
  return DONE;
}

export function slotPower(built: BuiltScenario, name: string, power: 'on' | 'off'): Seen {
  const { k } = built.world;
  const slot = built.built.get(name)?.slot;
  if (slot === undefined) return notAvailable(`no slot holds ${name}`);
  const pciehp = k.heap.load(slot + SLOT.kind) === SLOT_KIND.pciehp;
  if (!pciehp && power === 'on') return notAvailable('an ACPI slot is powered on by plugging a card');
  const seen = inShell(k, 'sh: slot power', () => (pciehp ? powerStore(k, slot, power === 'on' ? 1 : 0) : acpiphpEject(k, slot)));
  const flag = (word: number): number => (k.heap.load(slot + word) === 0 ? 0 : 1);
  return { ...seen, hardware: [`power ${flag(SLOT.power)}`, `adapter ${flag(SLOT.adapter)}`] };
}

export function resize(built: BuiltScenario, name: string, bytes: number): Seen {
  const { k } = built.world;
  const vm = built.built.get(name)?.vm;
  if (vm === undefined) return notAvailable(`${name} is no virtio-mem device`);
  requestSize(k, vm, bytes);
  const size = vmPlugged(k, vm);
  return { ending: size === bytes ? 'returned' : 'hangs', hardware: [`size ${size}`] };
}

/** Writes to the state files of the blocks, in order, until one fails. `zone` null: offline. */
export function setBlocks(built: BuiltScenario, what: { device: string } | { block: number }, zone: 'movable' | 'kernel' | null): Seen {
  const { k } = built.world;
  const range: PhysRange | null = 'device' in what ? (built.built.get(what.device)?.range ?? null) : { start: what.block, end: what.block + 1 };
  const ids = range === null ? [] : blocksOf(k, range).filter((id) => memoryBlocks(k).find(id) !== 0);
  if (ids.length === 0) return notAvailable('there are no memory blocks');
  const word = zone === null ? MMOP.offline : zone === 'movable' ? MMOP.onlineMovable : MMOP.onlineKernel;
  for (const id of ids) {
    if (zone === null && 'device' in what && blockState(k, id) === MEM.offline) continue;
    const seen = inShell(k, `sh: memory${id}/state`, (signal) => stateStore(k, id, word, signal), true);
    if (seen.ending !== 'returned') return { ...seen, detail: `memory${id}: ${seen.detail ?? ''}` };
  }
  const blocks = ids.map((id) => ({ start: id * k.geo.memoryBlockSize, end: (id + 1) * k.geo.memoryBlockSize }));
  const added = blocks.at(-1);
  if (zone === 'kernel' && added !== undefined && added.start >= 4 * GiB) kernelMovesIn(k, added);
  return DONE;
}
