import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMissing } from '../fact.ts';
import { parseSpaces, parseThreadsListing } from './threads-listing.ts';

const id = fc.integer({ min: 1, max: 4_194_304 });
const apart = fc.record({ threads: fc.array(id, { minLength: 1, maxLength: 4 }), files: fc.boolean(), places: fc.boolean() }, { noNullPrototype: true });

test('what was written is read: threads, and who of them has what', () => {
  fc.assert(fc.property(fc.array(id, { minLength: 1 }), fc.array(apart), (tids, list) => {
    const text = [{ tids }, ...list].map((line) => `${JSON.stringify(line)}\n`).join('');
    assert.deepEqual(parseThreadsListing('x', text), { tids, apart: list });
  }));
});

test('why it is not known is said; what has not this form is malformed, and no text makes it throw', () => {
  const denied = parseThreadsListing('/proc/1/threads.jsonl', '{"tids":[1,2]}\n{"missing":"denied","detail":"EPERM"}\n');
  assert.ok(!isMissing(denied) && isMissing(denied.apart));
  assert.deepEqual([denied.tids, denied.apart.missing, denied.apart.detail], [[1, 2], 'denied', 'EPERM']);
  for (const text of ['[]', '{}', '{"tids":[]}', '{"tids":[0]}', '{"threads":["8"]}', '{"missing":"because"}', '{"threads":[1.5]}', 'x']) assert.ok(isMissing(parseThreadsListing('x', text)), text);
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    const told = parseThreadsListing('x', text);
    if (isMissing(told)) assert.equal(told.missing, 'malformed');
    for (const [one, group] of parseSpaces(text)) assert.ok(group.includes(one));
  }));
});

test('processes of one address space: every one of a line with all of it, other lines are passed over', () => {
  assert.deepEqual([...parseSpaces('[7,9]\nnonsense\n{"a":1}\n[]\n[-1,2]\n[11,12,13]\n')], [[7, [7, 9]], [9, [7, 9]], [11, [11, 12, 13]], [12, [11, 12, 13]], [13, [11, 12, 13]]]);
});
