/** A machine made up in memory, as large as machines get: for tests and benchmarks of how the inventory grows. */
import { missing, type Fact } from '../src/host/fact.ts';
import type { Files, FileStat, Host } from '../src/host/host.ts';
import { GiB, MiB } from '../src/range/units.ts';

export interface BigMachine {
  readonly blocks: number;
  readonly processes: number;
  /** Each so manieth process maps the device-dax device; 10 unless told. */
  readonly every?: number;
}

const SYSTEM = '/sys/devices/system';
const DAX = '/sys/devices/platform/hmem.0/dax0.0';
const HELD = '/sys/devices/platform/hmem.1/dax1.0';

/**
 * System RAM of two nodes in blocks of 128 MiB, the upper half of it a kmem dax device on node 1, all online in Movable;
 * and a device-dax device of 1 GiB above it, which every tenth process maps (or all of them).
 */
export function bigMachine({ blocks, processes, every = 10 }: BigMachine): Host {
  const half = blocks / 2;
  const end = blocks * 128 * MiB;
  const hex = (n: number): string => n.toString(16);
  const texts = new Map<string, string>([
    ['/proc/iomem', `00000000-${hex(end / 2 - 1)} : System RAM\n${hex(end / 2)}-${hex(end - 1)} : Soft Reserved\n  ${hex(end / 2)}-${hex(end - 1)} : dax0.0\n    ${hex(end / 2)}-${hex(end - 1)} : System RAM (kmem)\n${hex(end)}-${hex(end + GiB - 1)} : Soft Reserved\n  ${hex(end)}-${hex(end + GiB - 1)} : dax1.0\n`],
    ['/proc/cmdline', 'quiet'], ['/proc/meminfo', 'MemTotal: 1 kB\n'], ['/proc/swaps', 'Filename\n'],
    [`${SYSTEM}/memory/block_size_bytes`, '8000000'], [`${SYSTEM}/memory/auto_online_blocks`, 'offline'], [`${SYSTEM}/node/online`, '0-1'],
    [`${DAX}/size`, String(end / 2)], [`${DAX}/target_node`, '1'], [`${DAX}/dev`, '250:0'], [`${DAX}/mapping0/start`, `0x${hex(end / 2)}`], [`${DAX}/mapping0/end`, `0x${hex(end - 1)}`],
    [`${HELD}/size`, String(GiB)], [`${HELD}/target_node`, '1'], [`${HELD}/dev`, '250:1'], [`${HELD}/mapping0/start`, `0x${hex(end)}`], [`${HELD}/mapping0/end`, `0x${hex(end + GiB - 1)}`],
  ]);
  const block = /^\/sys\/devices\/system\/memory\/memory(\d+)\/(state|valid_zones|removable)$/;
  const values: Record<string, string> = { state: 'online', valid_zones: 'Movable', removable: '1' };
  const lists = new Map<string, readonly string[]>([
    [`${SYSTEM}/memory`, [...Array.from({ length: blocks }, (_, i) => `memory${i}`), 'block_size_bytes']],
    [`${SYSTEM}/node`, ['node0', 'node1']],
    [`${SYSTEM}/node/node0`, Array.from({ length: half }, (_, i) => `memory${i}`)],
    [`${SYSTEM}/node/node1`, Array.from({ length: half }, (_, i) => `memory${half + i}`)],
    ['/sys/bus/dax/devices', ['dax0.0', 'dax1.0']], [DAX, ['mapping0', 'size', 'driver']], [HELD, ['mapping0', 'size', 'driver']],
  ]);
  const links = new Map([[`${DAX}/driver`, '../../../../bus/dax/drivers/kmem'], ['/sys/bus/dax/devices/dax0.0', DAX], [`${HELD}/driver`, '../../../../bus/dax/drivers/device_dax'], ['/sys/bus/dax/devices/dax1.0', HELD]]);
  const text = (path: string): Fact<string> => texts.get(path) ?? values[block.exec(path)?.[2] ?? ''] ?? missing('absent', path);
  const files: Files = {
    text,
    read: (path) => {
      const found = text(path);
      return typeof found === 'string' ? Buffer.from(found) : found;
    },
    readAt: (path) => missing('absent', path),
    list: (path) => lists.get(path) ?? missing('absent', path),
    link: (path) => links.get(path) ?? missing('absent', path),
    resolve: (path) => links.get(path) ?? path,
    stat: (path): Fact<FileStat> => missing('absent', path),
  };
  return { kind: 'simulated', label: `${blocks} blocks`, files, ...outside(processes, every), close: () => undefined };
}

/** Processes with forty mappings and ten open files each; every so manieth maps the device-dax device. */
function outside(processes: number, every: number): Omit<Host, 'kind' | 'label' | 'files' | 'close'> {
  const plain = Array.from({ length: 40 }, (_, i) => ({ start: i * 8192, end: i * 8192 + 4096, perms: 'r--p', offset: 0, dev: '8:1', ino: 100 + i, name: '/usr/lib/x.so' }));
  const holding = [...plain, { start: 2 ** 40, end: 2 ** 40 + 4096, perms: 'rw-s', offset: 0, dev: '0:6', ino: 7, rdev: '250:1', name: '/dev/dax1.0' }];
  const mountinfo = Buffer.from('1 0 8:1 / / rw - ext4 /dev/sda1 rw\n');
  const status = Buffer.from('Name:\tserver\nState:\tS (sleeping)\nUid:\t0\t0\t0\t0\nThreads:\t1\nMems_allowed_list:\t0-1\n');
  const root = { target: '/', dev: '8:1', ino: 2 };
  const descriptors = Array.from({ length: 10 }, (_, fd) => ({ fd, target: `/var/log/server.${fd}`, dev: '8:1', ino: 1000 + fd }));
  const none = (path: string) => missing('absent', path);
  return {
    identity: { release: '7.2.0', version: '#1', arch: 'x86_64', pageSize: 4096, uid: 0, capabilities: [0xffffffff, 0xffffffff] },
    processes: {
      pids: () => Array.from({ length: processes }, (_, i) => i + 1),
      threads: (pid) => [pid],
      read: (pid, name) => (name === 'stat' ? Buffer.from(`${pid} (server) S 1 1 1 0 -1 4194304 ${'0 '.repeat(8)}20 0 1 0 ${1000 + pid} 8192000 500 0 1 1 140722000000000\n`) : name === 'status' ? status : name === 'comm' ? Buffer.from('server\n') : name === 'mountinfo' ? mountinfo : none(`/proc/${pid}/${name}`)),
      mappings: (pid) => (pid % every === 0 ? holding : plain),
      openFiles: () => descriptors,
      fdInfo: (pid, fd) => none(`/proc/${pid}/fdinfo/${fd}`),
      place: () => root,
      namespace: () => 4026531840,
      pagemap: (pid) => none(`/proc/${pid}/pagemap`),
    },
    mounts: { all: () => [{ id: 4026531840, pid: 1, mountinfo }] },
    log: { since: () => [], mark: () => -1 },
    time: { now: () => 0, wall: () => none('wall clock'), sleep: () => Promise.resolve() },
  };
}
