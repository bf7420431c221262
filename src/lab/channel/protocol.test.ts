import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encode, LineReader, type FromGuest } from './protocol.ts';

test('messages survive any cutting of the stream, and noise between them', () => {
  fc.assert(fc.property(fc.array(fc.nat(1000), { maxLength: 20 }), fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (steps, cuts) => {
    const text = steps.map((step) => `${encode({ type: 'begin', step })}noise{\n`).join('');
    const seen: number[] = [];
    const odd: string[] = [];
    const reader = new LineReader<FromGuest>((m) => { if (m.type === 'begin') seen.push(m.step); }, (line) => odd.push(line));
    for (let at = 0; at < text.length;) {
      const length = cuts.next().value;
      reader.push(text.slice(at, at + length));
      at += length;
    }
    assert.deepEqual(seen, steps);
    assert.equal(odd.length, steps.length);
  }));
});

test('JSON that is no message is not taken for one', () => {
  const odd: string[] = [];
  const reader = new LineReader<FromGuest>(() => assert.fail('taken'), (line) => odd.push(line));
  reader.push('null\n5\n[]\n{"type":7}\n');
  assert.equal(odd.length, 4);
});
