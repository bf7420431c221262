/**
 * Every kind of device comes and goes without a trace: with an allocation that fails at any point of its coming or going,
 * and in any sequence with the others.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RELEASES } from '../../profile/releases/index.ts';
import type { Profile } from '../../profile/profile.ts';
import { GiB, MiB } from '../../range/units.ts';
import { dimmPresent } from '../drivers/acpi/memhotplug.ts';
import { stateStore } from '../drivers/base/block-state.ts';
import { deviceDriver, driverCore } from '../drivers/base/bus.ts';
import { bindStore, unbindStore } from '../drivers/base/dd.ts';
import { blockState, memoryBlocks, MEM } from '../drivers/base/memory.ts';
import { REGION, regionCommitted, type RegionMode } from '../drivers/cxl/cxl.ts';
import { commitStore } from '../drivers/cxl/region.ts';
import { createDevDax } from '../drivers/dax/dev_dax.ts';
import { daxKmemInit } from '../drivers/dax/kmem.ts';
import { createVirtioMem, VM, vmPlugged } from '../drivers/virtio/virtio_mem.ts';
import type { Kernel } from '../kernel.ts';
import { iomemText } from '../resource.ts';
import { bootMachine } from '../setup/boot-machine.ts';
import { cxlDisableRegion, cxlWindow, makeMemdev, makeRegion } from '../setup/cxl.ts';
import { addDevDax, bindDevDax, unbindDevDax } from '../setup/devdax.ts';
import { plugDimm, requestEject } from '../setup/dimm.ts';
import { addPmem, bindPmem, unbindPmem } from '../setup/fsdax.ts';
import { requestSize } from '../setup/virtio-mem.ts';
import { runStraight, type Path } from '../state/path.ts';
import { threads } from '../threads.ts';
import { brokenInvariants, traceOf } from './invariants.ts';
import { MMOP } from './memory_hotplug/hotplug.ts';
import { pagemapsOf } from './memremap.ts';

/** A device that is there and that no driver has. `come` and `go` are what somebody writes; 0 or -errno. */
interface Device {
  readonly come: () => number;
  readonly go: () => number;
  readonly here: () => boolean;
  /** First byte and bytes of the memory that it brings, where it becomes System RAM. */
  readonly ram?: readonly [number, number];
}

/** As in hotplug.property.test.ts: real kernels leave sections behind when a later one fails. */
function machine(name: string, autoOnline: 'offline' | 'online_movable' = 'offline'): Kernel {
  const profile = RELEASES.find((p) => p.name === name) as Profile;
  const mechanisms = { ...profile.mechanisms, 'section.add-pages-reverts': { value: true, source: 'test' } } as Profile['mechanisms'];
  return bootMachine({ profile: { ...profile, mechanisms }, ram: [{ start: 0, end: GiB, nid: 0 }], nodes: 4, autoOnline, quietLog: true });
}

const bound = (k: Kernel, dev: number) => (): boolean => deviceDriver(k, dev) !== 0;
function offlineAll(k: Kernel, [start, size]: readonly [number, number]): void {
  for (const id of memoryBlocks(k).all()) {
    const at = id * k.geo.memoryBlockSize;
    if (at >= start && at < start + size && blockState(k, id) === MEM.online) runStraight(stateStore(k, id, MMOP.offline, 0));
  }
}

const KINDS: Readonly<Record<string, { readonly from: readonly string[]; readonly make: (k: Kernel) => Device }>> = {
  fsdax: {
    from: ['5.10', '6.1', '6.12', '7.2'],
    make: (k) => {
      const dev = addPmem(k, { start: 4 * GiB, size: 192 * MiB, map: 'dev' });
      unbindPmem(k, dev);
      return { come: () => bindPmem(k, dev).rc, go: () => unbindPmem(k, dev).rc, here: bound(k, dev) };
    },
  },
  devdax: {
    from: ['5.10', '6.1', '6.12', '7.2'],
    make: (k) => {
      const dev = addDevDax(k, { name: 'dax1.0', start: 4 * GiB + 192 * MiB, size: 192 * MiB });
      unbindDevDax(k, dev);
      return { come: () => bindDevDax(k, dev).rc, go: () => unbindDevDax(k, dev).rc, here: bound(k, dev) };
    },
  },
  kmem: {
    from: ['5.10', '6.1', '6.12', '7.2'],
    make: (k) => {
      const driver = daxKmemInit(k);
      const dev = runStraight(createDevDax(k, { name: 'dax2.0', ranges: [{ start: 5 * GiB, end: 5 * GiB + 256 * MiB }], targetNode: 1 }));
      // Where device_dax is loaded it takes a new dax device by itself.
      if (deviceDriver(k, dev) !== 0) runStraight(unbindStore(k, deviceDriver(k, dev), dev));
      const ram = [5 * GiB, 256 * MiB] as const;
      return { ram, come: () => runStraight(bindStore(k, driver, dev)), go: () => { offlineAll(k, ram); return runStraight(unbindStore(k, driver, dev)); }, here: bound(k, dev) };
    },
  },
  'virtio-mem': {
    from: ['5.10', '6.1', '6.12', '7.2'],
    make: (k) => {
      const vm = runStraight(createVirtioMem(k, { name: 'virtio1', addr: 6 * GiB, size: GiB, nid: 2 }));
      const dev = k.heap.load(vm + VM.dev);
      const driver = driverCore(k).find('virtio', 'virtio_mem');
      runStraight(unbindStore(k, driver, dev));
      const ram = [6 * GiB, GiB] as const;
      const come = (): number => {
        if (deviceDriver(k, dev) === 0 && runStraight(bindStore(k, driver, dev)) < 0) return -1;
        requestSize(k, vm, 256 * MiB);
        return vmPlugged(k, vm) === 256 * MiB ? 0 : -1;
      };
      const go = (): number => {
        requestSize(k, vm, 0);
        // A host that asks again, as the retry timer does, when an allocation has failed in between.
        for (let i = 0; i < 3 && vmPlugged(k, vm) !== 0; i += 1) threads(k).run();
        return vmPlugged(k, vm) !== 0 ? -1 : deviceDriver(k, dev) === 0 ? 0 : runStraight(unbindStore(k, driver, dev));
      };
      return { ram, come, go, here: bound(k, dev) };
    },
  },
  CXL: {
    from: ['6.12', '7.2'],
    make: (k) => {
      cxlWindow(k, 0, 8 * GiB, 9 * GiB);
      const mem0 = makeMemdev(k, { name: 'mem0', pciName: '0000:0d:00.0' });
      const region = makeRegion(k, { name: 'region0', start: 8 * GiB, end: 8 * GiB + 256 * MiB, mode: 'ram' as RegionMode, targets: [mem0], nid: 3 });
      const dev = k.heap.load(region + REGION.dev);
      const driver = deviceDriver(k, dev);
      const off = (): number => runStraight(cxlDisableRegion(k, region));
      off();
      const come = (): number => {
        const committed = regionCommitted(k, region) ? 0 : runStraight(commitStore(k, region, 1));
        return committed < 0 ? committed : deviceDriver(k, dev) !== 0 ? 0 : runStraight(bindStore(k, driver, dev));
      };
      return { ram: [8 * GiB, 256 * MiB], come, go: off, here: () => regionCommitted(k, region) };
    },
  },
  DIMM: {
    from: ['5.10', '6.1', '6.12', '7.2'],
    make: (k) => {
      let dimm = 0;
      const here = (): boolean => dimm !== 0 && dimmPresent(k, dimm);
      const come = (): number => {
        dimm = plugDimm(k, { name: 'PNP0C80:00', addr: 10 * GiB, size: 256 * MiB, nid: 1 });
        return here() ? 0 : -1;
      };
      const go = (): number => {
        requestEject(k, dimm);
        return here() ? -1 : 0;
      };
      return { ram: [10 * GiB, 256 * MiB], come, go, here };
    },
  },
};

/** All that a device may not leave behind. */
const trace = (k: Kernel): string => `${traceOf(k)}\n${iomemText(k)}\npagemaps ${pagemapsOf(k).slab.used}`;

for (const [what, { from, make }] of Object.entries(KINDS)) {
  test(`7f: ${what}: an allocation that fails at any point of its coming leaves no trace, and the next try works`, () => {
    for (const name of from) {
      let failed = 0;
      for (let n = 1; ; n += 1) {
        const k = machine(name, what === 'virtio-mem' ? 'online_movable' : 'offline');
        const device = make(k);
        const before = trace(k);
        k.failAllocation(n);
        const rc = device.come();
        const reached = !k.failurePending;
        k.failAllocation(0);
        assert.deepEqual(brokenInvariants(k), [], `${name}, allocation ${n}`);
        if (rc < 0 && !device.here()) assert.equal(trace(k), before, `${name}, allocation ${n}`);
        if (rc < 0) failed += 1;
        if (!device.here()) assert.equal(device.come(), 0, `${name}, allocation ${n}, the next try`);
        assert.equal(device.go(), 0, `${name}, allocation ${n}, going`);
        assert.equal(trace(k), before, `${name}, allocation ${n}, gone`);
        if (!reached) break;
        assert.ok(n < 200);
      }
      assert.ok(failed > 0, `${name}: no allocation was found that matters`);
    }
  });

  test(`7f: ${what}: an allocation that fails at any point of its going stops nothing for good`, () => {
    for (const name of from) {
      for (let n = 1; ; n += 1) {
        const k = machine(name, 'online_movable');
        const device = make(k);
        const before = trace(k);
        assert.equal(device.come(), 0);
        k.failAllocation(n);
        const rc = device.go();
        const reached = !k.failurePending;
        k.failAllocation(0);
        assert.deepEqual(brokenInvariants(k), [], `${name}, allocation ${n}`);
        if (rc < 0) assert.equal(device.go(), 0, `${name}, allocation ${n}, the next try`);
        assert.equal(trace(k), before, `${name}, allocation ${n}, gone`);
        if (!reached) break;
        assert.ok(n < 200);
      }
    }
  });
}

type Op = readonly [what: 'come' | 'go' | 'online' | 'offline', which: number, fails: number];
const op = fc.tuple(fc.constantFrom<Op[0]>('come', 'come', 'go', 'online', 'offline'), fc.nat(5), fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 })));

function step(k: Kernel, devices: readonly Device[], [what, which, fails]: Op): void {
  const device = devices[which % devices.length] as Device;
  const ids = [...memoryBlocks(k).all()].filter((id) => id * k.geo.memoryBlockSize >= 4 * GiB);
  const id = ids[which % Math.max(1, ids.length)];
  const store = (state: number): Path => stateStore(k, id as number, state, 0);
  k.failAllocation(fails);
  if (what === 'come' && !device.here()) device.come();
  else if (what === 'go' && device.here()) device.go();
  else if (what === 'online' && id !== undefined) runStraight(store(MMOP.onlineMovable));
  else if (what === 'offline' && id !== undefined) runStraight(store(MMOP.offline), () => true);
  k.failAllocation(0);
}

for (const name of ['5.10', '6.12', '7.2']) {
  test(`7f, 8a: all kinds of devices, any sequence, any allocation failing: nothing is out of balance, and all go without a trace (${name})`, () => {
    fc.assert(fc.property(fc.array(op, { maxLength: 25 }), (ops) => {
      const k = machine(name);
      const devices = Object.values(KINDS).filter(({ from }) => from.includes(name)).map(({ make }) => make(k));
      const before = trace(k);
      for (const each of ops) {
        step(k, devices, each);
        assert.deepEqual(brokenInvariants(k), []);
      }
      for (const device of devices) if (device.here()) assert.equal(device.go(), 0);
      assert.equal(trace(k), before);
    }), { numRuns: 25 });
  });
}
