/**
 * A scenario as a simulated machine that has just reached its start: devices bound, file systems mounted, processes
 * running. The steps of the scenario are not carried out here.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import { MiB } from '../../range/units.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { busDevices, deviceName } from '../drivers/base/bus.ts';
import { FIRST_NAMESPACE, type DaxPlace, type PmemPlace, type World } from '../host/world.ts';
import { MountTable } from '../host/mount-table.ts';
import { bootMachine } from '../setup/boot-machine.ts';
import { addDevDax } from '../setup/devdax.ts';
import { addPmem, mountFs } from '../setup/fsdax.ts';
import type { Kernel } from '../kernel.ts';
import { startProcess, type Started } from './start-process.ts';
import { placeDevices, type PlacedNamespace } from './place-devices.ts';

export interface BuiltScenario {
  readonly world: World;
  readonly scenario: Scenario;
  /** Heap address of the device of each namespace, by its name in the scenario. */
  readonly devices: ReadonlyMap<string, number>;
  /** Super block by mount point. */
  readonly supers: ReadonlyMap<string, number>;
  readonly processes: ReadonlyMap<string, Started>;
}

const ND_BUS = '/sys/devices/platform/ACPI0012:00/ndbus0';
const LEGACY_BUS = '/sys/devices/platform/e820_pmem/ndbus0';

export function buildScenario(scenario: Scenario, profile: Profile): BuiltScenario {
  refuseUnbuilt(scenario);
  const placed = placeDevices(scenario.machine);
  const nodes = scenario.machine.nodes?.length ?? 1;
  const k = bootMachine({
    profile, ram: placed.ram, nodes: Math.max(2, nodes), pmem: placed.memmapPmem, memmapOnMemory: scenario.machine.memmapOnMemory,
    autoOnline: scenario.machine.autoOnline, cpuNodes: [0],
  });
  const pmems = new Map<string, PmemPlace>();
  const daxes = new Map<string, DaxPlace>();
  for (const namespace of placed.namespaces) {
    const mode = namespace.spec.mode;
    if (mode === 'fsdax' || mode === 'raw') pmems.set(namespace.spec.name, pmemPlace(k, namespace, pmems.size));
    else daxes.set(namespace.spec.name, daxPlace(k, namespace, daxes.size));
  }
  const mounts = new MountTable(k);
  const supers = new Map<string, number>();
  for (const fs of scenario.filesystems) {
    const place = pmems.get(fs.on);
    if (place === undefined) throw notBuilt(`a file system on ${fs.on}`);
    if (!fs.mounted) continue;
    const sb = mountFs(k, place.device, { type: fs.type, rmapbt: fs.rmapbt, reflink: fs.reflink, groups: fs.groups, readOnly: fs.readOnly });
    supers.set(fs.at, sb);
    mounts.add(sb, fs.at, FIRST_NAMESPACE, fs.readOnly ? 'ro,relatime' : 'rw,relatime');
  }
  const commandOf = new Map<number, string>();
  const world: World = {
    k, label: scenario.scenario, release: `${profile.name}.0-simulated`, version: '#1 SMP PREEMPT_DYNAMIC unseat', cmdline: 'console=ttyS0',
    pmems: [...pmems.values()], daxes: [...daxes.values()], mounts, namespaceOf: new Map(), commandOf, cpus: scenario.machine.cpus,
  };
  const devices = new Map([...pmems, ...daxes].map(([name, place]) => [name, place.device]));
  const processes = new Map<string, Started>();
  for (const [index, spec] of scenario.processes.entries()) {
    if (!spec.started) continue;
    const started = startProcess({ k, scenario, supers, devices, domain: index + 1 }, spec);
    commandOf.set(started.task, `/usr/bin/holder ${spec.name}`);
    processes.set(spec.name, started);
  }
  return { world, scenario, devices, supers, processes };
}

function pmemPlace(k: Kernel, n: PlacedNamespace, index: number): PmemPlace {
  const claimant = `pfn${n.regionIndex}.${n.index}`;
  const size = n.range.end - n.range.start;
  const device = addPmem(k, { name: claimant, start: n.range.start, size, map: n.spec.map, node: n.node });
  return { ...parents(n), device, claimant, dataOffset: 2 * MiB, memmap: n.spec.map, align: n.spec.align ?? 2 * MiB, block: `pmem${n.regionIndex}${n.index === 0 ? '' : `.${n.index}`}`, dev: `259:${index}` };
}

function daxPlace(k: Kernel, n: PlacedNamespace, index: number): DaxPlace {
  const name = `dax${n.regionIndex}.${n.index}`;
  const align = n.spec.align ?? 2 * MiB;
  const device = addDevDax(k, { name, start: n.range.start, size: n.range.end - n.range.start, align, node: n.node });
  if (!busDevices(k, 'dax').some((dev) => deviceName(k, dev) === name)) throw notBuilt(name);
  const pmem = { ...parents(n), claimant: name, dataOffset: 2 * MiB, memmap: n.spec.map, align };
  return { device, name, dev: `252:${index}`, path: `${pmem.busPath}/${pmem.region}/${name}/${name}`, align, targetNode: n.node, pmem };
}

function parents(n: PlacedNamespace): Pick<PmemPlace, 'bus' | 'busPath' | 'provider' | 'region' | 'regionStart' | 'regionSize' | 'dimm' | 'namespace' | 'start' | 'size' | 'uuid' | 'node'> {
  return {
    bus: 'ndbus0', busPath: n.legacy ? LEGACY_BUS : ND_BUS, provider: n.legacy ? 'e820' : 'ACPI.NFIT', region: `region${n.regionIndex}`,
    regionStart: n.region.start, regionSize: n.region.end - n.region.start, dimm: n.legacy ? null : `nmem${n.regionIndex}`,
    namespace: `namespace${n.regionIndex}.${n.index}`, start: n.range.start, size: n.range.end - n.range.start,
    uuid: `00000000-0000-4000-8000-${String(n.regionIndex).padStart(6, '0')}${String(n.index).padStart(6, '0')}`, node: n.node,
  };
}

/** What a scenario may ask for and cannot be simulated yet is refused by name, never left out in silence. */
function refuseUnbuilt(s: Scenario): void {
  const m = s.machine;
  const wanted = { DIMMs: m.dimms, 'virtio-mem': m.virtioMem, 'virtio-pmem': m.virtioPmem, CXL: m.cxl, disks: m.disks, 'memory used as System RAM': s.systemRam, swap: s.swaps };
  for (const [what, list] of Object.entries(wanted)) if (list.length > 0) throw notBuilt(what);
  if (m.namespaces.some((n) => n.mode === 'sector')) throw notBuilt('a namespace in sector mode');
}

const notBuilt = (what: string): UnseatError => new UnseatError('UNSUPPORTED', `a simulated machine with ${what} cannot be built from a scenario`, {
  next: 'Run the scenario in the lab, or leave that part out.',
});
