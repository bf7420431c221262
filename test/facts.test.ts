/** Facts that are in the captures of real machines, each found by the inventory. What they are was noted when the captures were taken. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { scanText } from '../src/cli/print/scan.ts';
import { collisionsOf } from '../src/machine/address-map/collisions.ts';
import { segmentsOf } from '../src/machine/address-map/segments.ts';
import { readBlockPages, withPages } from '../src/machine/memory/pages.ts';
import { offlineObstacles } from '../src/machine/memory/obstacles.ts';
import { readRoom } from '../src/machine/memory/room.ts';
import type { Machine } from '../src/machine/machine.ts';
import type { Device } from '../src/machine/types/device.ts';
import type { ProcessHolder } from '../src/machine/types/holder.ts';
import { isMissing } from '../src/host/fact.ts';
import { MiB } from '../src/range/units.ts';
import { look, lookAt, peerMissing, peerPath } from './captures.ts';

const deviceOf = (machine: Machine, id: string): Device => machine.devices.find((d) => d.id === id) ?? assert.fail(`no ${id} among ${machine.devices.map((d) => d.id).join(', ')}`);
const processes = (machine: Machine, id: string): ProcessHolder[] => (machine.holders[id] ?? []).filter((h) => h.kind === 'process');

for (const name of ['fsdax-6.1-ext4', 'fsdax-6.12-xfs', 'fsdax-7.2-ext4']) {
  test(`${name}: two holders with the right file, size and mount`, async () => {
    const { machine } = await lookAt(name);
    const device = deviceOf(machine, 'fsdax:namespace0.0');
    assert.equal(device.name, 'pmem0');
    assert.deepEqual(device.ranges, [{ start: 0x100000000, end: 0x120000000 }]);
    const mapped = processes(machine, device.id).flatMap((p) => p.mappings.map((m) => [m.file, m.end - m.start]));
    assert.deepEqual(mapped.sort(), [['/mnt/big', 4 * MiB], ['/mnt/small', 65536]]);
    const [mount] = (machine.holders[device.id] ?? []).filter((h) => h.kind === 'mount');
    assert.deepEqual([mount?.mountPoint, mount?.dax, mount?.fsType], ['/mnt', 'always', name.split('-').at(-1)]);
  });
}

for (const name of ['devdax-holder-none-7.2', 'devdax-holder-u-7.2']) {
  test(`${name}: the holder of the character device${name.includes('-u-') ? ', and its io_uring pin' : ''}`, async () => {
    const { machine } = await lookAt(name);
    const [holder, ...others] = processes(machine, 'devdax:dax0.0');
    assert.deepEqual(others, []);
    assert.equal(holder?.mappings[0]?.file, '/dev/dax0.0');
    const seen = holder.pins.filter((p) => p.kind === 'io_uring');
    // The capture lists the ring among the descriptors but has no fdinfo: that its buffers are in the mapping can only be possible.
    if (name.includes('-u-')) {
      assert.deepEqual(seen.map((p) => p.certainty), ['possible']);
      assert.match(seen[0]!.evidence, /^fd 4 anon_inode:\[io_uring\], .*fdinfo: not-captured/);
      assert.match(scanText(machine, { width: 120, style: (_, text) => text }), /dax0\.0 .* 1 process; perhaps pinned by io_uring/);
    } else assert.deepEqual(seen, []);
    assert.equal(machine.nvdimm[0]?.regions[0]?.namespaces[0]?.chardev, 'dax0.0');
  });
}

test('many-namespaces: every namespace, its claimant, its memmap, its mount', async () => {
  const { machine } = await lookAt('many-namespaces-7.2');
  const found = machine.nvdimm.flatMap((b) => b.regions.flatMap((r) => r.namespaces)).map((n) => [n.name, n.mode, n.memmap, (n.size ?? 0) / MiB, n.bindName, n.driver, n.block ?? n.chardev]);
  assert.deepEqual(found, [
    ['namespace0.0', 'fsdax', 'mem', 16, 'pfn0.0', 'nd_pmem', 'pmem0'],
    ['namespace0.1', 'fsdax', 'mem', 16, 'pfn0.1', 'nd_pmem', 'pmem0.1'],
    ['namespace0.2', 'fsdax', 'dev', 16, 'pfn0.2', 'nd_pmem', 'pmem0.2'],
    ['namespace0.3', 'devdax', 'dev', 32, 'dax0.0', 'dax_pmem', 'dax0.3'],
    ['namespace0.4', 'fsdax', 'dev', 32, 'pfn0.3', 'nd_pmem', 'pmem0.4'],
    ['namespace0.5', 'sector', 'none', 16, 'btt0.0', null, null],
  ]);
  for (const block of ['pmem0', 'pmem0.1', 'pmem0.2', 'pmem0.4']) assert.ok(machine.mounts.some((m) => m.mountPoint === `/mnt${block}` && m.dax === 'always'), block);
  const [shared] = collisionsOf(segmentsOf(machine), 128 * MiB, machine.memory.blocks);
  assert.deepEqual([shared?.section, shared?.kind, shared?.owners.length], [32, 'section', 5]);
});

test('mixed: RAM and pmem share sections 8 and 9, and with them two memory blocks', async () => {
  const { machine } = await lookAt('mixed-ram-pmem-6.12');
  const shared = collisionsOf(segmentsOf(machine), 128 * MiB, machine.memory.blocks);
  assert.deepEqual(shared.map((c) => [c.section, c.kind, c.blocks]), [[8, 'block', [8]], [9, 'block', [9]]]);
  const reasons = machine.memory.blocks.filter((b) => offlineObstacles(b).some((o) => o.reason === 'block-has-pmem')).map((b) => b.index);
  assert.deepEqual(reasons, [8, 9]);
  assert.equal(machine.nvdimm[0]?.provider, 'e820');
});

test('sysram in zone Normal: memory33 holds kernel pages and stays, 34 and 35 may go; 126 MiB are lost', async () => {
  const { host, machine } = await lookAt('sysram-online-kernel-plain-7.2');
  const dax = machine.dax[0]!;
  assert.deepEqual([dax.driver, dax.blocks, dax.lostBytes, dax.size], ['kmem', [33, 34, 35], 126 * MiB, 510 * MiB]);
  const own = machine.memory.blocks.filter((b) => dax.blocks.includes(b.index));
  const read = withPages(own, readBlockPages(host, own));
  assert.deepEqual(read.map((b) => offlineObstacles(b).map((o) => [o.reason, o.errno])), [[['memory-unmovable', 'EBUSY']], [], []]);
  assert.deepEqual([read[0]?.pages?.slab, read[0]?.pages?.pageTables, read[0]?.pages?.firstUnmovablePfn], [11, 32, 0x108000]);
  assert.equal(read.every((b) => Object.entries(b.pages!).reduce((sum, [key, n]) => (key === 'firstUnmovablePfn' ? sum : sum + n), 0) === 32768), true);
});

test('sysram in zone Movable: nothing on the blocks stays, and there is room elsewhere', async () => {
  const { host, machine } = await lookAt('sysram-online-movable-plain-6.12');
  const own = machine.memory.blocks.filter((b) => machine.dax[0]!.blocks.includes(b.index));
  const read = withPages(own, readBlockPages(host, own));
  assert.deepEqual(read.flatMap(offlineObstacles), []);
  const room = readRoom(host, machine.memory, read);
  assert.deepEqual([room.fits, room.emptied, room.receivers.map((r) => r.node), room.movable], ['yes', [1], [0], (16415) * 4096]);
});

test('blocks of boot memory that stay, on every capture: two zones, the end of RAM, the kernel image', async () => {
  const { machine } = await lookAt('fsdax-7.2-ext4');
  const stay = machine.memory.blocks.map((b) => [b.index, offlineObstacles(b).map((o) => o.reason)] as const).filter(([, reasons]) => reasons.length > 0);
  assert.deepEqual(stay, [
    [0, ['block-has-hole', 'block-spans-zones']], [5, ['block-has-reserved']], [6, ['block-has-reserved']], [15, ['block-has-hole']],
  ]);
});

test('virtio-mem: 384 MiB of 1 GiB plugged, three blocks', async () => {
  const { machine } = await lookAt('virtio-mem-7.2');
  const [device] = machine.virtioMem;
  assert.deepEqual([device?.range, device?.plugged, device?.blocks, device?.pci], [
    { start: 0x100000000, end: 0x140000000 }, [{ start: 0x100000000, end: 0x118000000 }], [32, 33, 34], '0000:01:00.0',
  ]);
});

test('CXL as System RAM: region, decoders, memdev, slot and kmem range', async () => {
  const { machine } = await lookAt('cxl-region-kmem-7.2');
  const [region] = machine.cxl.regions;
  assert.deepEqual([region?.range, region?.mode, region?.committed, region?.targets, region?.daxDevices], [
    { start: 0x690000000, end: 0x6b0000000 }, 'ram', true, [{ decoder: 'decoder2.0', memdev: 'mem0' }], ['dax0.0'],
  ]);
  const taking = machine.cxl.ports.flatMap((p) => p.decoders).filter((d) => d.region === 'region0').map((d) => [d.name, d.kind, d.locked, d.committed]);
  assert.deepEqual(taking, [['decoder1.0', 'switch', false, true], ['decoder2.0', 'endpoint', false, true]]);
  assert.deepEqual(machine.dax[0]?.systemRam, [{ start: 0x690000000, end: 0x6b0000000 }]);
  assert.deepEqual(machine.dax[0]?.blocks, [210, 211, 212, 213]);
  const chain = ['kmem:dax0.0', 'cxl-region:region0', 'cxl-memdev:mem0', 'pci-slot:2'];
  chain.slice(1).forEach((id, i) => assert.deepEqual(deviceOf(machine, chain[i]!).partOf, [id]));
  assert.deepEqual(deviceOf(machine, 'pci-slot:2').blocks, [210, 211, 212, 213], 'pulling the card takes the blocks');
  assert.deepEqual(machine.slots.map((s) => [s.name, s.driver, s.power, s.adapter]), [['0', 'acpiphp', false, false], ['2', 'pciehp', true, true], ['3', 'pciehp', true, true]]);
});

test('CXL as pmem: the nvdimm region belongs to the CXL region, and its holder is found', async () => {
  const { machine } = await lookAt('cxl-region-fsdax-7.2');
  assert.deepEqual([machine.cxl.regions[0]?.mode, machine.cxl.regions[0]?.nvdimmRegion, machine.cxl.regions[0]?.targets[0]?.memdev], ['pmem', 'region0', 'mem1']);
  assert.deepEqual(deviceOf(machine, 'nvdimm-region:region0').partOf, ['cxl-region:region0']);
  assert.equal(processes(machine, 'fsdax:namespace0.0').length, 1);
});

const DELL = 'hwloc-32em64t-2n8c+dax+nvme+mic+dimms.tar.bz2';
test('the Dell dump: a dax device bound to kmem for a node that does not exist', { skip: peerMissing(DELL) }, async () => {
  const { machine } = await look(peerPath(DELL));
  const dax = machine.dax.find((d) => d.driver === 'kmem');
  assert.deepEqual([dax?.name, dax?.targetNode], ['dax1.4', 5]);
  assert.ok(machine.notes.some((n) => n.code === 'disagreement' && n.subject === 'dax1.4' && n.text.includes('node 5')));
  assert.equal(machine.nvdimm.flatMap((b) => b.regions.flatMap((r) => r.namespaces)).length, 9);
});

const LSMEM = 'util-linux-x86_64-16g.tar.bz2';
test('the util-linux dump: every block as lsmem printed it', { skip: peerMissing(LSMEM) || peerMissing('util-linux-lsmem-x86_64-16g') }, async () => {
  const { machine } = await look(peerPath(LSMEM));
  const printed = readFileSync(peerPath('util-linux-lsmem-x86_64-16g'), 'utf8').split('$ lsmem --all --output RANGE,SIZE,STATE,REMOVABLE,BLOCK,NODE,ZONES\n')[1]!.split('\n\n')[0]!.split('\n').slice(1);
  const hex = (address: number): string => `0x${address.toString(16).padStart(16, '0')}`;
  const ours = machine.memory.blocks.map((b) => [`${hex(b.start)}-${hex(b.end - 1)}`, `${(b.end - b.start) / MiB}M`, b.state, b.removable ? 'yes' : 'no', String(b.index), b.nodes.join(','), zones(b.validZones)].join(' '));
  assert.deepEqual(ours, printed.map((line) => line.trim().split(/\s+/).join(' ')));
  assert.equal(ours.length, 128);
});

/** lsmem prints `none` as `None` and the zones as the kernel lists them. */
const zones = (names: readonly string[] | null): string => (names ?? []).map((n) => (n === 'none' ? 'None' : n)).join('/');

test('a capture without kpageflags for the blocks says so for each of them', async () => {
  const { host, machine } = await lookAt('fsdax-6.1-ext4');
  const pages = readBlockPages(host, machine.memory.blocks.slice(0, 2));
  assert.ok([...pages.values()].every((p) => isMissing(p) && p.missing === 'not-captured'));
});
