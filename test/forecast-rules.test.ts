/** The table of rules: well formed, and every rule fires on some machine; what fires on machines made from captures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Machine } from '../src/machine/machine.ts';
import type { Device } from '../src/machine/types/device.ts';
import type { Pin } from '../src/machine/types/holder.ts';
import { leafFacts } from '../src/plan/facts/leaf-facts.ts';
import { isCxlContainer, leavesOf } from '../src/plan/facts/tree.ts';
import { forecast } from '../src/plan/forecast/forecast.ts';
import { applies } from '../src/plan/forecast/rule.ts';
import { RULES } from '../src/plan/forecast/rules/index.ts';
import { PROPOSED } from '../src/profile/proposals/index.ts';
import { RELEASES } from '../src/profile/releases/index.ts';
import { profileByName } from '../src/profile/select.ts';
import { PLANNED, planned } from './planned.ts';

interface Case {
  readonly machine: Machine;
  readonly device: Device;
}

const replace = (machine: Machine, device: Device): Case => ({ machine: { ...machine, devices: machine.devices.map((d) => (d.id === device.id ? device : d)) }, device });

/** A pmem device as the inventory shows it behind virtio. */
function behindVirtio({ machine, device }: Case): Case {
  const outer: Device = { ...device, id: 'virtio-pmem:virtio2', kind: 'virtio-pmem', name: 'virtio2', aliases: [], contains: [device.id], partOf: [], driver: 'virtio_pmem', path: '/sys/devices/virtio2' };
  const inner = { ...device, partOf: [outer.id] };
  const made = replace(machine, inner);
  return { machine: { ...made.machine, devices: [...made.machine.devices, outer] }, device: inner };
}

function pinned({ machine, device }: Case, pin: Pin): Case {
  const holders = (machine.holders[device.id] ?? []).map((h) => (h.kind === 'process' ? { ...h, pins: [pin] } : h));
  return { machine: { ...machine, holders: { ...machine.holders, [device.id]: holders } }, device };
}

/** The files that its holders map have lost their names. */
function unlinked({ machine, device }: Case): Case {
  const holders = (machine.holders[device.id] ?? []).map((h) => (h.kind === 'process' ? { ...h, mappings: h.mappings.map((m) => ({ ...m, deleted: true })) } : h));
  return { machine: { ...machine, holders: { ...machine.holders, [device.id]: holders } }, device };
}

const asDimm = ({ machine, device }: Case, blocks = machine.memory.blocks): Case =>
  replace({ ...machine, memory: { ...machine.memory, blocks } }, { ...device, kind: 'dimm' });

const unseenBlocks = (c: Case): Case => ({ ...c, machine: { ...c.machine, memory: { ...c.machine.memory, blocks: [] } } });

async function made(): Promise<Case[]> {
  const fsdax = await planned('fsdax-7.2-ext4', 'pmem0');
  const devdax = await planned('devdax-holder-none-7.2', 'dax0.0');
  const ram = await planned('virtio-mem-7.2', 'virtio1');
  const kernel = await planned('sysram-online-kernel-plain-7.2', 'dax0.0');
  const block = await planned('sysram-online-kernel-plain-7.2', 'memory34');
  const boot = await planned('many-namespaces-7.2', 'memory0');
  const unread = kernel.machine.memory.blocks.map(({ pages: _, ...b }) => b);
  const swapped = { ...fsdax.machine, holders: { [fsdax.device.id]: [{ kind: 'swap' as const, path: '/dev/pmem0', usedBytes: 1 }] } };
  return [
    behindVirtio(fsdax), unlinked(fsdax), pinned(fsdax, { kind: 'other', certainty: 'seen', bytes: null, evidence: 'x' }), { machine: swapped, device: fsdax.device },
    pinned(devdax, { kind: 'vfio', certainty: 'seen', bytes: null, evidence: 'x' }), pinned(devdax, { kind: 'vfio', certainty: 'possible', bytes: null, evidence: 'x' }),
    asDimm(ram), asDimm(kernel), asDimm(kernel, unread), block, boot, { ...block, machine: { ...block.machine, memory: { ...block.machine.memory, blocks: unread } } },
    unseenBlocks(kernel), unseenBlocks(await planned('cxl-region-kmem-7.2', 'dax0.0')),
  ];
}

test('rules have ids of their own, reasons and sources', () => {
  assert.equal(new Set(RULES.map((r) => r.id)).size, RULES.length);
  for (const r of RULES) {
    assert.match(r.id, /^[a-z][a-z0-9-]+$/);
    assert.ok(r.because.length > 30 && !r.because.endsWith('.'), r.id);
    assert.ok(r.source.length > 8, r.id);
  }
});

const EVENTS = ['unbind', 'pull'] as const;

test('every rule fires on some machine and kernel', async () => {
  const cases: Case[] = [...(await Promise.all(PLANNED.map(([capture, name]) => planned(capture, name)))), ...(await made())];
  const fired = new Set<string>();
  for (const { machine, device } of cases) {
    for (const profile of [...RELEASES, ...PROPOSED]) {
      for (const leaf of leavesOf(machine, device)) {
        for (const through of isCxlContainer(machine, device) ? (['cxl'] as const) : (['self', 'cxl'] as const)) {
          const facts = leafFacts(machine, profile, leaf, through);
          for (const rule of RULES) if (EVENTS.some((event) => applies(rule, event, { ...facts, going: { event, kind: device.kind } }))) fired.add(rule.id);
        }
      }
    }
  }
  assert.deepEqual(RULES.map((r) => r.id).filter((id) => !fired.has(id)), []);
});

test('no effect is forecast twice for the same holders, and clean stands alone', async () => {
  for (const [capture, name] of PLANNED) {
    const { machine, device } = await planned(capture, name);
    for (const profile of RELEASES) {
      for (const event of ['unbind', 'pull'] as const) {
        const { effects } = forecast(machine, profile, device, event);
        assert.ok(effects.length > 0);
        assert.ok(effects.every((e) => e.effect !== 'clean') || effects.length === 1, `${capture} ${name}`);
        const keys = effects.map((e) => `${e.effect} ${e.whom} ${e.because}`);
        assert.equal(new Set(keys).size, keys.length);
      }
    }
  }
});

test('virtio-pmem: a pull is refused by the host; on 7.2 the device does not come back (B 6)', async () => {
  const { machine, device } = behindVirtio(await planned('fsdax-7.2-ext4', 'pmem0'));
  const on = (kernel: string, event: 'unbind' | 'pull'): string[] => {
    const profile = profileByName(kernel);
    assert.ok(profile);
    return forecast(machine, profile, device, event).effects.map((e) => e.effect);
  };
  assert.deepEqual(on('7.2', 'pull'), ['veto']);
  assert.ok(on('7.2', 'unbind').includes('no-rebind') && on('7.2', 'unbind').includes('oops-on-write'));
  assert.ok(!on('6.12', 'unbind').includes('no-rebind') && !on('6.12', 'unbind').includes('oops-on-write') && on('6.12', 'unbind').includes('stale-mapping'));
});

test('a file without a name: its last holder evicts the inode, so the exit oopses on every release, and the unmount finds the mount busy (A 2)', async () => {
  const { machine, device } = unlinked(await planned('fsdax-7.2-ext4', 'pmem0'));
  for (const profile of RELEASES) {
    const says = forecast(machine, profile, device, 'unbind').effects;
    assert.ok(says.some((e) => e.effect === 'oops-at-exit' && e.because.includes('file without a name') && e.certainty === 'certain'), profile.name);
    assert.ok(says.every((e) => e.effect !== 'oops-at-umount' && e.effect !== 'umount-hangs'), profile.name);
  }
});

test('a DIMM: kernel pages veto the eject, a pin makes it endless (B 7)', async () => {
  const profile = profileByName('7.2');
  assert.ok(profile);
  const kernel = asDimm(await planned('sysram-online-kernel-plain-7.2', 'dax0.0'));
  assert.deepEqual(forecast(kernel.machine, profile, kernel.device, 'pull').effects.map((e) => `${e.effect} ${e.certainty}`), ['veto certain', 'never-ends possible']);
  const movable = asDimm(await planned('virtio-mem-7.2', 'virtio1'));
  assert.deepEqual(forecast(movable.machine, profile, movable.device, 'pull').effects.map((e) => `${e.effect} ${e.certainty}`), ['never-ends possible']);
});
