/** A capture and its simulated twin: scan, plan and map read the same facts off both. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { openCapture } from '../src/host/capture/open.ts';
import type { Host } from '../src/host/host.ts';
import { buildScenario } from '../src/kernel/scenario/build.ts';
import { readScenario } from '../src/scenario/read.ts';
import { simulatedHost } from '../src/kernel/host/sim-host.ts';
import type { Machine } from '../src/machine/machine.ts';
import { readMachine } from '../src/machine/read.ts';
import type { Holder } from '../src/machine/types/holder.ts';
import { leafDevices, withHolders } from '../src/machine/with-holders.ts';
import { readForTwin } from '../src/twin/read.ts';
import { inventoryFor, optionsOf } from '../src/plan/inventory.ts';
import { makePlan } from '../src/plan/make-plan.ts';
import type { Profile } from '../src/profile/profile.ts';
import { parseRelease, profileByName } from '../src/profile/select.ts';
import { twinOf } from '../src/twin/twin.ts';

/** The captures that have twins. */
const CAPTURES = [
  'fsdax-6.1-ext4', 'fsdax-6.12-xfs', 'fsdax-7.2-ext4', 'devdax-holder-none-7.2', 'devdax-holder-u-7.2', 'sysram-online-movable-plain-6.12',
  'sysram-online-kernel-plain-7.2', 'mixed-ram-pmem-6.12', 'many-namespaces-7.2', 'virtio-mem-7.2', 'cxl-region-kmem-7.2', 'cxl-region-fsdax-7.2',
];

/** A holder without what differs from run to run and what a simulated program has not (working directory paths stay). */
function holderFacts(h: Holder): unknown {
  if (h.kind === 'mount') return { kind: h.kind, at: h.mountPoint, type: h.fsType, source: h.source, dax: h.dax, dev: h.dev };
  if (h.kind !== 'process') return h;
  return {
    kind: h.kind, pid: h.pid, comm: h.comm, commandLine: h.commandLine, vm: h.vm, cwd: h.cwd, root: h.root,
    mappings: h.mappings.map(({ ino: _ino, ...m }) => m).sort((a, b) => a.start - b.start),
    files: h.files.map(({ flags: _flags, ...f }) => f), pins: h.pins.map((p) => [p.kind, p.certainty, p.bytes]),
  };
}

function facts(machine: Machine): Record<string, unknown> {
  const pmem = new Set(machine.blockDevices.filter((b) => b.kind === 'pmem').map((b) => b.dev));
  return {
    devices: machine.devices, map: machine.addressMap.resources, nvdimm: machine.nvdimm, dax: machine.dax, virtioMem: machine.virtioMem, cxl: machine.cxl, slots: machine.slots.filter((s) => s.functions.length === 0 || s.functions.some((f) => machine.cxl.memdevs.some((m) => m.pci === f))),
    blocks: machine.memory.blocks.map(({ pages: _pages, ...b }) => b), blockSize: machine.memory.blockSize,
    zones: machine.memory.nodes.map((n) => ({ id: n.id, cpu: n.hasCpu, zones: n.zones.filter((z) => z.presentPages > 0).map((z) => [z.name, z.startPfn, z.spannedPages, z.presentPages]) })),
    mounts: machine.mounts.filter((m) => pmem.has(m.dev)).map((m) => [m.mountPoint, m.fsType, m.source, m.dev, m.dax, m.shutdown]),
    holders: Object.fromEntries(Object.entries(machine.holders).map(([id, list]) => [id, list.map(holderFacts)])),
  };
}

/** Machines that no capture shows: what a simulated one shows is twinned. */
for (const scenario of ['remove-btt', 'remove-swap', 'cxl-devdax-unbind', 'namespaces-one-section-exit']) {
  test(`twin of the simulated machine of scenario ${scenario}`, () => {
    const profile = profileByName('7.2');
    assert.ok(profile !== null);
    const first = simulatedHost(buildScenario(readScenario(readFileSync(resolve(import.meta.dirname, `../scenarios/${scenario}.yaml`), 'utf8'), scenario), profile).world);
    const machine = readForTwin(first);
    const { world, left } = twinOf(machine, profile);
    assert.deepEqual(left, []);
    const second = simulatedHost(world);
    const twin = withHolders(second, readMachine(second));
    const [wanted, got] = [{ ...facts(machine), swaps: machine.swaps }, { ...facts(twin), swaps: twin.swaps } as Record<string, unknown>];
    for (const [fact, value] of Object.entries(wanted)) assert.deepEqual(got[fact], value, `${scenario}: ${fact}`);
    for (const device of leafDevices(machine)) assert.deepEqual(forecasts(second, device.id, profile), forecasts(first, device.id, profile), `${scenario}: plan of ${device.id}`);
  });
}

function forecasts(host: Host, device: string, profile: Profile): unknown {
  const inventory = inventoryFor(host, device);
  const plan = makePlan(inventory.machine, inventory.device, optionsOf(inventory), { profile, exact: true, says: '', overridden: [] });
  return { forecasts: plan.forecasts, ways: plan.ways.map((w) => ({ way: w.way, possible: w.possible, blockers: w.blockers.map((b) => [b.reason, b.subject]), steps: w.steps.map((s) => s.title) })) };
}

for (const name of CAPTURES) {
  test(`twin of ${name}`, async () => {
    const capture = await openCapture(resolve(import.meta.dirname, `../fixtures/captures/${name}.tar.gz`));
    const machine = readForTwin(capture);
    const profile = profileByName((parseRelease(machine.kernel.release ?? '') ?? []).join('.'));
    assert.ok(profile !== null);
    const { world, left } = twinOf(machine, profile);
    assert.deepEqual(left, []);
    const host = simulatedHost(world);
    const twin = withHolders(host, readMachine(host));
    const [wanted, got] = [facts(machine), facts(twin)];
    for (const [fact, value] of Object.entries(wanted)) assert.deepEqual(got[fact], value, `${name}: ${fact}`);
    for (const device of [...leafDevices(machine), ...machine.devices.filter((d) => d.contains.length > 0)]) assert.deepEqual(forecasts(host, device.id, profile), forecasts(capture, device.id, profile), `${name}: plan of ${device.id}`);
    capture.close();
  });
}
