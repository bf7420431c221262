/** The inventory of a very large machine is right, and made without repeating work for each block (counted, not timed). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Files } from '../src/host/host.ts';
import { physicalMap } from '../src/machine/address-map/physical-map.ts';
import { readMachine } from '../src/machine/read.ts';
import { planText } from '../src/cli/print/plan.ts';
import { inventoryFor } from '../src/plan/inventory.ts';
import { makePlan } from '../src/plan/make-plan.ts';
import { bigMachine } from './big-machine.ts';

/** Counts every question to the files of a host. */
function counted(files: Files): { readonly files: Files; readonly asked: () => number } {
  let asked = 0;
  const wrapped = Object.fromEntries(Object.entries(files).map(([name, ask]) => [name, (...args: unknown[]) => {
    asked += 1;
    return (ask as (...a: unknown[]) => unknown)(...args);
  }])) as unknown as Files;
  return { files: wrapped, asked: () => asked };
}

test('65,536 blocks: all of them, in three reads each', () => {
  const host = bigMachine({ blocks: 65536, processes: 50 });
  const { files, asked } = counted(host.files);
  const machine = readMachine({ ...host, files });
  assert.equal(machine.memory.blocks.length, 65536);
  assert.deepEqual([machine.memory.blocks.at(-1)?.nodes, machine.memory.blocks.at(-1)?.state], [[1], 'online']);
  assert.equal(machine.dax[0]?.blocks.length, 32768);
  assert.deepEqual(machine.memory.blocks.flatMap((b) => b.foreign), []);
  assert.ok(asked() < 3 * 65536 + 500, `${asked()} questions`);
  assert.equal(machine.devices.find((d) => d.id === 'memory-block:40000')?.partOf[0], 'kmem:dax0.0');
  assert.equal(machine.cxl.softReserved[0]?.owner, 'hmem');
  assert.deepEqual(physicalMap(machine).segments.map((s) => [s.kind, s.device]), [['ram', null], ['kmem', 'kmem:dax0.0'], ['devdax', 'devdax:dax1.0']]);
});

test('20,000 processes, of which 2,000 hold a device: all of them in the plan, and text for a page', () => {
  const host = bigMachine({ blocks: 64, processes: 20_000 });
  const inventory = inventoryFor(host, 'dax1.0');
  const plan = makePlan(inventory.machine, inventory.device);
  const kill = plan.ways.find((way) => way.way === 'kill') ?? assert.fail('no way kill');
  assert.equal(kill.steps.filter((step) => step.action.kind === 'signal-process').length, 2000);
  const text = planText({ machine: inventory.machine, device: inventory.device, leaves: inventory.leaves, plan, shown: [kill], sources: false }, { width: 100, style: (_, t) => t });
  assert.ok(text.split('\n').length < 200, `${text.split('\n').length} lines`);
});
