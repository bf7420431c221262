/** The machine and the processes of a litmus test as those of a scenario, or why a lab cannot have them. */
import type { z } from 'zod';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { scenario } from '../../scenario/scenario.ts';
import { PAGE_SIZE } from '../litmus/machine.ts';
import type { Litmus, LitmusProcess } from '../litmus/schema.ts';

export type ScenarioInput = z.input<typeof scenario>;
type MachineInput = ScenarioInput['machine'];
type ProcessInput = NonNullable<ScenarioInput['processes']>[number];

/** The counterexample stays one of the simulated kernel: a lab has no means for it. */
export const refuse = (what: string, next = 'The counterexample can be read and replayed on the simulated kernel (--trace, --replay).'): UnseatError =>
  new UnseatError('UNSUPPORTED', `this counterexample makes no scenario: ${what}`, { next });

export interface Surroundings {
  readonly machine: MachineInput;
  readonly systemRam: NonNullable<ScenarioInput['systemRam']>;
  readonly filesystems: NonNullable<ScenarioInput['filesystems']>;
  readonly processes: readonly ProcessInput[];
  /** Mount point of the file system on a device. */
  readonly mountOf: ReadonlyMap<string, string>;
}

/** 4 KiB pages of the lab for one page of a litmus test: both are 64 KiB. */
const NVDIMM_BYTES = '512M';
/** A device-dax is mapped by whole 2 MiB. */
const DAX_BYTES = '2M';
const RAM_BYTES = '4M';

export function surroundingsOf(test: Litmus): Surroundings {
  const m = test.machine;
  if (Object.keys(m.mechanisms).length > 0) throw refuse(`the test sets mechanisms of its own (${Object.keys(m.mechanisms).join(', ')}), which no kernel to boot has`);
  const mountOf = new Map<string, string>();
  const nvdimms: NonNullable<MachineInput['nvdimms']> = [];
  const namespaces: NonNullable<MachineInput['namespaces']> = [];
  const cxl: NonNullable<MachineInput['cxl']> = [];
  const dimms: NonNullable<MachineInput['dimms']> = [];
  const disks: NonNullable<MachineInput['disks']> = [];
  const systemRam: Surroundings['systemRam'] = [];
  const filesystems: Surroundings['filesystems'] = [];
  for (const [name, spec] of Object.entries(m.pmem)) {
    if (!spec.bound || spec.after !== undefined) throw refuse(`${name} ${spec.bound ? 'stands in one section with another device' : 'begins unbound'}`);
    nvdimms.push({ name: `${name}-dimm`, size: NVDIMM_BYTES });
    namespaces.push({ name, on: `${name}-dimm`, mode: 'fsdax', ...(spec.map === 'dev' ? { map: 'dev' as const } : {}) });
    if (spec.fs === undefined) continue;
    if (spec.fs === 'multi') throw refuse('a file system over several devices cannot be set up by a scenario');
    for (const [file, f] of Object.entries(spec.files)) {
      if ((f.group ?? 0) !== 0) throw refuse(`${file} lies in an allocation group of its own; a scenario's files lie in the first`);
      if (f.reflink !== undefined) throw refuse(`${file} shares blocks with ${f.reflink}; scenarios make no reflinks`);
    }
    const at = `/mnt/${name}`;
    mountOf.set(name, at);
    filesystems.push({ on: name, at, type: spec.fs, ...(spec.fs === 'xfs' ? { rmapbt: spec.rmapbt ?? false, reflink: spec.reflink ?? false } : {}) });
  }
  for (const name of Object.keys(m.devdax)) {
    nvdimms.push({ name: `${name}-dimm`, size: NVDIMM_BYTES });
    namespaces.push({ name, on: `${name}-dimm`, mode: 'devdax' });
  }
  const nodes = new Set<number>();
  for (const [name, spec] of Object.entries(m.ram)) {
    if (!spec.present) throw refuse(`${name} is added while the test runs`);
    if (spec.blocks > 1) throw refuse(`${name} has ${spec.blocks} blocks of its own; the lab's devices have as many as their size gives`);
    if (spec.by === 'cxl') cxl.push({ name, size: NVDIMM_BYTES, memory: 'volatile', use: 'system-ram' });
    else if (spec.by === 'kmem') {
      nvdimms.push({ name: `${name}-dimm`, size: NVDIMM_BYTES, node: 1 });
      namespaces.push({ name, on: `${name}-dimm`, mode: 'devdax' });
      nodes.add(1);
    } else {
      dimms.push({ name, size: '256M', node: 1 });
      nodes.add(1);
    }
    systemRam.push({ device: name, online: spec.online === 'no' ? 'offline' : spec.online });
  }
  const processes = Object.entries(test.processes).map(([name, spec]) => processOf(test, name, spec, mountOf, disks));
  const ram = cxl.length > 0 || nodes.size > 0 ? { nodes: [{ ram: '2G' }, ...(nodes.size > 0 ? [{ ram: 0 }] : [])] } : {};
  const machine: MachineInput = { ...ram, ...some('nvdimms', nvdimms), ...some('namespaces', namespaces), ...some('dimms', dimms), ...some('cxl', cxl), ...some('disks', disks) };
  return { machine, systemRam, filesystems, processes, mountOf };
}

const some = <K extends string, T>(key: K, list: readonly T[]): Partial<Record<K, T[]>> => (list.length > 0 ? { [key]: [...list] } as Record<K, T[]> : {});

/** Device that a file of the test lies on. */
const deviceOfFile = (test: Litmus, file: string): string | undefined => Object.entries(test.machine.pmem).find(([, p]) => Object.hasOwn(p.files, file))?.[0];

/** Path of a file of the test on the scenario's machine. */
export function pathOf(test: Litmus, mountOf: ReadonlyMap<string, string>, file: string): string {
  const device = deviceOfFile(test, file);
  if (device === undefined) throw refuse(`${file} is a device node, and a scenario's processes open files`);
  return `${mountOf.get(device) as string}/${file}`;
}

/** The map of what a process of the test maps, as a scenario has it. */
export function mapOf(test: Litmus, mountOf: ReadonlyMap<string, string>, target: string, spec: LitmusProcess): NonNullable<ProcessInput['maps']>[number] {
  const touch = spec.touched === 'no' ? 'none' as const : spec.touched;
  const how = { touch, ...(spec.private === true ? { share: 'private' as const } : {}), ...(spec.read_only === true ? { prot: 'r' as const } : {}) };
  if (Object.hasOwn(test.machine.devdax, target)) return { device: target, size: DAX_BYTES, ...how };
  const file = test.machine.pmem[deviceOfFile(test, target) ?? '']?.files[target];
  const pages = spec.pages ?? file?.pages ?? 1;
  // Litmus mappings consist of page-table entries: the address is off by 4 KiB, so that no PMD entry can map the file.
  return { file: pathOf(test, mountOf, target), size: pages * PAGE_SIZE, align: '4K', ...how, ...(spec.sync === true ? { sync: true } : {}), ...(file?.unlinked === true ? { unlink: true } : {}) };
}

function processOf(test: Litmus, name: string, spec: LitmusProcess, mountOf: ReadonlyMap<string, string>, disks: NonNullable<MachineInput['disks']>): ProcessInput {
  if (spec.kvm === true) throw refuse(`${name} is a virtual machine`);
  // A process of a scenario opens files; a device node it holds open by a mapping that it never touches.
  const node = spec.opens.find((file) => Object.hasOwn(test.machine.devdax, file));
  const target = spec.maps ?? node;
  const files = spec.opens.filter((file) => file !== node);
  const map = spec.ram !== undefined ? anonymous(name, spec.ram) : target === undefined ? undefined : mapOf(test, mountOf, target, spec);
  const pins = [...(spec.pin === undefined ? [] : [pinOf(name, spec.pin, disks)]),
    ...(spec.ram?.pins === 'get' ? [{ by: 'vmsplice' as const }] : spec.ram?.pins === 'longterm' ? [{ by: 'io-uring' as const }] : [])];
  const latecomer = map === undefined && spec.opens.length === 0 && spec.cwd === undefined;
  return {
    name, ...(latecomer ? { started: false } : {}), ...(map === undefined ? {} : { maps: [map] }), ...(pins.length > 0 ? { pins } : {}),
    ...(files.length > 0 ? { files: files.map((file) => ({ path: pathOf(test, mountOf, file) })) } : {}),
    ...(spec.cwd === undefined ? {} : { cwd: pathOf(test, mountOf, spec.cwd).replace(/\/[^/]*$/, '') }),
    ...(spec.mce_kill === undefined ? {} : { mceKill: spec.mce_kill }), ...(spec.handles_sigbus ? {} : { sigbus: 'default' as const }),
  };
}

function anonymous(name: string, ram: NonNullable<LitmusProcess['ram']>): NonNullable<ProcessInput['maps']>[number] {
  if (ram.kind === 'file') throw refuse(`${name} uses the page cache on a node of its choice`);
  return { anonymous: true, size: RAM_BYTES, node: 1, ...(ram.kind === 'mlock' ? { locked: true } : {}), ...(ram.kind === 'hugetlb' ? { hugetlb: true } : {}) };
}

function pinOf(name: string, kind: NonNullable<LitmusProcess['pin']>, disks: NonNullable<MachineInput['disks']>): NonNullable<ProcessInput['pins']>[number] {
  if (kind === 'rdma' || kind === 'vfio') throw refuse(`${name} pins by ${kind.toUpperCase()}, and the lab has no such hardware`);
  if (kind !== 'o_direct') return { by: kind === 'io_uring' ? 'io-uring' : kind === 'af_xdp' ? 'af-xdp' : 'vmsplice' };
  if (disks.length === 0) disks.push({ name: 'slow', size: '64M', bytesPerSecond: '256K' });
  return { by: 'o-direct-read', size: '2M', disk: 'slow' };
}
