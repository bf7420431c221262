/** A journal is read back whatever a crash has left of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJournal } from './entries.ts';
import type { Header } from './entries.ts';

const header: Header = { entry: 'removal', version: 1, device: 'd', deviceName: 'n', way: 'detach', deviceNumbers: ['1:2'], kernel: null, boot: null, begun: null, acceptsUnseen: false, by: null, steps: [] };
const lines = [JSON.stringify(header), '{"entry":"begin","step":"1","title":"t"}', '{"entry":"end","step":"1","outcome":"done","milliseconds":1}'];

test('cut at any byte: what was complete is there, a torn line is told', () => {
  const text = `${lines.join('\n')}\n`;
  for (let cut = 0; cut <= text.length; cut += 1) {
    const read = parseJournal(text.slice(0, cut));
    const whole = text.slice(0, cut).split('\n').filter((line) => lines.includes(line)).length;
    if (whole === 0) assert.equal(read, null);
    else assert.equal(read?.entries.length, whole);
  }
  assert.equal(parseJournal(text.slice(0, -5))?.tornLine, true);
});

test('anything else is no journal', () => {
  fc.assert(fc.property(fc.string(), (text) => { assert.equal(parseJournal(text), null); }));
  fc.assert(fc.property(fc.json(), (text) => { assert.equal(parseJournal(text), null); }));
});
