/** Machines that no capture shows, planted as small trees: what the inventory makes of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapText } from '../src/cli/print/map.ts';
import { scanText } from '../src/cli/print/scan.ts';
import { physicalMap } from '../src/machine/address-map/physical-map.ts';
import { findDevice } from '../src/machine/devices/find.ts';
import { offlineObstacles } from '../src/machine/memory/obstacles.ts';
import { readRoom } from '../src/machine/memory/room.ts';
import { readMachine } from '../src/machine/read.ts';
import { withHolders } from '../src/machine/with-holders.ts';
import { MiB } from '../src/range/units.ts';
import { planted, type Tree } from './planted.ts';

const block = (index: number, node: number, more: Tree = {}): Tree => Object.fromEntries([
  ['state', 'online\n'], ['valid_zones', 'Normal\n'], ['removable', '1\n'], [`node${node}`, `-> ../../node/node${node}`], ...Object.entries(more),
].map(([name, text]) => [`sys/devices/system/memory/memory${index}/${name}`, text!]));

const SIZE: Tree = { 'sys/devices/system/memory/block_size_bytes': '8000000\n' };
const ND = 'sys/devices/platform/nd/ndbus0';

test('a namespace that was torn into partitions, LVM, a loop file, swap, an overlay and an export', async (t) => {
  const blockDir = `${ND}/region0/namespace0.0/block/pmem0`;
  const host = await planted(t, {
    'sys/bus/nd/devices/ndbus0': '-> ../../../devices/platform/nd/ndbus0',
    [`${ND}/provider`]: 'ACPI.NFIT\n', [`${ND}/region0/devtype`]: 'nd_pmem\n', [`${ND}/region0/size`]: '1073741824\n', [`${ND}/region0/resource`]: '0x100000000\n',
    [`${ND}/region0/badblocks`]: '2097152 8\n', [`${ND}/region0/namespace0.0/size`]: '1073741824\n', [`${ND}/region0/namespace0.0/resource`]: '0x100000000\n',
    [`${ND}/region0/namespace0.0/mode`]: 'raw\n', [`${ND}/region0/namespace0.0/driver`]: '-> ../../../../../bus/nd/drivers/nd_pmem',
    [`${blockDir}/dev`]: '259:0\n', [`${blockDir}/size`]: '2097152\n', [`${blockDir}/pmem0p1/partition`]: '1\n', [`${blockDir}/pmem0p1/dev`]: '259:1\n',
    [`${blockDir}/pmem0p1/holders/dm-0`]: '-> ../../../../../../../../../virtual/block/dm-0',
    'sys/devices/virtual/block/dm-0/dm/name': 'vg-lv\n', 'sys/devices/virtual/block/dm-0/dev': '253:0\n', 'sys/devices/virtual/block/dm-0/slaves/pmem0p1': '-> x',
    'sys/devices/virtual/block/loop0/loop/backing_file': '/data/disk.img\n', 'sys/devices/virtual/block/loop0/dev': '7:0\n',
    'sys/class/block/pmem0': '-> ../../devices/platform/nd/ndbus0/region0/namespace0.0/block/pmem0',
    'sys/class/block/pmem0p1': '-> ../../devices/platform/nd/ndbus0/region0/namespace0.0/block/pmem0/pmem0p1',
    'sys/class/block/dm-0': '-> ../../devices/virtual/block/dm-0', 'sys/class/block/loop0': '-> ../../devices/virtual/block/loop0',
    'proc/1/mountinfo': '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 253:0 / /data rw - ext4 /dev/mapper/vg-lv rw\n3 1 7:0 / /loop rw - xfs /dev/loop0 rw\n4 1 0:50 / /merged rw - overlay overlay rw,lowerdir=/data/lower,upperdir=/tmp/u,workdir=/tmp/w\n',
    'proc/1/stat': '1 (init) S 0 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n', 'proc/1/maps': '', 'proc/1/comm': 'init\n', 'proc/1/status': 'Name:\tinit\n',
    'proc/swaps': 'Filename Type Size Used Priority\n/data/swap\\040file file 1024 512 -2\n',
    'var/lib/nfs/etab': '/data/pub\t*(rw,sync)\n',
  });
  const machine = withHolders(host, readMachine(host));
  const device = findDevice(machine, '/dev/mapper/vg-lv');
  assert.equal(device.id, 'raw-pmem:namespace0.0');
  for (const number of ['259:0', '259:1', '253:0', '7:0', '0:50']) assert.ok(device.deviceNumbers.includes(number), number);
  for (const name of ['/data', '/loop', '/dev/loop0', '/dev/pmem0p1', 'namespace0.0']) assert.equal(findDevice(machine, name).id, device.id, name);
  const holders = (machine.holders[device.id] ?? []).map((h) => (h.kind === 'mount' ? `mount ${h.mountPoint}` : h.kind === 'stack' ? `stack ${h.block}` : h.kind === 'swap' ? `swap ${h.path} ${h.usedBytes}` : h.kind));
  assert.deepEqual(holders, ['mount /data', 'mount /loop', 'mount /merged', 'stack pmem0p1', 'stack dm-0', 'stack loop0', 'swap /data/swap file 524288']);
  assert.match(device.use, /exported over NFS: \/data\/pub/);
  assert.deepEqual(machine.exports?.[0]?.onDev, '253:0');
  assert.deepEqual(machine.nvdimm[0]?.regions[0]?.namespaces[0]?.badblocks, [], 'the bad sectors lie behind the end of the namespace');
});

test('bad blocks of the region, cut to the namespace and counted from its start', async (t) => {
  const host = await planted(t, {
    'sys/bus/nd/devices/ndbus0': '-> ../../../devices/platform/nd/ndbus0', [`${ND}/region0/resource`]: '0x100000000\n', [`${ND}/region0/size`]: '33554432\n',
    [`${ND}/region0/badblocks`]: '0 1\n32768 2\n', [`${ND}/region0/namespace0.0/size`]: '16777216\n', [`${ND}/region0/namespace0.0/resource`]: '0x101000000\n', [`${ND}/region0/namespace0.0/mode`]: 'raw\n',
  });
  assert.deepEqual(readMachine(host).nvdimm[0]?.regions[0]?.namespaces[0]?.badblocks, [{ start: 0, end: 1024 }]);
});

test('a DIMM with its blocks, from links in either direction; an empty socket is no device', async (t) => {
  const acpi = 'sys/bus/acpi/devices';
  const host = await planted(t, {
    ...SIZE, ...block(32, 1, { firmware_node: '-> ../../../LNXSYSTM:00/PNP0C80:00' }), ...block(33, 1),
    'sys/devices/LNXSYSTM:00/PNP0C80:00/status': '15\n', 'sys/devices/LNXSYSTM:00/PNP0C80:00/eject': '', 'sys/devices/LNXSYSTM:00/PNP0C80:00/physical_node1': '-> ../../system/memory/memory33',
    'sys/devices/LNXSYSTM:00/PNP0C80:01/status': '0\n',
    [`${acpi}/PNP0C80:00`]: '-> ../../../devices/LNXSYSTM:00/PNP0C80:00', [`${acpi}/PNP0C80:01`]: '-> ../../../devices/LNXSYSTM:00/PNP0C80:01',
  });
  const machine = readMachine(host);
  assert.deepEqual(machine.dimms.map((d) => [d.name, d.status, d.blocks, d.ejectable]), [['PNP0C80:00', 15, [32, 33], true], ['PNP0C80:01', 0, [], false]]);
  assert.deepEqual(machine.devices.filter((d) => d.kind === 'dimm').map((d) => [d.name, d.size / MiB]), [['PNP0C80:00', 256]]);
  assert.deepEqual(findDevice(machine, 'memory33').partOf, ['dimm:PNP0C80:00']);
});

test('a dax device of two ranges with the whole-device state file, another one mounted by famfs', async (t) => {
  const path = 'sys/devices/platform/hmem.0';
  const host = await planted(t, {
    'sys/bus/dax/devices/dax0.0': '-> ../../../devices/platform/hmem.0/dax0.0', 'sys/bus/dax/devices/dax0.1': '-> ../../../devices/platform/hmem.0/dax0.1',
    [`${path}/dax0.0/size`]: '402653184\n', [`${path}/dax0.0/state`]: 'online_movable\n', [`${path}/dax0.0/driver`]: '-> ../../../../bus/dax/drivers/kmem',
    [`${path}/dax0.0/mapping0/start`]: '0x100000000\n', [`${path}/dax0.0/mapping0/end`]: '0x107ffffff\n', [`${path}/dax0.0/mapping1/start`]: '0x200000000\n', [`${path}/dax0.0/mapping1/end`]: '0x20fffffff\n',
    [`${path}/dax0.1/size`]: '2097152\n', [`${path}/dax0.1/dev`]: '250:1\n', [`${path}/dax0.1/driver`]: '-> ../../../../bus/dax/drivers/fsdev_dax',
    'proc/1/mountinfo': '2 1 0:60 / /fam rw - famfs /dev/dax0.1 rw,shadow=/x\n', 'proc/1/stat': '1 (init) S 0 1 1 0 -1 0\n',
  });
  const machine = readMachine(host);
  assert.deepEqual(machine.dax.map((d) => [d.name, d.driver, d.state, d.ranges.length]), [['dax0.0', 'kmem', 'online_movable', 2], ['dax0.1', 'fsdev_dax', null, 0]]);
  const famfs = findDevice(machine, '/fam');
  assert.deepEqual([famfs.name, famfs.use, famfs.deviceNumbers], ['dax0.1', 'famfs on /fam', ['250:1', '0:60']]);
});

test('an interleaved CXL region goes down with either memdev', async (t) => {
  const root = 'sys/devices/platform/ACPI0017:00/root0';
  const link = (name: string, to: string): [string, string] => [`sys/bus/cxl/devices/${name}`, `-> ../../../${to.replace(/^sys\//, '')}`];
  const endpoint = (n: number): [string, string][] => [
    link(`endpoint${n + 2}`, `${root}/port1/endpoint${n + 2}`), [`${root}/port1/endpoint${n + 2}/uport`, `-> ../../../../../pci0000:0c/0000:0${n + 1}:00.0/mem${n}`],
    [`${root}/port1/endpoint${n + 2}/decoder${n + 2}.0/region`, 'region0\n'], [`${root}/port1/endpoint${n + 2}/decoder${n + 2}.0/locked`, '1\n'],
    link(`mem${n}`, `sys/devices/pci0000:0c/0000:0${n + 1}:00.0/mem${n}`), [`sys/devices/pci0000:0c/0000:0${n + 1}:00.0/mem${n}/ram/size`, '0x10000000\n'], [`sys/devices/pci0000:0c/0000:0${n + 1}:00.0/mem${n}/serial`, `0x${n + 7}\n`],
  ];
  const host = await planted(t, Object.fromEntries([
    ...endpoint(0), ...endpoint(1), link('region0', `${root}/decoder0.0/region0`), [`${root}/decoder0.0/region0/mode`, 'ram\n'], [`${root}/decoder0.0/region0/commit`, '1\n'],
    [`${root}/decoder0.0/region0/interleave_ways`, '2\n'], [`${root}/decoder0.0/region0/target0`, 'decoder2.0\n'], [`${root}/decoder0.0/region0/target1`, 'decoder3.0\n'],
    [`${root}/decoder0.0/region0/resource`, '0x690000000\n'], [`${root}/decoder0.0/region0/size`, '0x20000000\n'],
  ]));
  const machine = readMachine(host);
  assert.deepEqual(machine.cxl.regions[0]?.targets.map((x) => x.memdev), ['mem0', 'mem1']);
  assert.deepEqual(findDevice(machine, 'cxl:region0').partOf, ['cxl-memdev:mem0', 'cxl-memdev:mem1']);
  assert.deepEqual(machine.cxl.ports.flatMap((p) => p.decoders).map((d) => d.locked), [true, true]);
  assert.equal(findDevice(machine, '02:00.0').name, 'mem1', 'a PCI address without its domain');
  assert.equal(findDevice(machine, 'serial:0x7').name, 'mem0');
});

test('the driver of a slot: from its port, else by its files', async (t) => {
  const slot = (name: string, address: string, files: string[]): Tree => Object.fromEntries([['address', `${address}\n`], ...files.map((f) => [f, '1\n'])].map(([file, text]) => [`sys/bus/pci/slots/${name}/${file}`, text!]));
  const host = await planted(t, {
    ...slot('1', '0000:0d:00', ['power', 'adapter', 'latch']), ...slot('2', '0000:0e:00', ['power', 'adapter', 'latch']), ...slot('3', '0000:0f:00', ['power', 'attention']), ...slot('4', '0000:10:00', []),
    'sys/bus/pci_express/drivers/pciehp/0000:00:01.0:pcie204/uevent': '', 'sys/bus/pci/devices/0000:00:01.0/secondary_bus_number': '13\n',
  });
  assert.deepEqual(readMachine(host).slots.map((s) => s.driver), ['pciehp', 'acpiphp', 'pciehp', null]);
});

test('rivals: rules with their override order, policies, configuration, monitors', async (t) => {
  const rule = 'SUBSYSTEM=="memory", ACTION=="add", ATTR{state}="online"\n';
  const host = await planted(t, {
    ...SIZE, 'sys/devices/system/memory/auto_online_blocks': 'online_movable\n', 'proc/cmdline': 'memhp_default_state=online_movable\n',
    'usr/lib/udev/rules.d/40-a.rules': rule, 'etc/udev/rules.d/40-a.rules': '# masked\n', 'run/udev/rules.d/50-b.rules': rule,
    'etc/daxctl.conf.d/x.conf': '[reconfigure-device a]\nmode=system-ram\n', 'usr/lib/systemd/system/daxdev-reconfigure@.service': '[Unit]\n',
    'proc/7/comm': 'process-exporte\n', 'proc/7/stat': '7 (process-exporte) S 1\n',
  });
  const rivals = readMachine(host).rivals.map((r) => [r.kind, r.where]);
  assert.deepEqual(rivals, [
    ['auto-online', '/sys/devices/system/memory/auto_online_blocks'], ['cmdline', 'memhp_default_state=online_movable'],
    ['udev-rule', '/run/udev/rules.d/50-b.rules:1'], ['service', '/usr/lib/systemd/system/daxdev-reconfigure@.service'],
    ['service', '/etc/daxctl.conf.d/x.conf'], ['monitor', 'process-exporte (pid 7)'],
  ]);
});

test('what a capture says is printed, never obeyed: control sequences show as their codes', async (t) => {
  const host = await planted(t, {
    'proc/iomem': '00001000-7fffffff : System RAM\n100000000-11fffffff : Persistent\u001b[2J Memory\n180000000-1ffffffff : Soft Reserved\n',
    'uname.txt': 'Linux host 7.2.0\u001b]0;x #1 SMP x86_64 GNU/Linux\n', 'sys/bus/cxl/devices/mem0/serial': '0x1\u001b[31m\n',
    'proc/1/mountinfo': '1 0 8:1 / /a\u001b[1m rw - ext4 /dev/sda1 rw\n', 'proc/1/stat': '1 (init) S 0\n',
  });
  const machine = readMachine(host);
  const page = { width: 100, style: (_: string, text: string) => text };
  for (const text of [scanText(machine, page), mapText(physicalMap(machine), page)]) assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test('a range that an unbind leaked is named', async (t) => {
  const host = await planted(t, {
    'proc/iomem': '100000000-11fffffff : Persistent Memory\n  108000000-11fffffff : dax0.0\n    108000000-11fffffff : System RAM (kmem)\n',
    'sys/bus/dax/devices/dax0.0': '-> ../../../devices/x/dax0.0', 'sys/devices/x/dax0.0/size': '534773760\n',
  });
  const [note] = readMachine(host).notes.filter((n) => n.code === 'region-leaked');
  assert.match(note?.text ?? '', /0x108000000-0x11fffffff is still System RAM of dax0.0/);
});

test('a block of two nodes, a block of unknown state, and files that make no sense become notes or nulls, never facts', async (t) => {
  const host = await planted(t, {
    ...SIZE, ...block(7, 0, { node1: '-> ../../node/node1', valid_zones: 'none\n' }), ...block(8, 0, { state: 'sideways\n', removable: 'x\n' }),
    'proc/meminfo': '\0\0\0', 'proc/swaps': '\xff', 'proc/zoneinfo': 'zone zone zone', 'sys/bus/cxl/devices/mem0/ram/size': 'huge\n',
  });
  const machine = readMachine(host);
  assert.deepEqual(offlineObstacles(machine.memory.blocks[0]!).map((o) => o.reason), ['block-spans-nodes']);
  assert.deepEqual([machine.memory.blocks[1]?.state, machine.memory.blocks[1]?.removable], ['unknown', null]);
  assert.equal(machine.cxl.memdevs[0]?.ramSize, null);
  assert.deepEqual(machine.notes.filter((n) => n.code === 'malformed').map((n) => n.subject), [
    '/sys/devices/system/memory/memory8/state', '/sys/devices/system/memory/memory8/removable', '/sys/bus/cxl/devices/mem0/ram/size',
  ]);
});

test('room: what would be emptied, who is confined to it, and that it does not fit', async (t) => {
  const node = (id: number, free: number): Tree => ({ [`sys/devices/system/node/node${id}/meminfo`]: `Node ${id} MemTotal: 262144 kB\nNode ${id} MemFree: ${free} kB\nNode ${id} Active(file): 100 kB\n` });
  const host = await planted(t, {
    ...SIZE, ...block(0, 0), ...block(1, 1), ...block(2, 1), ...node(0, 1024), ...node(1, 0), 'proc/meminfo': 'SwapFree: 0 kB\n', 'uname.txt': 'Linux host 7.2.0 #1 SMP x86_64 GNU/Linux\n',
    'sys/fs/cgroup/cgroup.procs': '', 'sys/fs/cgroup/batch/cgroup.procs': '', 'sys/fs/cgroup/batch/cpuset.mems': '1\n', 'sys/fs/cgroup/web/cgroup.procs': '', 'sys/fs/cgroup/web/cpuset.mems': '0-1\n',
    'sys/fs/cgroup/web/memory.max': 'max\n', 'sys/fs/cgroup/web/memory.swap.max': '0\n', 'sys/fs/cgroup/web/memory.swap.current': '0\n', 'sys/fs/cgroup/web/memory.numa_stat': 'anon N0=4096 N1=8192\nfile N0=0 N1=4096\nslab_reclaimable N0=1 N1=1\n',
    'sys/fs/cgroup/batch/job/cgroup.procs': '', 'sys/fs/cgroup/batch/job/memory.max': '8192\n', 'sys/fs/cgroup/batch/job/memory.current': '4096\n',
    'sys/fs/cgroup/other/cgroup.procs': '', 'sys/fs/cgroup/other/memory.max': '8192\n', 'sys/fs/cgroup/other/memory.numa_stat': 'anon N0=4096 N1=0\nfile N0=0 N1=0\n',
    'proc/9/status': 'Name:\tcalc\nMems_allowed_list:\t1\n', 'proc/9/stat': '9 (calc) S 1\n',
  });
  const { memory } = readMachine(host);
  const pages = { movable: 10000, hugetlb: 0, kernel: 0, slab: 0, pageTables: 0, reserved: 0, poisoned: 0, free: 22768, offline: 0, unknown: 0 };
  const room = readRoom(host, memory, memory.blocks.filter((b) => b.nodes.includes(1)).map((b) => ({ ...b, pages })));
  assert.deepEqual([room.emptied, room.fits, room.movable], [[1], 'no', 20000 * 4096]);
  assert.deepEqual(room.confined.map((c) => c.who), ['cgroup /batch', 'pid 9 (calc)']);
  assert.deepEqual(room.limited, [
    { who: 'cgroup /batch/job', max: 8192, current: 4096, swapMax: null, swapCurrent: null, onNodes: null, source: '/sys/fs/cgroup/batch/job/memory.max' },
    { who: 'cgroup /web', max: null, current: null, swapMax: 0, swapCurrent: 0, onNodes: 12288, source: '/sys/fs/cgroup/web/memory.swap.max' },
  ].sort((a, b) => (b.onNodes ?? 0) - (a.onNodes ?? 0)));
});
