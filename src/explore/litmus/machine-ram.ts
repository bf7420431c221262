/** System RAM of a litmus machine, by each way it can have come. */
import { UnseatError } from '../../errors/unseat-error.ts';
import { acpiMemoryDeviceAdd } from '../../kernel/drivers/acpi/memhotplug.ts';
import { stateStore } from '../../kernel/drivers/base/block-state.ts';
import { deviceDriver } from '../../kernel/drivers/base/bus.ts';
import { bindStore } from '../../kernel/drivers/base/dd.ts';
import { blockIdOf } from '../../kernel/drivers/base/memory.ts';
import { createDevDax } from '../../kernel/drivers/dax/dev_dax.ts';
import { daxKmemInit } from '../../kernel/drivers/dax/kmem.ts';
import { virtioMemRun } from '../../kernel/drivers/virtio/plug.ts';
import { createVirtioMem, VM } from '../../kernel/drivers/virtio/virtio_mem.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { addMemory, MHP } from '../../kernel/mm/memory_hotplug/add.ts';
import { MMOP } from '../../kernel/mm/memory_hotplug/hotplug.ts';
import { pmemResource } from '../../kernel/setup/boot-machine.ts';
import { cxlWindow, makeMemdev, makeRegion } from '../../kernel/setup/cxl.ts';
import { must } from '../../kernel/setup/run.ts';
import { storeLong } from '../../kernel/state/long.ts';
import type { DeviceHandle, Placement } from './machine.ts';
import { PAGE_SIZE, SECTION } from './geometry.ts';
import type { LitmusMachine } from './schema.ts';

export interface RamHandle {
  readonly kind: 'ram'; readonly range: readonly [number, number]; readonly node: number; readonly blocks: readonly number[];
  /** Device and driver (kmem, virtio-mem; 0: none), CXL region and memdev (0: none), DIMM, virtio_mem. */
  readonly dev: number; readonly driver: number; readonly region: number; readonly memdev: number; readonly dimm: number; readonly virtioMem: number;
}

type Spec = LitmusMachine['ram'][string];
interface Came { readonly dev?: number; readonly driver?: number; readonly region?: number; readonly memdev?: number; readonly dimm?: number; readonly virtioMem?: number }

/** @param beside the device in whose section it lies, for ranges that overlap one */
export function addRam(k: Kernel, name: string, spec: Spec, place: Placement, beside?: DeviceHandle): RamHandle {
  const size = spec.blocks * SECTION;
  const start = beside === undefined ? place.take(size, false) : Math.floor((beside.range[0] * PAGE_SIZE) / SECTION) * SECTION;
  const blocks = Array.from({ length: spec.blocks }, (_, i) => blockIdOf(k, start) + i);
  const came = COMES[spec.by](k, name, spec, start, start + size);
  if (spec.present && spec.online !== 'no') for (const id of blocks) must(k, stateStore(k, id, spec.online === 'movable' ? MMOP.onlineMovable : MMOP.online, 0), `online block of ${name}`);
  return { kind: 'ram', range: [start / PAGE_SIZE, (start + size) / PAGE_SIZE], node: spec.node, blocks, dev: 0, driver: 0, region: 0, memdev: 0, dimm: 0, virtioMem: 0, ...came };
}

/** What adds [start, end) bytes. */
const COMES: Readonly<Record<Spec['by'], (k: Kernel, name: string, spec: Spec, start: number, end: number) => Came>> = {
  'add-memory': (k, name, spec, start, end) => {
    if (spec.present) must(k, addMemory(k, spec.node, start, end - start, spec.memmap_on_memory ? MHP.memmapOnMemory : 0), `add_memory of ${name}`);
    return {};
  },
  kmem: (k, name, spec, start, end) => {
    pmemResource(k, { start, end }, 'Soft Reserved');
    const driver = daxKmemInit(k);
    const dev = must(k, createDevDax(k, { name, ranges: [{ start, end }], targetNode: spec.node }), `dax device ${name}`);
    if (spec.present) must(k, bindStore(k, driver, dev), `kmem for ${name}`);
    return { dev, driver };
  },
  cxl: (k, name, spec, start, end) => {
    cxlWindow(k, 0, start, end);
    const memdev = makeMemdev(k, { name: 'mem0', pciName: '0000:0d:00.0' });
    const region = makeRegion(k, { name: 'region0', start, end, mode: 'ram', targets: [memdev], nid: spec.node, answer: spec.answer === 'ones' ? -1 : 0, daxName: name });
    if (region < 0) throw new UnseatError('UNSUPPORTED', 'this kernel makes no CXL ram regions', { subject: name });
    return { region, memdev };
  },
  dimm: (k, _name, spec, start, end) => ({ dimm: must(k, acpiMemoryDeviceAdd(k, { name: 'PNP0C80:00', addr: start, size: end - start, nid: spec.node }), 'DIMM') }),
  'virtio-mem': (k, name, spec, start, end) => {
    const virtioMem = must(k, createVirtioMem(k, { name, addr: start, size: end - start, nid: spec.node }), `virtio-mem device ${name}`);
    storeLong(k.heap, virtioMem + VM.requested, spec.present ? end - start : 0);
    must(k, virtioMemRun(k, virtioMem), `plug ${name}`);
    const dev = k.heap.load(virtioMem + VM.dev);
    return { virtioMem, dev, driver: deviceDriver(k, dev) };
  },
};
