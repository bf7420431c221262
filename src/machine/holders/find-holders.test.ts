/** The holder search on hosts made for each difficulty: hostile names, other namespaces, threads, pins, processes that go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing, type Absence, type Fact } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import type { Mapping, OpenFile, Place } from '../../host/processes.ts';
import { recordHost } from '../../host/recording/recording-host.ts';
import type { Note } from '../machine.ts';
import type { Device, DeviceKind } from '../types/device.ts';
import type { ProcessHolder } from '../types/holder.ts';
import type { Mount } from '../types/stack.ts';
import { findHolders } from './find-holders.ts';

interface FakeProcess {
  mappings?: readonly Partial<Mapping>[];
  files?: readonly OpenFile[];
  places?: Partial<Record<'cwd' | 'root' | 'exe', Place>>;
  comm?: string;
  flags?: number;
  state?: string;
  threads?: readonly number[];
  cmdline?: string;
  fdinfo?: Readonly<Record<number, string>>;
  namespace?: number;
  start?: number;
  denied?: boolean;
}

const KTHREAD = 0x200000;
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const mapping = (m: Partial<Mapping>): Mapping => ({ start: 0x1000, end: 0x3000, perms: 'rw-s', offset: 0, dev: '259:0', ino: 12, name: '/mnt/big', ...m });

/** A live host with these processes; threads other than the leader answer under their own ids. */
function hostOf(processes: Readonly<Record<number, FakeProcess>>, more: { stat?: Record<string, { dev: string; ino: number }>; kind?: Host['kind']; same?: readonly [number, number] } = {}): Host {
  const gone = (pid: number, what: string): Fact<never> => missing('vanished', `/proc/${pid}/${what}`);
  const ask = <T>(pid: number, what: string, answer: (p: FakeProcess) => Fact<T>): Fact<T> => {
    const found = processes[pid];
    if (found === undefined) return gone(pid, what);
    return found.denied === true && !['stat', 'status', 'cmdline'].includes(what) ? missing('denied', `/proc/${pid}/${what}`, 'EACCES') : answer(found);
  };
  const stat = (pid: number, p: FakeProcess): string =>
    `${pid} (${p.comm ?? 'h'}) ${p.state ?? 'S'} 1 1 1 0 -1 ${p.flags ?? 0} 0 0 0 0 0 0 0 0 20 0 ${p.threads?.length ?? 1} 0 ${p.start ?? 800} ${p.mappings ? 4096 : 0} 1 2 3 4 5 0`;
  const listed = Object.keys(processes).map(Number).filter((pid) => !Object.values(processes).some((p) => (p.threads ?? []).slice(1).includes(pid)));
  return {
    kind: more.kind ?? 'live', label: 'test', identity: {}, mounts: {}, log: {}, time: {},
    files: {
      list: (path: string) => missing('absent', path), text: (path: string) => missing('absent', path),
      stat: (path: string) => (more.stat?.[path] ? { kind: 'file', mode: 0o100644, ...more.stat[path] } : missing('absent', path)),
    },
    processes: {
      pids: () => listed,
      threads: (pid: number) => ask(pid, 'task', (p) => p.threads ?? [pid]),
      read: (pid: number, name: string) => ask(pid, name, (p) => {
        if (name === 'stat') return bytes(stat(pid, p));
        if (name === 'cmdline') return bytes(p.cmdline ?? 'h\0big\0');
        return name === 'cgroup' ? bytes('0::/system.slice/db.service\n') : bytes('');
      }),
      mappings: (pid: number) => ask(pid, 'maps', (p) => (p.mappings ?? []).map(mapping)),
      openFiles: (pid: number) => ask(pid, 'fd', (p) => p.files ?? []),
      fdInfo: (pid: number, fd: number) => ask(pid, 'fdinfo', (p) => (p.fdinfo?.[fd] === undefined ? missing('denied', 'fdinfo') : bytes(p.fdinfo[fd]))),
      place: (pid: number, which: 'cwd') => ask(pid, which, (p) => p.places?.[which] ?? ((p.flags ?? 0) & KTHREAD || p.state === 'Z' ? missing('absent', which, 'ENOENT') : { target: '/', dev: '8:1', ino: 2 })),
      namespace: (pid: number) => ask(pid, 'ns', (p) => p.namespace ?? 4026531840),
      ...(more.same === undefined ? {} : { addressSpaces: (pids: readonly number[]) => new Map(pids.map((pid) => [pid, more.same!.includes(pid) ? Math.min(...more.same!) : pid])) }),
    },
  } as unknown as Host;
}

const device = (id: string, kind: DeviceKind, deviceNumbers: readonly string[]): Device =>
  ({ id, kind, name: id, aliases: [], ranges: [], size: 0, use: '', deviceNumbers, blocks: [], nodes: [], contains: [], partOf: [], driver: null, path: '' });
const PMEM = device('fsdax:namespace0.0', 'fsdax', ['259:0']);
const DAX = device('devdax:dax0.0', 'devdax', ['251:0']);

function search(host: Host, devices: readonly Device[] = [PMEM], mounts: readonly Mount[] = []): { holders: Record<string, readonly ProcessHolder[]>; notes: Note[] } {
  const notes: Note[] = [];
  return { holders: findHolders(host, devices, mounts, notes) as Record<string, readonly ProcessHolder[]>, notes };
}
const of = (host: Host, id = PMEM.id, devices: readonly Device[] = [PMEM, DAX]): readonly ProcessHolder[] => search(host, devices).holders[id] ?? [];

test('mappings, files, working directory, root and executable are found by device number; others are left out', () => {
  const [holder, ...others] = of(hostOf({
    10: { mappings: [{}, { dev: '8:1', name: '/lib/libc.so' }], files: [{ fd: 3, target: '/mnt/big', dev: '259:0', ino: 12 }, { fd: 4, target: '/tmp/x', dev: '8:1', ino: 3 }], fdinfo: { 3: 'flags:\t0100002\n' } },
    11: { mappings: [{ dev: '8:1', name: '/mnt/not-it' }] },
    12: { places: { cwd: { target: '/mnt/dir', dev: '259:0', ino: 30 }, exe: { target: '/mnt/bin/x', dev: '259:0', ino: 31 } } },
  }));
  assert.deepEqual([holder?.pid, holder?.mappings.length, holder?.files, holder?.unit], [10, 1, [{ fd: 3, file: '/mnt/big', deleted: false, flags: '0100002' }], 'db.service']);
  assert.deepEqual(others.map((h) => [h.pid, h.cwd, h.root, h.exe]), [[12, '/mnt/dir', null, '/mnt/bin/x']]);
});

test('a dax node is found by the number of the character device, under any name; a block node of the same number is not it', () => {
  const host = hostOf({
    20: { mappings: [{ dev: '0:7', ino: 107, name: '/dev/dax0.0', rdev: '251:0' }] },
    21: { mappings: [{ dev: '0:30', ino: 5, name: '/c/rootfs/dev/dax0.0 (deleted)', rdev: '251:0' }] },
    22: { mappings: [{ dev: '251:0', ino: 9, name: '/srv/on-a-block-device-251-0' }] },
    23: { files: [{ fd: 3, target: '/dev/zram0', dev: '0:7', ino: 8, rdev: '251:0' }] },
    24: { files: [{ fd: 3, target: '/dev/dax0.0', dev: '0:7', ino: 107, rdev: '251:0' }] },
  });
  assert.deepEqual(of(host, DAX.id).map((h) => h.pid), [20, 21, 24]);
  assert.deepEqual(of(host), []);
});

test('hostile names stay what they are', () => {
  const name = '/mnt/a\nb c\xff';
  const [holder] = of(hostOf({ 30: { mappings: [{ name }, { name: '/mnt/x (deleted)', ino: 40 }, { name: '/mnt/really (deleted)', ino: 41 }] } }, { stat: { '/proc/30/root/mnt/really (deleted)': { dev: '259:0', ino: 41 } } }));
  assert.deepEqual(holder?.mappings.map((m) => [m.file, m.deleted]), [[name, false], ['/mnt/x', true], ['/mnt/really (deleted)', false]]);
});

test('without device numbers, files are placed by the mounts of their own namespace', () => {
  const mount = (namespaceId: number, mountPoint: string, dev: string): Mount => ({ namespaceId, mountPoint, dev }) as unknown as Mount;
  const host = hostOf({
    40: { files: [{ fd: 3, target: '/mnt/big' }, { fd: 4, target: '/mnt/inner/y' }, { fd: 5, target: '/mntx/z' }], namespace: 1 },
    41: { files: [{ fd: 3, target: '/mnt/big' }], namespace: 2 },
    42: { files: [{ fd: 3, target: '/mnt/gone (deleted)' }], namespace: 1 },
    43: { files: [{ fd: 3, target: '/mnt/big' }], namespace: 9 },
  }, { kind: 'capture' });
  const mounts = [mount(1, '/', '8:1'), mount(1, '/mnt', '259:0'), mount(1, '/mnt/inner', '8:1'), mount(2, '/', '8:1')];
  const { holders } = search(host, [PMEM], mounts);
  assert.deepEqual(holders[PMEM.id]?.map((h) => [h.pid, h.files.map((f) => [f.fd, f.file, f.deleted])]), [[40, [[3, '/mnt/big', false]]], [42, [[3, '/mnt/gone', true]]]]);
});

test('a mount on top of another at the same place hides it', () => {
  const mounts = [{ namespaceId: 1, mountPoint: '/mnt', dev: '8:1' }, { namespaceId: 1, mountPoint: '/mnt', dev: '259:0' }] as unknown as Mount[];
  const host = hostOf({ 45: { files: [{ fd: 3, target: '/mnt/f' }], namespace: 1 } }, { kind: 'capture' });
  assert.equal(search(host, [PMEM], mounts).holders[PMEM.id]?.length, 1);
});

test('of kernel threads neither mappings nor descriptors are read', () => {
  const proxy = recordHost(hostOf({ 2: { flags: KTHREAD, comm: 'kthreadd' } }));
  search(proxy.host);
  assert.deepEqual([...new Set(proxy.calls.filter((c) => c.facet === 'processes' && c.args[0] === 2).map((c) => c.args[1] ?? c.method))].sort(), ['stat']);
});

test('a process whose first thread has ended is seen through another thread', () => {
  const holders = of(hostOf({ 50: { state: 'Z', threads: [50, 51] }, 51: { mappings: [{}] } }));
  assert.deepEqual(holders.map((h) => [h.pid, h.mappings.length]), [[50, 1]]);
});

test('a process that ends at any moment of the search is noted or found, never an error', () => {
  const processes = { 60: { mappings: [{}], files: [{ fd: 3, target: '/mnt/big', dev: '259:0', ino: 12 }] }, 61: { mappings: [{}] } };
  const whole = recordHost(hostOf(processes));
  search(whole.host);
  assert.ok(whole.calls.length > 20);
  for (let at = 0; at < whole.calls.length; at += 1) {
    // From this call on, process 60 is gone.
    const proxy = recordHost(hostOf(processes), [{ at: (c) => c.index >= at && c.facet === 'processes' && c.args[0] === 60, fault: { kind: 'missing', absence: 'vanished', detail: 'ESRCH' } }]);
    const { holders, notes } = search(proxy.host);
    const pids = holders[PMEM.id]?.map((h) => h.pid) ?? [];
    assert.ok(pids.includes(61), `process 61 is found whatever happens to 60 (call ${at})`);
    assert.ok(pids.includes(60) || notes.some((n) => n.code === 'vanished' && n.text.includes('60')), `call ${at}: 60 neither found nor noted`);
  }
});

test('a pid that changes hands meanwhile is not mistaken for its predecessor', () => {
  let start = 0;
  const host = hostOf({ 65: { mappings: [{}] } });
  const read = host.processes.read.bind(host.processes);
  const changing = { ...host, processes: { ...host.processes, read: (pid: number, name: 'stat') => {
    start += 1;
    return name === 'stat' ? bytes(`65 (h) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 4096 1 2 3 4 5 0`) : read(pid, name);
  } } } as Host;
  const { holders, notes } = search(changing);
  assert.deepEqual(holders[PMEM.id], []);
  assert.ok(notes.some((n) => n.code === 'vanished'));
});

for (const absence of ['denied', 'not-captured', 'unreadable', 'malformed', 'unsafe'] satisfies Absence[]) {
  test(`what cannot be looked at (${absence}) is one note with the number of processes`, () => {
    const proxy = recordHost(hostOf({ 70: {}, 71: {}, 72: { mappings: [{}] } }), [{ at: (c) => c.method === 'mappings' && c.args[0] !== 72, fault: { kind: 'missing', absence } }]);
    const { holders, notes } = search(proxy.host);
    assert.deepEqual(holders[PMEM.id]?.map((h) => h.pid), [72]);
    assert.match(notes.find((n) => n.code === absence)?.text ?? '', /mappings of 2 processes .*70, 71/);
  });
}

test('an ordinary user sees that the processes of others are denied', () => {
  const { notes } = search(hostOf({ 75: { denied: true }, 2: { denied: true, flags: KTHREAD } }));
  assert.match(notes.find((n) => n.code === 'denied')?.text ?? '', /of 1 processes may not be read by this user \(75\)/);
});

test('no process list at all is said', () => {
  const host = hostOf({});
  const { holders, notes } = search({ ...host, processes: { ...host.processes, pids: () => missing('not-captured', '/proc') } } as unknown as Host);
  assert.deepEqual([holders[PMEM.id], notes.map((n) => n.code)], [[], ['not-captured']]);
});

test('pins: registered buffers inside a mapping are seen, outside possible, unreadable possible', () => {
  const ring: OpenFile = { fd: 5, target: 'anon_inode:[io_uring]', dev: '0:15', ino: 1 };
  const pins = (fdinfo?: string): unknown => of(hostOf({ 80: { mappings: [{}], files: [ring], ...(fdinfo === undefined ? {} : { fdinfo: { 5: fdinfo } }) } }))[0]?.pins.map((p) => [p.kind, p.certainty, p.bytes]);
  assert.deepEqual(pins('UserBufs:\t1\n    0: 0x2000/8192\n'), [['io_uring', 'seen', 4096]]);
  assert.deepEqual(pins('UserBufs:\t1\n    0: 0x9000/4096\n'), [['io_uring', 'possible', null]]);
  assert.deepEqual(pins('UserBufs:\t4\n'), [['io_uring', 'possible', null]]);
  assert.deepEqual(pins('UserBufs:\t0\n'), [['io_uring', 'possible', null]]);
  assert.deepEqual(pins(), [['io_uring', 'possible', null]]);
});

test('pins: vfio, iommufd, verbs, AF_XDP rings, AIO, pipes and unreadable descriptors', () => {
  const open = (fd: number, target: string): OpenFile => ({ fd, target, dev: '0:15', ino: fd });
  const holder = of(hostOf({ 81: {
    mappings: [{}, { dev: '0:8', name: 'socket:[77]', offset: 0x100000000, ino: 77 }, { dev: '0:17', name: '/[aio] (deleted)', ino: 3 }],
    files: [open(3, '/dev/vfio/12'), open(4, '/dev/iommu'), open(5, '/dev/infiniband/uverbs0'), open(6, 'pipe:[9]'), open(7, 'socket:[77]')],
  } }))[0];
  assert.deepEqual(holder?.pins.map((p) => [p.kind, p.certainty]), [['vfio', 'possible'], ['iommufd', 'possible'], ['rdma', 'possible'], ['pipe', 'possible'], ['af_xdp', 'possible'], ['io-in-flight', 'possible']]);
  const blind = recordHost(hostOf({ 82: { mappings: [{}] } }), [{ at: (c) => c.method === 'openFiles', fault: { kind: 'missing', absence: 'denied' } }]);
  assert.deepEqual(of(blind.host)[0]?.pins.map((p) => [p.kind, p.certainty]), [['other', 'unseen']]);
});

test('a virtual machine with a vfio device has its memory pinned', () => {
  const files: OpenFile[] = [{ fd: 9, target: 'anon_inode:kvm-vm', dev: '0:15', ino: 1 }, { fd: 10, target: 'anon_inode:[vfio-device]', dev: '0:15', ino: 2 }];
  const [vm] = of(hostOf({ 83: { mappings: [{}], files, comm: 'qemu-system-x86', cmdline: '/usr/bin/qemu-system-x86_64\0-m\x004G\0' } }));
  assert.deepEqual([vm?.vm, vm?.pins.map((p) => [p.kind, p.certainty])], [{ program: 'qemu', evidence: 'fd 9 anon_inode:kvm-vm' }, [['vfio', 'seen'], ['kvm', 'possible']]]);
  const [named] = of(hostOf({ 84: { mappings: [{}], comm: 'cloud-hyperviso' } }));
  assert.equal(named?.vm?.program, 'cloud-hypervisor');
  assert.equal(of(hostOf({ 85: { mappings: [{}], comm: 'qemu-img' } }))[0]?.vm, null);
});

test('processes of one address space are reported once, forked ones each', () => {
  const processes = { 90: { mappings: [{}] }, 91: { mappings: [{}], files: [{ fd: 3, target: '/mnt/big', dev: '259:0', ino: 12 }] }, 92: { mappings: [{}] } };
  const shared = of(hostOf(processes, { same: [90, 91] }));
  assert.deepEqual(shared.map((h) => [h.pid, h.mappings.length, h.files.length, h.sharesMemoryWith]), [[90, 1, 0, [91]], [91, 0, 1, [90]], [92, 1, 0, []]]);
  assert.deepEqual(of(hostOf(processes)).map((h) => h.mappings.length), [1, 1, 1]);
});

test('one process that holds several devices is reported for each, with what it holds of each', () => {
  const host = hostOf({ 95: { mappings: [{}, { dev: '0:7', ino: 107, name: '/dev/dax0.0', rdev: '251:0', start: 0x9000, end: 0xb000 }] } });
  const { holders } = search(host, [PMEM, DAX, device('other', 'fsdax', ['259:9'])]);
  assert.deepEqual(Object.entries(holders).map(([id, list]) => [id, list.map((h) => h.mappings.map((m) => m.start))]), [[PMEM.id, [[0x1000]]], [DAX.id, [[0x9000]]], ['other', []]]);
});
