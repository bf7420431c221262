/** Unbinding the drivers of leaves and containers, ejecting, and switching slots off; each confirmed. */
import type { Device } from '../../machine/types/device.ts';
import type { NvdimmNamespace } from '../../machine/types/nvdimm.ts';
import type { Machine } from '../../machine/machine.ts';
import { formatRange } from '../../range/units.ts';
import type { PlanContext } from '../context.ts';
import type { LeafFacts } from '../facts/leaf-facts.ts';
import { DEADLINE, draft, ROOT_FILE, type Draft } from './draft.ts';

/** The driver directory and the name that is written to its `unbind`. */
export interface Binding {
  readonly driverPath: string;
  readonly device: string;
}

export function namespaceOf(machine: Machine, device: Device): NvdimmNamespace | null {
  const all = machine.nvdimm.flatMap((b) => b.regions.flatMap((r) => r.namespaces));
  return all.find((n) => device.id.endsWith(`:${n.name}`)) ?? null;
}

/** How a leaf is unbound; null where no driver is bound or unbinding is not how it goes. */
export function bindingOf(machine: Machine, device: Device): Binding | null {
  if (device.driver === null) return null;
  if (device.kind === 'devdax' || device.kind === 'kmem') {
    if (machine.dax.some((d) => d.name === device.name)) return { driverPath: `/sys/bus/dax/drivers/${device.driver}`, device: device.name };
  }
  const namespace = namespaceOf(machine, device);
  if (namespace?.driver) return { driverPath: `/sys/bus/nd/drivers/${namespace.driver}`, device: namespace.bindName };
  return null;
}

export function unbindLeaves(c: PlanContext): Draft[] {
  return c.leaves.flatMap((l) => (l.device.kind === 'dimm' ? eject(c, l.device) : l.device.kind === 'memory-block' ? [] : unbindLeaf(c, l)));
}

const deathOf = (device: Device): string => (device.kind === 'kmem'
  ? 'all blocks are offline now: remove_memory() succeeds and the range is given back'
  : 'nobody holds it any more; in a child with a deadline, because a remove can hang');

function unbindLeaf(c: PlanContext, leaf: LeafFacts): Draft[] {
  const binding = bindingOf(c.machine, leaf.device);
  if (binding === null || leaf.device.kind === 'virtio-mem') return [];
  return [unbind(binding, deathOf(leaf.device)), gone(leaf.device, pathsOf(c.machine, leaf.device))];
}

function unbind(binding: Binding, why: string): Draft {
  return draft({ kind: 'unbind', ...binding }, `write ${binding.device} to ${binding.driverPath}/unbind`, why,
    { undo: { kind: 'write', path: `${binding.driverPath}/bind`, text: binding.device }, needs: ROOT_FILE, deadlineMs: DEADLINE.unbind });
}

/** What must not be there afterwards, besides the driver's claim in /proc/iomem. */
function pathsOf(machine: Machine, device: Device): string[] {
  if (device.blocks.length > 0) return device.blocks.map((b) => `/sys/devices/system/memory/memory${b}`);
  const namespace = namespaceOf(machine, device);
  return namespace?.block ? [`/sys/block/${namespace.block}`] : [];
}

const gone = (device: Device, paths: readonly string[]): Draft => draft({ kind: 'confirm-gone', ranges: device.ranges, paths },
  `confirm that ${device.name} is gone${device.ranges.length > 0 ? ` (${device.ranges.map(formatRange).join(', ')} in /proc/iomem)` : ''}, and read the kernel log`,
  'the return code of an unbind proves nothing: what went wrong is only in the kernel log', { deadlineMs: DEADLINE.confirm });

function eject(c: PlanContext, device: Device): Draft[] {
  const path = `${device.path}/eject`;
  return [
    draft({ kind: 'write', path, text: '1' }, `write 1 to ${path}`, 'all blocks are offline; the write returns at once whatever comes of it', { needs: ROOT_FILE, deadlineMs: DEADLINE.offline }),
    gone(device, pathsOf(c.machine, device)),
  ];
}

/** Containers from the inside out: nvdimm region, CXL region (decoders), memdev, slot. */
export const takeDown = (c: PlanContext): Draft[] => c.containers.flatMap((d) => container(c, d));

function container(c: PlanContext, d: Device): Draft[] {
  if (d.kind === 'nvdimm-region') return [unbind({ driverPath: '/sys/bus/nd/drivers/nd_region', device: d.name }, 'nothing inside is bound any more')];
  if (d.kind === 'virtio-pmem') return d.driver === null ? [] : [unbind({ driverPath: `/sys/bus/virtio/drivers/${d.driver}`, device: d.name }, 'its namespace is unbound')];
  if (d.kind === 'cxl-region') return region(d);
  if (d.kind === 'cxl-memdev') return d.driver === null ? [] : [unbind({ driverPath: `/sys/bus/cxl/drivers/${d.driver}`, device: d.name }, 'its regions are down: no decoder is torn down under memory in use')];
  return slot(d);
}

function region(d: Device): Draft[] {
  const commit = `${d.path}/commit`;
  return [
    unbind({ driverPath: '/sys/bus/cxl/drivers/cxl_region', device: d.name }, 'its memory is out of use'),
    draft({ kind: 'write', path: commit, text: '0' }, `write 0 to ${commit}`, 'only now: resetting decoders under online memory makes it read zeroes, and nothing refuses', { undo: { kind: 'write', path: commit, text: '1' }, needs: ROOT_FILE, deadlineMs: DEADLINE.unbind }),
    gone(d, []),
  ];
}

function slot(d: Device): Draft[] {
  const path = `${d.path}/power`;
  return [
    draft({ kind: 'write', path, text: '0' }, `write 0 to ${path}`, 'the last step: the slot asks nobody before it takes the power away', { undo: { kind: 'write', path, text: '1' }, needs: ROOT_FILE, deadlineMs: DEADLINE.power }),
    draft({ kind: 'confirm-slot-off', slotPath: d.path }, `confirm that slot ${d.name.replace(/^slot:/, '')} is off: safe to pull`, 'power reads 0', { deadlineMs: DEADLINE.confirm }),
  ];
}
