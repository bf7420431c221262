/** schema/removal.json is written from the source, and what removals say follows it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { Crashed } from '../../src/host/recording/fault.ts';
import { recordHost } from '../../src/host/recording/recording-host.ts';
import { resume, rollback } from '../../src/remove/engine/run.ts';
import { findJournals } from '../../src/remove/journal/journal.ts';
import { removalJsonSchema, removalRecord } from '../../src/remove/schema/record.ts';
import { CASES } from './every-call/cases.ts';
import { bothDie, setUp, start } from './every-call/machine.ts';

test('the published schema is the one of the source', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../../schema/removal.json'), 'utf8');
  assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(removalJsonSchema())), 'node tools/schema.ts writes it anew');
});

test('records follow it: done, called off, resumed, rolled back, and what cannot be kept', async () => {
  for (const c of CASES.filter((x) => ['fsdax, detach', 'slot with CXL RAM', 'DIMM'].includes(x.name))) {
    const whole = setUp(c);
    const calls = recordHost(whole.host);
    removalRecord.parse(await start(whole, calls.host));
    for (const how of [resume, rollback]) {
      const s = setUp(c);
      await assert.rejects(start(s, recordHost(s.host, [{ at: calls.calls.length - 5, fault: { kind: 'crash', when: 'before' } }]).host), Crashed);
      bothDie(s);
      const [journal] = findJournals(s.host);
      assert.ok(journal !== undefined);
      const record = await how(s.host, journal.path, journal.content);
      removalRecord.parse(record);
      removalRecord.parse(JSON.parse(JSON.stringify(record)));
    }
    const failing = setUp(c);
    removalRecord.parse(await start(failing, recordHost(failing.host, [{ at: (call) => call.method === 'write', nth: 0, fault: { kind: 'errno', errno: 'EIO' } }, { at: (call) => call.method === 'replace', fault: { kind: 'errno', errno: 'ENOSPC' } }]).host));
  }
});
