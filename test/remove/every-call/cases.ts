/** Small machines, one for each way of removal and each kind of device, on which every host call is made to fail. */
import type { Host } from '../../../src/host/host.ts';
import type { Way } from '../../../src/steps/reason.ts';

export interface Case {
  readonly name: string;
  readonly release: string;
  readonly device: string;
  readonly way: Way;
  /** The scenario, without its name, title and steps. */
  readonly machine: Readonly<Record<string, unknown>>;
  readonly stopUnits?: readonly string[];
  readonly waitMs?: number;
  /** Programs of the machine that the simulated kernel does not have, by the host that carries out the removal. */
  readonly withPrograms?: (host: Host) => Host;
}

const NVDIMM = { nvdimms: [{ name: 'nv', size: '64M' }] };
const FSDAX = { machine: { ...NVDIMM, namespaces: [{ name: 'data', on: 'nv', mode: 'fsdax' }] } };
const ext4 = { filesystems: [{ on: 'data', at: '/mnt', type: 'ext4' }] };
const xfs = { filesystems: [{ on: 'data', at: '/mnt', type: 'xfs', rmapbt: true }] };
const DEVDAX = { machine: { ...NVDIMM, namespaces: [{ name: 'data', on: 'nv', mode: 'devdax' }] } };
const small = { file: '/mnt/f', size: '16K', align: '4K' };
const nodes = [{ ram: '2G' }, { ram: 0 }];
const user = { name: 'user', maps: [{ anonymous: true, size: '1M', node: 1 }] };

/** One of each thing that detach replaces. */
const HOLDERS = [
  { name: 'h', maps: [small], keepFds: true, cwd: '/mnt' },
  { name: 'p', maps: [{ file: '/mnt/p', size: '8K', align: '4K', share: 'private', touch: 'write-every-other' }] },
];
const CXL_RAM = { machine: { nodes: [{ ram: '2G' }], cxl: [{ name: 'card', size: '256M', memory: 'volatile', use: 'system-ram' }] }, systemRam: [{ device: 'card', online: 'movable' }], processes: [user] };

/** Persistent memory of a card: the pmem device hangs on the nvdimm bus, and goes down with the card. */
const CXL_PMEM = {
  machine: { cxl: [{ name: 'card', size: '128M', memory: 'persistent', use: 'namespaces' }], namespaces: [{ name: 'data', on: 'card', mode: 'fsdax' }] },
  ...ext4, processes: [{ name: 'h', maps: [small], keepFds: true }],
};

/** systemd, as far as it matters: the unit's processes end. */
const stoppingUnits = (host: Host): Host => {
  const { actions } = host;
  if (actions === undefined) throw new Error('a simulated machine can be acted on');
  const run: typeof actions.run = async (program, args, deadlineMs) => {
    if (program !== 'systemctl') return actions.run(program, args, deadlineMs);
    const pids = host.processes.pids();
    for (const pid of Array.isArray(pids) ? pids : []) {
      const stat = host.processes.read(pid, 'stat');
      const text = stat instanceof Uint8Array ? Buffer.from(stat).toString('latin1') : '';
      if (/\((h|p)\)/.test(text)) await actions.signal({ pid, startTime: Number(text.split(') ')[1]?.split(' ')[19]) }, 'SIGTERM');
    }
    return { ok: true, definite: true, milliseconds: 1 };
  };
  return { ...fieldsOf(host), actions: new Proxy(actions, { get: (target, key) => (key === 'run' ? run : bound(target, key)) }) };
};

/** Holders that go by themselves the second time that somebody waits for them. */
const goingHolders = (host: Host): Host => {
  let waits = 0;
  const stopped = stoppingUnits(host);
  const sleep: Host['time']['sleep'] = async (milliseconds) => {
    waits += 1;
    if (waits === 2) await stopped.actions?.run('systemctl', [], 1000);
    return host.time.sleep(milliseconds);
  };
  return { ...fieldsOf(host), time: new Proxy(host.time, { get: (target, key) => (key === 'sleep' ? sleep : bound(target, key)) }) };
};

const bound = (target: object, key: string | symbol): unknown => {
  const value: unknown = Reflect.get(target, key, target);
  return typeof value === 'function' ? value.bind(target) : value;
};

/** A host's facets as fields: those of a class instance are lost by a spread. */
export const fieldsOf = (h: Host): Host => ({
  kind: h.kind, label: h.label, identity: h.identity, files: h.files, processes: h.processes, mounts: h.mounts, log: h.log, time: h.time,
  ...(h.actions === undefined ? {} : { actions: h.actions }), ...(h.trace === undefined ? {} : { trace: h.trace }), close: () => h.close(),
});

/** Devices that processes hold. */
export const HELD: readonly Case[] = [
  { name: 'fsdax, graceful', release: '6.12', device: 'pmem0', way: 'graceful', machine: { ...FSDAX, ...ext4 } },
  { name: 'fsdax, graceful, holders waited for', release: '6.12', device: 'pmem0', way: 'graceful', machine: { ...FSDAX, ...ext4, processes: HOLDERS }, waitMs: 5000, withPrograms: goingHolders },
  { name: 'fsdax, graceful, units stopped', release: '6.12', device: 'pmem0', way: 'graceful', machine: { ...FSDAX, ...ext4, processes: HOLDERS }, stopUnits: ['db.service'], withPrograms: stoppingUnits },
  { name: 'fsdax, detach', release: '6.12', device: 'pmem0', way: 'detach', machine: { ...FSDAX, ...ext4, processes: HOLDERS } },
  { name: 'fsdax on XFS, force', release: '7.2', device: 'pmem0', way: 'force', machine: { ...FSDAX, ...xfs, processes: [{ name: 'h', maps: [small] }] } },
  { name: 'fsdax on ext4, force', release: '6.1', device: 'pmem0', way: 'force', machine: { ...FSDAX, ...ext4, processes: [{ name: 'h', maps: [small] }, { name: 'p', maps: [{ file: '/mnt/f', size: '8K', align: '4K' }] }] } },
  { name: 'fsdax, kill', release: '5.10', device: 'pmem0', way: 'kill', machine: { ...FSDAX, ...ext4, processes: [{ ...HOLDERS[0], forks: 1 }] } },
  { name: 'devdax, detach', release: '7.2', device: 'dax0.0', way: 'detach', machine: { ...DEVDAX, processes: [{ name: 'h', maps: [{ device: 'data', size: '2M' }], keepFds: true }] } },
  { name: 'devdax, kill', release: '6.1', device: 'dax0.0', way: 'kill', machine: { ...DEVDAX, processes: [{ name: 'h', maps: [{ device: 'data', size: '2M' }] }] } },
  { name: 'virtio-pmem, detach', release: '6.12', device: 'pmem0', way: 'detach', machine: { machine: { virtioPmem: [{ name: 'data', size: '64M' }] }, ...ext4, processes: [{ name: 'h', maps: [small] }] } },
];

/** System RAM, and what takes whole cards away. */
export const MEMORY: readonly Case[] = [
  { name: 'kmem, block by block', release: '7.2', device: 'dax0.0', way: 'graceful', machine: { machine: { nodes, nvdimms: [{ name: 'nv', size: '384M', node: 1 }], namespaces: [{ name: 'data', on: 'nv', mode: 'devdax' }] }, systemRam: [{ device: 'data', online: 'movable' }], processes: [user] } },
  { name: 'kmem, by its state file', release: '7.3', device: 'dax0.0', way: 'graceful', machine: { machine: { nodes, nvdimms: [{ name: 'nv', size: '384M', node: 1 }], namespaces: [{ name: 'data', on: 'nv', mode: 'devdax' }] }, systemRam: [{ device: 'data', online: 'movable' }], processes: [user] } },
  { name: 'virtio-mem with nothing plugged', release: '7.2', device: 'virtio1', way: 'graceful', machine: { machine: { nodes, virtioMem: [{ name: 'vmem', size: '256M', requested: 0, node: 1 }] } } },
  { name: 'DIMM', release: '7.2', device: 'PNP0C80:00', way: 'graceful', machine: { machine: { nodes, dimms: [{ name: 'dimm0', size: '256M', node: 1 }] }, systemRam: [{ device: 'dimm0', online: 'movable' }], processes: [user] } },
  { name: 'one memory block', release: '7.2', device: 'memory32', way: 'graceful', machine: { machine: { nodes, dimms: [{ name: 'dimm0', size: '256M', node: 1 }] }, systemRam: [{ device: 'dimm0', online: 'movable' }], processes: [user] } },
  { name: 'CXL region of RAM', release: '7.2', device: 'region0', way: 'graceful', machine: CXL_RAM },
  { name: 'CXL memdev of RAM', release: '7.2', device: 'mem0', way: 'graceful', machine: CXL_RAM },
  { name: 'slot with CXL RAM', release: '6.12', device: 'slot:2', way: 'graceful', machine: CXL_RAM },
  { name: 'slot with CXL devdax, detach', release: '7.2', device: 'slot:2', way: 'detach', machine: { machine: { cxl: [{ name: 'card', size: '256M', memory: 'volatile', use: 'devdax' }] }, processes: [{ name: 'h', maps: [{ device: 'card', size: '2M' }] }] } },
  { name: 'CXL memdev with devdax, kill', release: '7.2', device: 'mem0', way: 'kill', machine: { machine: { cxl: [{ name: 'card', size: '256M', memory: 'volatile', use: 'devdax' }] }, processes: [{ name: 'h', maps: [{ device: 'card', size: '2M' }] }] } },
  { name: 'slot with CXL pmem, detach', release: '7.2', device: 'slot:2', way: 'detach', machine: CXL_PMEM },
  { name: 'slot with CXL pmem, force', release: '7.2', device: 'slot:2', way: 'force', machine: CXL_PMEM },
  { name: 'CXL memdev with pmem, kill', release: '6.12', device: 'mem0', way: 'kill', machine: CXL_PMEM },
];

export const CASES: readonly Case[] = [...HELD, ...MEMORY];
