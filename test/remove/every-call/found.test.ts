/** What the faults at every call found, each by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Crashed, type FaultRule } from '../../../src/host/recording/fault.ts';
import type { RecordedCall } from '../../../src/host/recording/record.ts';
import { recordHost } from '../../../src/host/recording/recording-host.ts';
import { rollback } from '../../../src/remove/engine/run.ts';
import { findJournals, journalPath } from '../../../src/remove/journal/journal.ts';
import { parseJournal } from '../../../src/remove/journal/entries.ts';
import type { RemovalRecord } from '../../../src/remove/record.ts';
import { CASES, type Case } from './cases.ts';
import { bothDie, changes, setUp, start, stateOf, unharmed, type SetUp } from './machine.ts';

const caseOf = (name: string): Case => CASES.find((c) => c.name === name) ?? assert.fail(name);
const written = (call: RecordedCall, path: RegExp): boolean => call.facet === 'actions' && call.method === 'write' && path.test(String(call.args[0]));
const appended = (words: string) => (call: RecordedCall): boolean => call.method === 'append' && String(call.args[1]).includes(words);

async function withFaults(name: string, rules: (s: SetUp) => readonly FaultRule[]): Promise<{ s: SetUp; record: RemovalRecord; calls: readonly RecordedCall[] }> {
  const s = setUp(caseOf(name));
  const recorded = recordHost(s.host, rules(s));
  return { s, record: await start(s, recorded.host), calls: recorded.calls };
}

function asBefore(s: SetUp, record: RemovalRecord): void {
  assert.equal(record.status, 'called-off', JSON.stringify(record.steps.at(-1)));
  assert.deepEqual(changes(s.before, stateOf(s.host)), []);
  assert.equal(findJournals(s.host).length, 0);
  unharmed(s, 'called off');
}

const stepOf = (s: SetUp, kind: string): string => s.way.steps.find((step) => step.action.kind === kind)?.id ?? assert.fail(kind);

test('a driver directory that cannot be looked at is not taken for an unbound device', async () => {
  const { s, record } = await withFaults('fsdax, kill', () => [{ at: (c) => c.method === 'stat' && /nd_pmem\/pfn0\.0$/.test(String(c.args[0])), fault: { kind: 'missing', absence: 'unreadable', detail: 'EIO' } }]);
  assert.match(record.steps.at(-1)?.says ?? '', /whether the device is still bound cannot be read/);
  asBefore(s, record);
});

test('nothing is unbound when the processes cannot be looked at just before', async () => {
  let armed = false;
  const { s, record } = await withFaults('devdax, detach', (at) => [
    { at: (c) => { armed ||= appended(`"begin","step":"${stepOf(at, 'unbind')}"`)(c); return armed && c.method === 'pids'; }, fault: { kind: 'missing', absence: 'unreadable', detail: 'EMFILE' } },
  ]);
  assert.match(record.steps.at(-1)?.says ?? '', /not everything can be seen/);
  assert.match(s.host.files.link('/sys/bus/dax/devices/dax0.0/driver') as string, /device_dax$/);
});

test('a stop whose answer is lost is let go of', async () => {
  const { s, record } = await withFaults('devdax, detach', () => [{ at: (c) => c.method === 'stop', fault: { kind: 'deadline', effect: 'done' } }]);
  asBefore(s, record);
});

test('a stop that never answers does not keep the engine for ever', async () => {
  const { s, record } = await withFaults('devdax, detach', () => [{ at: (c) => c.method === 'stop', fault: { kind: 'never', effect: 'done' } }]);
  assert.match(record.steps.at(-1)?.says ?? '', /no answer within/);
  asBefore(s, record);
});

test('a journal that cannot be written ends the removal, and everything is put back', async () => {
  for (const words of ['"begin","step":"3"', '"begin","step":"6"', '"entry":"setting"']) {
    let full = false;
    const { s, record } = await withFaults('fsdax on XFS, force', () => [{ at: (c) => { full ||= appended(words)(c); return full && c.method === 'append'; }, fault: { kind: 'errno', errno: 'ENOSPC' } }]);
    assert.match(record.steps.at(-1)?.says ?? '', /the journal could not be written/, words);
    assert.deepEqual(changes(s.before, stateOf(s.host)), [], words);
    unharmed(s, words);
  }
});

test('a removal that is done stays done when its record cannot be kept, and says so', async () => {
  const { s, record } = await withFaults('fsdax, graceful', () => [{ at: (c) => c.method === 'replace', fault: { kind: 'errno', errno: 'ENOSPC' } }]);
  assert.equal(record.status, 'done');
  assert.match(record.unkept ?? '', /ENOSPC/);
  assert.equal(findJournals(s.host).length, 0);
});

test('a line that was cut off does not take the next one with it', async () => {
  const { s } = await withFaults('fsdax, graceful', () => [{ at: (c) => appended('"end","step":"1"')(c), fault: { kind: 'errno', errno: 'ENOSPC' } }, { at: (c) => c.method === 'remove', fault: { kind: 'errno', errno: 'EIO' } }]);
  const store = s.host.actions?.store;
  assert.ok(store !== undefined);
  const [journal] = findJournals(s.host);
  const text = store.read(journal?.path ?? '');
  assert.ok(typeof text === 'string');
  // As a full disk leaves it: half of the line that failed stands before the next one.
  const torn = text.replace(/\n\n/, '\n{"entry":"end","st\n');
  assert.notEqual(torn, text);
  assert.equal(parseJournal(torn)?.tornLine, true);
  assert.equal(parseJournal(torn)?.entries.length, parseJournal(text)?.entries.length);
});

test('half a header, as a kill leaves it, is no removal that could be resumed, and the next one begins', async () => {
  for (const half of ['', '{"entry":"header","dev']) {
    const s = setUp(caseOf('fsdax, graceful'));
    const store = s.host.actions?.store;
    await store?.append(journalPath(s.plan.device), half);
    assert.equal(findJournals(s.host).length, 0);
    assert.equal((await start(s, s.host)).status, 'done');
  }
  const s = setUp(caseOf('fsdax, graceful'));
  await s.host.actions?.store.append(journalPath(s.plan.device), '{"entry":"header","of":"another version"}\n');
  await assert.rejects(start(s, s.host), /interrupted/);
});

test('a process is asked twice to go on', async () => {
  const { s, record } = await withFaults('devdax, detach', () => [{ at: (c) => c.method === 'release', nth: 0, fault: { kind: 'errno', errno: 'EIO' } }]);
  assert.equal(record.status, 'done');
  unharmed(s, 'released');
});

test('the last steps do not bring the device back when one of them fails', async () => {
  const { s, record } = await withFaults('devdax, detach', () => [{ at: (c) => c.method === 'release', fault: { kind: 'errno', errno: 'EIO' } }]);
  assert.equal(record.status, 'partly');
  assert.ok('missing' in Object(s.host.files.stat('/sys/bus/dax/drivers/device_dax/dax0.0')));
  bothDie(s);
});

test('rolling back a block that never went offline is no error', async () => {
  const s = setUp(caseOf('DIMM'));
  const recorded = recordHost(s.host, [{ at: (c) => written(c, /memory32\/state$/), fault: { kind: 'crash', when: 'before' } }]);
  await assert.rejects(start(s, recorded.host), Crashed);
  const [journal] = findJournals(s.host);
  assert.ok(journal !== undefined);
  assert.equal((await rollback(s.host, journal.path, journal.content)).status, 'rolled-back');
});

test('a dax device that kmem took when its CXL region came back is given back to device_dax', async () => {
  const { s, record, calls } = await withFaults('CXL memdev with devdax, kill', () => [{ at: (c) => written(c, /region0\/commit$/), nth: 0, fault: { kind: 'errno', errno: 'EIO' } }]);
  assert.deepEqual(record.undone.filter((u) => !u.ok), []);
  assert.deepEqual(changes(s.before, stateOf(s.host)), []);
  assert.ok(calls.some((c) => written(c, /kmem\/unbind$/)) && calls.some((c) => written(c, /device_dax\/new_id$/)));
});

test('what cannot come back with a card is named, and the rollback comes to its end', async () => {
  const s = setUp(caseOf('slot with CXL RAM'));
  const recorded = recordHost(s.host, [{ at: (c) => c.method === 'text' && /slots\/2\/adapter$/.test(String(c.args[0])), fault: { kind: 'crash', when: 'before' } }]);
  await assert.rejects(start(s, recorded.host), Crashed);
  const [journal] = findJournals(s.host);
  assert.ok(journal !== undefined);
  const record = await rollback(s.host, journal.path, journal.content);
  assert.equal(record.status, 'rolled-back');
  assert.match(record.undone.filter((u) => u.stays === true).map((u) => u.says).join('\n'), /region0 has lost its targets with the card.*cxl create-region/);
  assert.equal(s.host.files.text('/sys/bus/pci/slots/2/power'), '1');
  assert.equal(findJournals(s.host).length, 0);
});

test('a rollback names what it leaves: the file system is not mounted again', async () => {
  const s = setUp(caseOf('fsdax, detach'));
  const recorded = recordHost(s.host, [{ at: (c) => written(c, /unbind$/), fault: { kind: 'crash', when: 'before' } }]);
  await assert.rejects(start(s, recorded.host), Crashed);
  bothDie(s);
  const [journal] = findJournals(s.host);
  assert.ok(journal !== undefined);
  const record = await rollback(s.host, journal.path, journal.content);
  assert.match(record.undone.map((u) => u.says).join('\n'), /mount it again at \/mnt/);
});

test('latecomers that were let go make a removal that is called off one that is partly done', async () => {
  const s = setUp(caseOf('devdax, kill'));
  const confirm = s.way.steps.find((step) => step.action.kind === 'confirm-no-holders');
  assert.ok(confirm !== undefined);
  // The plan does not know its holder: it is found at the look before the unbind, and ended.
  const way = { ...s.way, steps: s.way.steps.filter((step) => step.action.kind !== 'signal-process') };
  const recorded = recordHost(s.host, [{ at: (c) => written(c, /unbind$/), fault: { kind: 'errno', errno: 'EIO' } }]);
  const record = await start({ ...s, way }, recorded.host);
  assert.equal(record.status, 'partly');
});
