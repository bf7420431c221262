/** `unseat remove DEVICE --locate`: one write to the slot's attention file, or a reason why not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { spawnSync } from 'node:child_process';
import { UnseatError } from '../../src/errors/unseat-error.ts';
import type { Host } from '../../src/host/host.ts';
import { simulate } from '../../src/kernel/scenario/simulate.ts';
import { findDevice } from '../../src/machine/devices/find.ts';
import { readMachine } from '../../src/machine/read.ts';
import { Crashed } from '../../src/host/recording/fault.ts';
import { recordHost } from '../../src/host/recording/recording-host.ts';
import { audit } from '../../src/remove/audit/audit.ts';
import { resume, rollback } from '../../src/remove/engine/run.ts';
import { findJournals } from '../../src/remove/journal/journal.ts';
import { lightsOf, setLight, setLights, type Light } from '../../src/remove/locate.ts';
import { planted } from '../planted.ts';
import { cardInSlot } from '../planted-slot.ts';

const ATTENTION = '/sys/bus/pci/slots/2/attention';
const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');
const simulated = (name: string): Host => simulate(readFileSync(resolve(import.meta.dirname, `../../scenarios/${name}.yaml`), 'utf8'), name);
const lights = (host: Host, name: string, on: boolean): Light[] => {
  const machine = readMachine(host, { rivals: false });
  return lightsOf(machine, findDevice(machine, name), on);
};
const code = (wanted: string) => (e: unknown): boolean => e instanceof UnseatError && e.code === wanted;
const unseat = (...args: string[]): { status: number | null; out: string; err: string } => {
  const ran = spawnSync(process.execPath, [MAIN, 'remove', ...args], { encoding: 'utf8', input: '' });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
};

test('the slot of a card blinks and stops, and nothing else of it changes: by card, and by what is on it', async () => {
  const host = simulated('cxl-ram-unplug');
  for (const name of ['mem0', 'slot:2', 'dax0.0']) {
    for (const [on, text] of [[true, '2'], [false, '0']] as const) {
      const found = lights(host, name, on);
      assert.deepEqual(found, [{ slot: '2', address: '0000:0d:00', path: ATTENTION, was: on ? 0 : 2, text }]);
      for (const light of found) await setLight(host, light);
      assert.equal(host.files.text(ATTENTION), text);
      assert.equal(host.files.text('/sys/bus/pci/slots/2/power'), '1');
    }
  }
});

test('a crash at any call never leaves the slot blinking: audit names it, resume and rollback put the light back', async () => {
  const device = (host: Host) => findDevice(readMachine(host, { rivals: false }), 'mem0');
  const first = simulated('cxl-ram-unplug');
  const counted = recordHost(first);
  // The same on each of these machines.
  const [card, on] = [device(first), lights(first, 'mem0', true)];
  await setLights(counted.host, card, on);
  assert.ok(counted.calls.length > 5);
  for (let at = 0; at < counted.calls.length; at += 1) {
    for (const how of [resume, rollback]) {
      const host = simulated('cxl-ram-unplug');
      const recorded = recordHost(host, [{ at, fault: { kind: 'crash', when: 'after' } }]);
      await assert.rejects(async () => setLights(recorded.host, card, on), Crashed);
      const [journal] = findJournals(host);
      const what = `crash at call ${at}, ${how.name}`;
      if (journal === undefined) {
        // Nothing begun yet, or all of it done: the light is as it was, or as it was asked to be.
        assert.equal(host.files.text(ATTENTION), at === counted.calls.length - 1 ? '2' : '0', what);
        continue;
      }
      assert.match(audit(host).findings.find((f) => f.kind === 'interrupted-removal')?.text ?? '', /slot light/, what);
      await how(host, journal.path, journal.content);
      assert.equal(host.files.text(ATTENTION), '0', what);
      assert.equal(findJournals(host).length, 0, what);
    }
  }
});

test('a light that was interrupted can be set anew', async () => {
  const host = simulated('cxl-ram-unplug');
  const device = findDevice(readMachine(host, { rivals: false }), 'mem0');
  const recorded = recordHost(host, [{ at: (c) => c.facet === 'actions' && c.method === 'write', fault: { kind: 'crash', when: 'after' } }]);
  await assert.rejects(setLights(recorded.host, device, lights(host, 'mem0', true)), Crashed);
  await setLights(host, device, lights(host, 'mem0', false));
  assert.equal(host.files.text(ATTENTION), '0');
  assert.equal(findJournals(host).length, 0);
});

test('a device in no slot is refused', () => {
  const host = simulated('fsdax-ext4-idle');
  assert.throws(() => lights(host, 'pmem0', true), code('UNSUPPORTED'));
});

test('a slot without a light is refused: no attention file, or one that cannot be read (acpiphp)', async (t) => {
  assert.throws(() => lights(simulatedAcpi, 'mem0', true), code('UNSUPPORTED'));
  const without = await planted(t, cardInSlot({}));
  assert.throws(() => lights(without, 'mem0', true), code('UNSUPPORTED'));
});

test('a capture is read-only; its light can be looked at', async (t) => {
  const host = await planted(t, cardInSlot({ attention: '0\n' }));
  const [light] = lights(host, 'mem0', true);
  assert.ok(light !== undefined);
  await assert.rejects(setLight(host, light), code('READ_ONLY'));
});

test('a write that the slot refuses, and one that changes nothing, are errors', async () => {
  const host = simulated('cxl-ram-unplug');
  const [light] = lights(host, 'mem0', true);
  assert.ok(light !== undefined && host.actions !== undefined);
  const answering = (write: NonNullable<Host['actions']>['write']): Host => ({ ...fields(host), actions: { ...host.actions, write } as NonNullable<Host['actions']> });
  const answer = (ok: boolean, errno?: string) => async () => ({ ok, definite: true, milliseconds: 1, ...(errno === undefined ? {} : { errno }) });
  await assert.rejects(setLight(answering(answer(false, 'ENODEV')), light), code('WRITE_FAILED'));
  await assert.rejects(setLight(answering(answer(false, 'EACCES')), light), code('NO_PERMISSION'));
  await assert.rejects(setLight(answering(answer(true)), light), code('WRITE_FAILED'));
});

test('the command says slot, file and text; --dry-run writes nothing; it goes with no way of removal', () => {
  const done = unseat('mem0', '--locate', '--simulate', 'cxl-ram-unplug');
  assert.equal(done.status, 0);
  assert.match(done.out, /slot 2 \(0000:0d:00\): wrote 2 to \/sys\/bus\/pci\/slots\/2\/attention/);
  assert.match(unseat('mem0', '--locate=off', '--dry-run', '--simulate', 'cxl-ram-unplug').out, /would write 0 to/);
  assert.equal(unseat('mem0', '--locate', '--kill', '--simulate', 'cxl-ram-unplug').status, 2);
  assert.equal(unseat('--locate', 'mem0', 'mem0', '--simulate', 'cxl-ram-unplug').status, 2);
});

const fields = (h: Host): Host => ({ kind: h.kind, label: h.label, identity: h.identity, files: h.files, processes: h.processes, mounts: h.mounts, log: h.log, time: h.time, close: () => h.close() });

/** acpiphp: the file is there and a read of it fails. */
const simulatedAcpi: Host = (() => {
  const host = simulated('cxl-ram-unplug');
  const files = new Proxy(host.files, { get: (target, key) => (key === 'text' ? (path: string) => (path === ATTENTION ? { missing: 'unreadable', path, detail: 'EINVAL' } : target.text(path)) : Reflect.get(target, key).bind(target)) });
  return { ...fields(host), files };
})();
