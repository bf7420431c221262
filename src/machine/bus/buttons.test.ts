import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LogLine } from '../../host/host.ts';
import { pendingButtons } from './buttons.ts';

const log = (...lines: readonly (readonly [number, string])[]): LogLine[] => lines.map(([seconds, text], sequence) => ({ seconds, text, sequence, level: 6 }));
const PRESS = 'pcieport 0000:0c:00.0: pciehp: Slot(2): Button press: will power off in 5 sec';
const at = (seconds: number, says: string, slot = '2'): readonly [number, string] => [seconds, `pcieport 0000:0c:00.0: pciehp: Slot(${slot}): ${says}`];
const pending = (lines: readonly LogLine[], now: number | null = 103): string[] => [...pendingButtons(lines, now).keys()];

test('a press is pending, in the words of every kernel, with and without the port before them', () => {
  assert.deepEqual([...pendingButtons(log([100, PRESS]), 103)], [['2', { line: PRESS, secondsAgo: 3 }]]);
  assert.deepEqual(pending(log([100, 'pciehp: Slot(2): Button press: will power off in 5 sec'])), ['2']);
  assert.deepEqual(pending(log(at(100, 'Attention button pressed', '2-1'), at(100, 'Powering off due to button press', '2-1'))), ['2-1']);
});

test('it is over with a second press, a card or link that came or went, and a press to switch on', () => {
  for (const says of ['Button cancel', 'Action canceled due to button press', 'Card not present', 'Link Down', 'Link Up', 'Card present', 'Button press: will power on in 5 sec', 'Powering on due to button press']) {
    assert.deepEqual(pending(log([100, PRESS], at(102, says))), [], says);
    assert.deepEqual(pending(log([100, PRESS], at(102, says, '3'))), ['2'], `${says}, of another slot`);
    assert.deepEqual(pending(log(at(98, says), [100, PRESS])), ['2'], `${says}, before it`);
  }
});

test('a press to switch on and a press of long ago are none; a log without times leaves the age open', () => {
  assert.deepEqual(pending(log(at(100, 'Button press: will power on in 5 sec'))), []);
  assert.deepEqual(pending(log([100, PRESS]), 161), []);
  assert.deepEqual([...pendingButtons(log([0, PRESS]), null)], [['2', { line: PRESS, secondsAgo: null }]]);
});

test('other lines, and lines that only quote one, are nothing', () => {
  for (const text of [`demo: ${PRESS}`, `${PRESS} not`, 'pciehp: Slot(2) Button press: will power off in 5 sec']) assert.deepEqual(pending(log([100, text])), [], text);
  fc.assert(fc.property(fc.array(fc.string()), (texts) => { assert.equal(pendingButtons(log(...texts.map((t) => [1, t] as const)), 2).size, 0); }));
});
