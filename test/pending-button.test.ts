/** A slot that is about to lose its power, in the inventory and in the plan of what sits in it. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { inventoryFor, optionsOf } from '../src/plan/inventory.ts';
import { makePlan } from '../src/plan/make-plan.ts';
import { slot as schema } from '../src/machine/schema/buses.ts';
import { readMachine } from '../src/machine/read.ts';
import type { Host } from '../src/host/host.ts';
import { planted } from './planted.ts';
import { cardInSlot } from './planted-slot.ts';

const PRESS = 'pcieport 0000:0c:00.0: pciehp: Slot(2): Button press: will power off in 5 sec';
const CANCEL = 'pcieport 0000:0c:00.0: pciehp: Slot(2): Button cancel';
const host = (t: TestContext, log: string, more: Record<string, string> = {}): Promise<Host> => planted(t, cardInSlot({ attention: '0\n', ...more }, { 'dmesg.txt': log }));

const seen = (h: Host): { notes: string[]; reasons: string[][] } => {
  const inventory = inventoryFor(h, 'mem0');
  const plan = makePlan(inventory.machine, inventory.device, optionsOf(inventory));
  for (const slot of inventory.machine.slots) assert.deepEqual(schema.parse(slot), slot);
  return { notes: readMachine(h).notes.filter((n) => n.code === 'power-off-pending').map((n) => n.text), reasons: plan.ways.map((w) => w.blockers.map((b) => b.reason).filter((r) => r === 'power-off-pending')) };
};

test('a press at the end of the log: a note, and a blocker in every way, for the card behind the slot', async (t) => {
  const { notes, reasons } = seen(await host(t, `[  100.000000] ${PRESS}\n[  102.000000] other\n`));
  assert.deepEqual(notes, ['The button of slot 2 was pressed 2 s ago: it loses its power within 5 seconds of that unless the button is pressed again']);
  assert.ok(reasons.length > 0 && reasons.every((r) => r.length === 1), JSON.stringify(reasons));
});

test('cancelled, long ago, or a slot that has no power any more: nothing', async (t) => {
  const logs: readonly (readonly [string, Record<string, string>])[] = [
    [`[  100.000000] ${PRESS}\n[  102.000000] ${CANCEL}\n`, {}], [`[  100.000000] ${PRESS}\n[  900.000000] other\n`, {}], [`[  100.000000] ${PRESS}\n`, { power: '0\n' }],
  ];
  for (const [log, more] of logs) {
    const { notes, reasons } = seen(await host(t, log, more));
    assert.deepEqual([notes, reasons.flat()], [[], []], log);
  }
});

test('a log without times says that the button was pressed, and not when', async (t) => {
  const { notes } = seen(await host(t, `${PRESS}\n`));
  assert.match(notes[0] ?? '', /^The button of slot 2 was pressed: /);
});
