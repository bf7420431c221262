/** The order of steps, and what stands in the way: invariants over every capture, and single cases made from captures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Machine } from '../src/machine/machine.ts';
import type { Holder, MountHolder, ProcessHolder } from '../src/machine/types/holder.ts';
import type { Room } from '../src/machine/types/room.ts';
import type { PlanOptions } from '../src/plan/context.ts';
import { makePlan } from '../src/plan/make-plan.ts';
import type { Way } from '../src/steps/reason.ts';
import type { RemovalPlan, WayPlan } from '../src/steps/removal-plan.ts';
import { effectsOf, PLANNED, planned, type Planned } from './planned.ts';

const way = (plan: RemovalPlan, name: Way): WayPlan => {
  const found = plan.ways.find((w) => w.way === name);
  assert.ok(found, `${name} is among ${plan.ways.map((w) => w.way).join(', ')}`);
  return found;
};
const kinds = (w: WayPlan): string[] => w.steps.map((s) => s.action.kind);
const reasons = (w: WayPlan): string[] => w.blockers.map((b) => b.reason);

/** Every step of kind `a` stands before every one of kind `b`. */
function before(w: WayPlan, a: string, b: string): void {
  const list = kinds(w);
  if (!list.includes(a) || !list.includes(b)) return;
  assert.ok(list.lastIndexOf(a) < list.indexOf(b), `${w.way}: ${a} before ${b}: ${list.join(' ')}`);
}

for (const [capture, name] of PLANNED) {
  test(`${capture}, ${name}: the steps of every way stand in order`, async () => {
    const { plan } = await planned(capture, name);
    for (const w of plan.ways) {
      assert.deepEqual(w.steps.map((s) => s.id), w.steps.map((_, i) => String(i + 1)));
      for (const [a, b] of [['stop-process', 'detach-process'], ['stop-process', 'memory-failure'], ['detach-process', 'unmount'], ['signal-process', 'unmount'], ['unmount', 'unbind'],
        ['swap-off', 'unbind'], ['offline-block', 'unbind'], ['detach-process', 'unbind'], ['memory-failure', 'unbind'], ['signal-process', 'unbind'], ['unbind', 'release-process'], ['unbind', 'confirm-slot-off']] as const) before(w, a, b);
      const stopped = w.steps.flatMap((s) => (s.action.kind === 'stop-process' ? [s.action.process.pid] : []));
      const released = w.steps.flatMap((s) => (s.action.kind === 'release-process' ? [s.action.process.pid] : []));
      assert.deepEqual(stopped, released, 'everybody who is stopped runs again');
      if (w.way === 'force') assert.ok(!kinds(w).includes('unmount'), 'after memory_failure nothing is unmounted');
      if (w.way === 'graceful') assert.ok(!kinds(w).some((k) => ['stop-process', 'signal-process', 'detach-process', 'memory-failure'].includes(k)), 'graceful touches nobody');
      for (const s of w.steps) {
        assert.ok(s.deadlineMs > 0 && s.title !== '' && s.why !== '');
        if (s.action.kind === 'write' || s.action.kind === 'set' || s.action.kind === 'offline-block') assert.match(s.action.path, /^\/(sys|proc)\//);
        if (s.action.kind === 'unbind') assert.match(s.action.driverPath, /^\/sys\/bus\/[a-z]+\/drivers\/[a-z_]+$/);
      }
    }
  });
}

test('a slot: blocks, kmem, region with its decoders, memdev, slot, in this order', async () => {
  const { plan } = await planned('cxl-region-kmem-7.2', 'slot:2');
  assert.equal(way(plan, 'graceful').possible, true);
  const writes = way(plan, 'graceful').steps.flatMap(({ action: a }) => (a.kind === 'unbind' ? [`${a.driverPath}/unbind`] : a.kind === 'write' || a.kind === 'offline-block' ? [a.path.replace(/.*\/(?=(memory\d+|region0|[^/]+)\/[a-z]+$)/, '')] : []));
  assert.deepEqual(writes, ['memory210/state', 'memory211/state', 'memory212/state', 'memory213/state', '/sys/bus/dax/drivers/kmem/unbind', '/sys/bus/cxl/drivers/cxl_region/unbind', 'region0/commit', '/sys/bus/cxl/drivers/cxl_mem/unbind', '2/power']);
});

test('force on XFS: shut down after the unmap where the kernel would spin, and nowhere else', async () => {
  const spinning = way((await planned('fsdax-6.12-xfs', 'pmem0', '7.2')).plan, 'force');
  before(spinning, 'memory-failure', 'shutdown-filesystem');
  before(spinning, 'shutdown-filesystem', 'unbind');
  const [shutdown] = spinning.steps.flatMap((s) => (s.action.kind === 'shutdown-filesystem' ? [s.action] : []));
  assert.equal(shutdown?.flag, 1, 'flag 2 would lose files that were never synced');
  assert.ok(!kinds(way((await planned('fsdax-6.12-xfs', 'pmem0')).plan, 'force')).includes('shutdown-filesystem'));
  assert.ok(!kinds(way((await planned('fsdax-7.2-ext4', 'pmem0')).plan, 'force')).includes('shutdown-filesystem'), 'on ext4 it would leave writable stale mappings');
});

test('force is refused where memory_failure() does nothing (5.10); detach is not', async () => {
  const { plan } = await planned('fsdax-6.1-ext4', 'pmem0', '5.10');
  assert.ok(reasons(way(plan, 'force')).includes('force-has-no-effect'));
  assert.equal(way(plan, 'force').possible, false);
  assert.equal(way(plan, 'detach').possible, true);
});

test('graceful is refused while somebody holds on, and names him with values and next step', async () => {
  const { plan } = await planned('fsdax-7.2-ext4', 'pmem0');
  const graceful = way(plan, 'graceful');
  assert.equal(graceful.possible, false);
  const mapping = graceful.blockers.find((b) => b.reason === 'held-by-mapping' && b.pid === 150);
  assert.match(mapping?.text ?? '', /maps 4 MiB of \/mnt\/big \(shared, rw-\) at 0x7f560fa00000/);
  assert.match(mapping?.next ?? '', /h big \/mnt\/big/);
  assert.deepEqual(mapping?.overcomeBy, ['detach', 'force', 'kill']);
});

test('an io_uring that may hold buffers of a device-dax blocks detach, not kill', async () => {
  const { plan } = await planned('devdax-holder-u-7.2', 'dax0.0');
  assert.ok(reasons(way(plan, 'detach')).some((r) => r === 'pin-possible' || r === 'pinned-seen'));
  assert.equal(way(plan, 'kill').possible, true);
});

test('blocks that cannot go offline: named with the errno, by no way overcome', async () => {
  const kernel = way((await planned('sysram-online-kernel-plain-7.2', 'dax0.0')).plan, 'graceful');
  assert.deepEqual(kernel.blockers.map((b) => [b.reason, b.block]), [['memory-unmovable', 33]]);
  assert.match(kernel.blockers[0]?.text ?? '', /slab.*EBUSY/);
  const mixed = way((await planned('mixed-ram-pmem-6.12', 'memory8')).plan, 'graceful');
  assert.ok(reasons(mixed).includes('block-has-pmem'));
  assert.match(mixed.blockers[0]?.text ?? '', /EINVAL and log nothing/);
});

// Machines made from captures: one thing changed.

type Change = (p: Planned) => Partial<Machine>;
const replan = (p: Planned, change: Change, options: PlanOptions = {}): RemovalPlan => makePlan({ ...p.machine, ...change(p) }, p.device, options);
const withHolder = (...holders: Holder[]): Change => (p) => ({ holders: { ...p.machine.holders, [p.device.id]: [...(p.machine.holders[p.device.id] ?? []), ...holders] } });
const changed = (change: (h: ProcessHolder) => ProcessHolder): Change => (p) => ({
  holders: { ...p.machine.holders, [p.device.id]: (p.machine.holders[p.device.id] ?? []).map((h) => (h.kind === 'process' ? change(h) : h)) },
});

test('pid 1 and protected processes are touched by no way', async () => {
  const p = await planned('devdax-holder-none-7.2', 'dax0.0');
  for (const w of replan(p, changed((h) => ({ ...h, pid: 1 }))).ways) assert.deepEqual(reasons(w), ['protected-process']);
  for (const w of replan(p, () => ({}), { protectedPids: [147] }).ways) assert.deepEqual(reasons(w), ['protected-process']);
});

test('a VM is detached by nobody', async () => {
  const p = await planned('devdax-holder-none-7.2', 'dax0.0');
  const plan = replan(p, changed((h) => ({ ...h, vm: { program: 'qemu', evidence: 'fd 12 anon_inode:kvm-vm' } })));
  assert.ok(reasons(way(plan, 'detach')).includes('held-by-vm'));
  assert.equal(way(plan, 'kill').possible, true);
});

test('a seen pin: certain use of freed struct pages on 7.2, a hang on 5.10, and only its end drops it', async () => {
  const p = await planned('devdax-holder-none-7.2', 'dax0.0');
  const change = changed((h) => ({ ...h, pins: [{ kind: 'vfio', certainty: 'seen', bytes: 8388608, evidence: 'fd 9 /dev/vfio/12' }] }));
  const plan = replan(p, change);
  assert.equal(effectsOf(plan, 'unbind').get('pin-outlives-memmap'), 'certain');
  assert.deepEqual(reasons(way(plan, 'detach')), ['pinned-seen']);
  const old = await planned('devdax-holder-none-7.2', 'dax0.0', '5.10');
  const oldPlan = makePlan({ ...old.machine, ...change(old), kernel: { ...old.machine.kernel, release: '5.10.223' } }, old.device);
  assert.equal(effectsOf(oldPlan, 'unbind').get('unbind-hangs'), 'certain');
});

test('units that may be stopped are stopped, and do not block graceful', async () => {
  const p = await planned('devdax-holder-none-7.2', 'dax0.0');
  const plan = replan(p, changed((h) => ({ ...h, unit: 'db.service' })), { stopUnits: ['db.service'] });
  assert.equal(way(plan, 'graceful').possible, true);
  assert.equal(kinds(way(plan, 'graceful'))[0], 'stop-unit');
});

test('the whole-device state file is preferred: one write, no block by block', async () => {
  const p = await planned('sysram-online-movable-plain-6.12', 'dax0.0');
  const plan = replan(p, ({ machine }) => ({ dax: machine.dax.map((d) => ({ ...d, state: 'online_movable' })) }));
  const steps = way(plan, 'graceful').steps;
  assert.ok(steps.some((s) => s.action.kind === 'write' && s.action.text === 'unplugged' && s.action.path.endsWith('/dax0.0/state')));
  assert.ok(!steps.some((s) => s.action.kind === 'offline-block'));
  assert.match(plan.kernel.says, /corrected by what the host shows/);
});

test('no room: refused with the numbers', async () => {
  const p = await planned('sysram-online-movable-plain-6.12', 'dax0.0');
  assert.ok(p.room);
  const room: Room = { ...p.room, fits: 'no', says: '64 MiB must move; 1 MiB free.' };
  const blocked = way(replan(p, () => ({}), { room }), 'graceful');
  assert.deepEqual(blocked.blockers.map((b) => [b.reason, b.text]), [['memory-no-room', '64 MiB must move; 1 MiB free.']]);
});

test('swap: taken off before the unbind; a bare unbind loses it', async () => {
  const p = await planned('fsdax-7.2-ext4', 'pmem0');
  const plan = replan(p, withHolder({ kind: 'swap', path: '/dev/pmem0', usedBytes: 4096 }));
  assert.equal(effectsOf(plan, 'unbind').get('swap-lost'), 'certain');
  before(way(plan, 'detach'), 'swap-off', 'unbind');
  assert.ok(kinds(way(plan, 'detach')).includes('swap-off'));
});

test('mounts go deepest first, in every namespace; a root file system stays', async () => {
  const p = await planned('fsdax-7.2-ext4', 'pmem0');
  const mount = (mountPoint: string, namespaceId: number): MountHolder => ({ kind: 'mount', namespaceId, seenBy: 9, mountPoint, fsType: 'ext4', source: '/dev/pmem0', dax: 'always', dev: '259:0' });
  const plan = replan(p, withHolder(mount('/mnt/a/b', 1), mount('/mnt', 4026532000)));
  const points = way(plan, 'detach').steps.flatMap((s) => (s.action.kind === 'unmount' ? [`${s.action.mountPoint} ${s.action.namespaceId}`] : []));
  assert.equal(points[0], '/mnt/a/b 1');
  assert.equal(points.length, 3);
  assert.equal(way(plan, 'detach').steps.filter((s) => s.action.kind === 'sync').length, 2, 'one sync for each file system, before and after the stop');
  assert.ok(reasons(way(replan(p, withHolder(mount('/', 1))), 'detach')).includes('held-by-mount'));
});

test('struct pages of another device on this one: refused by every way', async () => {
  const p = await planned('fsdax-7.2-ext4', 'pmem0');
  for (const w of replan(p, withHolder({ kind: 'memmap', describes: 'namespace1.0' })).ways) assert.ok(reasons(w).includes('held-by-memmap'));
});

test('an interleaved region: the other memdev is named; a locked decoder refuses', async () => {
  const p = await planned('cxl-region-kmem-7.2', 'mem0');
  const shared = replan(p, ({ machine }) => ({ cxl: { ...machine.cxl, regions: machine.cxl.regions.map((r) => ({ ...r, targets: [...r.targets, { decoder: 'decoder4.0', memdev: 'mem1' }] })) } }));
  assert.match(way(shared, 'graceful').consequences.join('\n'), /interleaved over mem0, mem1/);
  const locked = replan(p, ({ machine }) => ({ cxl: { ...machine.cxl, ports: machine.cxl.ports.map((port) => ({ ...port, decoders: port.decoders.map((d) => ({ ...d, locked: true })) })) } }));
  assert.ok(reasons(way(locked, 'graceful')).includes('decoder-locked'));
});

test('what was not seen is never taken for absent', async () => {
  const p = await planned('fsdax-7.2-ext4', 'pmem0');
  const unlooked = replan(p, () => ({ holders: {} }));
  assert.deepEqual(reasons(way(unlooked, 'graceful')), ['hidden']);
  assert.equal(effectsOf(unlooked, 'unbind').get('clean'), 'possible');
  const denied = replan(p, ({ machine }) => ({ notes: [...machine.notes, { code: 'denied', text: 'The mappings and open files of 12 processes may not be read by this user (1, 2): what is held by them is not seen.', subject: '/proc/1/maps', absence: { missing: 'denied', path: '/proc/1/maps' } }] }));
  assert.ok(reasons(way(denied, 'kill')).includes('hidden'));
  const ram = await planned('sysram-online-movable-plain-6.12', 'dax0.0');
  const blind = replan(ram, ({ machine }) => ({ memory: { ...machine.memory, blocks: [] } }));
  assert.deepEqual(reasons(way(blind, 'graceful')), ['hidden'], 'a kmem device whose blocks cannot be seen');
  assert.equal(effectsOf(blind, 'unbind').get('region-leaked'), 'possible');
  const card = await planned('cxl-region-kmem-7.2', 'mem0');
  const blindCard = replan(card, ({ machine }) => ({ memory: { ...machine.memory, blocks: [] } }));
  for (const event of ['unbind', 'pull'] as const) assert.deepEqual([effectsOf(blindCard, event).get('reads-zero'), effectsOf(blindCard, event).has('clean')], ['possible', false], event);
  const hidden = replan(p, () => ({ addressMap: { resources: [], hidden: true } }));
  assert.ok(reasons(way(hidden, 'detach')).includes('hidden'));
});

test('kernels that no profile stands for say what stands in', async () => {
  const p = await planned('fsdax-7.2-ext4', 'pmem0');
  const plan = replan(p, ({ machine }) => ({ kernel: { ...machine.kernel, release: '6.6.31-generic' } }));
  assert.deepEqual([plan.kernel.profile, plan.kernel.exact], ['6.1', false]);
  assert.match(plan.kernel.says, /no profile for 6\.6/);
});
