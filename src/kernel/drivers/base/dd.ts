/**
 * Binding and unbinding (drivers/base/dd.c, bus.c, core.c; 5.10 to 7.2). "9a": a driver's ->remove() cannot fail. Its
 * result is not looked at, its managed resources are released whatever it did, and the write to `unbind` returns
 * success.
 */
import { EBUSY, ENODEV } from '../../errno.ts';
import type { Kernel } from '../../kernel.ts';
import { devPrintk, KERN_INFO } from '../../printk.ts';
import { lock, unlock } from '../../state/lock.ts';
import { AT, type Path } from '../../state/path.ts';
import { DEV, DEV_ADDED, DEV_DEAD, deviceBus, deviceDriver, deviceName, driverCore } from './bus.ts';
import { devresReleaseAll } from './devres.ts';

const deviceLock = (k: Kernel, dev: number): Path<void> => lock(k, dev + DEV.lock, 'device_lock');
const deviceUnlock = (k: Kernel, dev: number): void => unlock(k, dev + DEV.lock);

/** really_probe, with the device lock held: 0 bound, -errno refused (and nothing of the driver is left). */
export function* reallyProbe(k: Kernel, dev: number, driver: number): Path<number> {
  const core = driverCore(k);
  k.heap.store(dev + DEV.driver, driver);
  const ret = yield* k.call(core.driver(driver).probe, dev);
  if (ret >= 0) return 0;
  if (ret !== -ENODEV) devPrintk(k, KERN_INFO, core.driver(driver).name, deviceName(k, dev), `probe with driver ${core.driver(driver).name} failed with error ${ret}`);
  yield* devresReleaseAll(k, dev);
  k.heap.store(dev + DEV.driver, 0);
  k.heap.store(dev + DEV.drvdata, 0);
  return ret;
}

const matches = (k: Kernel, dev: number, driver: number): boolean => driverCore(k).driver(driver).matches?.(k, dev) ?? true;

/** device_attach: the first driver of the bus that takes the device. 1 bound, 0 none did. */
export function* deviceAttach(k: Kernel, dev: number): Path<number> {
  yield* deviceLock(k, dev);
  let bound = deviceDriver(k, dev) === 0 ? 0 : 1;
  if (bound === 0 && (k.heap.load(dev + DEV.state) & DEV_DEAD) === 0) {
    for (const driver of deviceBus(k, dev).drivers) {
      const core = driverCore(k);
      if (!core.isLoaded(driver) || core.driver(driver).manual === true || !matches(k, dev, driver)) continue;
      if ((yield* reallyProbe(k, dev, driver)) === 0) {
        bound = 1;
        break;
      }
    }
  }
  deviceUnlock(k, dev);
  return bound;
}

/** device_add: puts the device on its bus and under its parent, and lets drivers try it. */
export function* deviceAdd(k: Kernel, dev: number): Path<number> {
  const bus = deviceBus(k, dev);
  append(k, bus.devices, DEV.next, dev);
  const parent = k.heap.load(dev + DEV.parent);
  if (parent !== 0) append(k, parent + DEV.child, DEV.sibling, dev);
  k.heap.store(dev + DEV.state, DEV_ADDED);
  yield* k.call(deviceAttach, dev);
  return 0;
}

/** device_del and put_device: the driver lets go, the device leaves bus and parent; freed with its last reference. */
export function* deviceDel(k: Kernel, dev: number): Path<number> {
  yield* deviceLock(k, dev);
  k.heap.store(dev + DEV.state, k.heap.load(dev + DEV.state) | DEV_DEAD);
  deviceUnlock(k, dev);
  yield* k.call(deviceReleaseDriver, dev);
  unlink(k, deviceBus(k, dev).devices, DEV.next, dev);
  const parent = k.heap.load(dev + DEV.parent);
  if (parent !== 0) unlink(k, parent + DEV.child, DEV.sibling, dev);
  yield* devresReleaseAll(k, dev);
  putDevice(k, dev);
  return 0;
}

export const getDevice = (k: Kernel, dev: number): void => void k.heap.add(dev + DEV.refcount, 1);

/** put_device: frees the device with its last reference. */
export function putDevice(k: Kernel, dev: number): void {
  if (k.heap.add(dev + DEV.refcount, -1) === 0) driverCore(k).slab.free(dev);
}

/**
 * __device_release_driver: ->remove() runs, its result is dropped, managed resources are released, the driver is gone.
 */
export function* deviceReleaseDriver(k: Kernel, dev: number): Path<number> {
  yield* deviceLock(k, dev);
  const driver = deviceDriver(k, dev);
  if (driver !== 0) {
    if (k.concurrent) yield AT('__device_release_driver: remove');
    const ret = yield* k.call(driverCore(k).driver(driver).remove, dev);
    if (ret < 0 && k.mechanism('bus.unbind-can-fail')) {
      deviceUnlock(k, dev);
      return ret;
    }
    yield* devresReleaseAll(k, dev);
    k.heap.store(dev + DEV.drvdata, 0);
    k.heap.store(dev + DEV.driver, 0);
  }
  deviceUnlock(k, dev);
  return 0;
}

/** `echo NAME > /sys/bus/B/drivers/D/unbind`: 0, or -ENODEV where the device is not bound to that driver. */
export function* unbindStore(k: Kernel, driver: number, dev: number): Path<number> {
  if (dev === 0 || deviceDriver(k, dev) !== driver) return -ENODEV;
  return yield* k.call(deviceReleaseDriver, dev);
}

/** `echo NAME > /sys/bus/B/drivers/D/bind`. Before 5.14 a probe that failed makes it -ENODEV, whatever the probe said. */
export function* bindStore(k: Kernel, driver: number, dev: number): Path<number> {
  if (dev === 0 || !matches(k, dev, driver) || !driverCore(k).isLoaded(driver)) return -ENODEV;
  yield* deviceLock(k, dev);
  let ret = -EBUSY;
  if (deviceDriver(k, dev) === 0 && (k.heap.load(dev + DEV.state) & DEV_DEAD) === 0) ret = yield* reallyProbe(k, dev, driver);
  else if (!k.mechanism('bus.bind-returns-probe-error')) ret = -ENODEV;
  deviceUnlock(k, dev);
  if (ret < 0 && !k.mechanism('bus.bind-returns-probe-error')) return -ENODEV;
  return ret;
}

/** driver_unregister (rmmod): unbinds every device of the driver; it takes no new one. */
export function* driverUnregister(k: Kernel, driver: number): Path<number> {
  const core = driverCore(k);
  core.setLoaded(driver, false);
  for (let dev = k.heap.load(core.busOf(driver).devices); dev !== 0;) {
    const next = k.heap.load(dev + DEV.next);
    if (deviceDriver(k, dev) === driver) yield* k.call(deviceReleaseDriver, dev);
    dev = next;
  }
  return 0;
}

/** driver_register again (modprobe): the driver is offered every device of its bus that has none. */
export function* driverLoad(k: Kernel, driver: number): Path<number> {
  const core = driverCore(k);
  core.setLoaded(driver, true);
  for (let dev = k.heap.load(core.busOf(driver).devices); dev !== 0; dev = k.heap.load(dev + DEV.next)) {
    if (deviceDriver(k, dev) === 0) yield* k.call(deviceAttach, dev);
  }
  return 0;
}

function append(k: Kernel, head: number, next: number, dev: number): void {
  let link = head;
  while (k.heap.load(link) !== 0) link = k.heap.load(link) + next;
  k.heap.store(link, dev);
  k.heap.store(dev + next, 0);
}

function unlink(k: Kernel, head: number, next: number, dev: number): void {
  for (let link = head; k.heap.load(link) !== 0; link = k.heap.load(link) + next) {
    if (k.heap.load(link) !== dev) continue;
    k.heap.store(link, k.heap.load(dev + next));
    return;
  }
}

