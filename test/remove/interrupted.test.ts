/** Ctrl-C between any two steps, another removal at the same time, a journal that cannot be begun: nothing is left half done. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { interruptible } from '../../src/cli/interrupt.ts';
import { Output } from '../../src/cli/print/output.ts';
import { UnseatError } from '../../src/errors/unseat-error.ts';
import type { Host } from '../../src/host/host.ts';
import { openLive } from '../../src/host/live/open.ts';
import { remove, resume } from '../../src/remove/engine/run.ts';
import { findJournals } from '../../src/remove/journal/journal.ts';
import { crashAt, gone, machineFor, settled, start, WAYS } from './engine-rig.ts';
import { FS_DEV } from './fake-machine.ts';
import { planFor } from './plans.ts';

for (const way of WAYS) {
  test(`${way}: interrupted before any of its steps, it is called off with everything as before; once the device is gone, it goes on`, async () => {
    const { plan, way: planned } = planFor(machineFor(way), way);
    let toTheEnd = 0;
    for (let at = 0; at <= planned.steps.length; at += 1) {
      const machine = machineFor(way);
      let asked = 0;
      const record = await remove(machine.host(), plan, planned, [FS_DEV], { stopAsked: () => (asked += 1) > at });
      const what = `${way}, interrupted before step ${at}: ${JSON.stringify(record.steps.at(-1))}`;
      settled(machine, what);
      if (record.status === 'done') {
        gone(machine, way, what);
        toTheEnd += 1;
        continue;
      }
      assert.equal(machine.bound, true, what);
      assert.match(record.steps.at(-1)?.says ?? '', /interrupted/, what);
      // What nothing puts back (an unmount, holders that were ended or let go) stays so and is told; all else is as before.
      const stays = planned.steps.slice(0, at).some((s) => s.undo === null && ['unmount', 'signal-process', 'detach-process', 'memory-failure'].includes(s.action.kind));
      assert.equal(record.status, stays ? 'partly' : 'called-off', what);
      assert.equal(findJournals(machine.host()).length, record.status === 'called-off' ? 0 : 1, what);
      assert.ok([...machine.blocks.values()].every((s) => s === 'online'), what);
    }
    assert.ok(toTheEnd >= 1 && toTheEnd < planned.steps.length, `${toTheEnd} of ${planned.steps.length}`);
  });
}

test('while holders are waited for, an interrupt ends the wait', async () => {
  const machine = machineFor('detach');
  const { plan, way } = planFor(machine, 'graceful');
  const wait = { ...way.steps[0]!, id: 'w', action: { kind: 'wait-for-holders' }, deadlineMs: 3_600_000 } as (typeof way.steps)[number];
  let looks = 0;
  const record = await remove(machine.host(), plan, { ...way, possible: true, steps: [wait, ...way.steps] }, [FS_DEV], { stopAsked: () => (looks += 1) > 5 });
  assert.equal(record.status, 'called-off');
  assert.match(record.steps.at(-1)?.says ?? '', /interrupted/);
  assert.ok(looks < 10, `${looks}`);
});

test('a removal that has holders or settings in common with one under way is refused; one that has nothing in common is not; once its process has ended it can be resumed', async () => {
  const machine = await crashAt('detach', 40, 'before');
  const path = [...machine.store.keys()].find((name) => name.endsWith('.journal'))!;
  const [header = '', ...rest] = (machine.store.get(path) ?? '').split('\n');
  const working = machine.add(500);
  machine.store.set(path, [JSON.stringify({ ...JSON.parse(header), by: { pid: 500, startTime: working.startTime } }), ...rest].join('\n'));
  const { plan, way } = planFor(machine, 'detach');
  const other = { ...plan, device: 'fsdax:other', deviceName: 'other' };
  await assert.rejects(remove(machine.host(), other, way, [FS_DEV], { own: [501] }), (e) => e instanceof UnseatError && e.code === 'REFUSED' && /is under way, by process 500/.test(e.message));
  assert.equal(findJournals(machine.host()).length, 1);
  // With nothing in common they do not meet.
  const apart = { ...way, steps: [{ ...way.steps[0]!, action: { kind: 'note', text: 'x' } } as (typeof way.steps)[number]] };
  assert.equal((await remove(machine.host(), other, apart, ['259:9'], { own: [501] })).status, 'done');
  working.alive = false;
  const [journal] = findJournals(machine.host());
  assert.equal((await resume(machine.host(), journal!.path, journal!.content, { own: [501] })).status, 'done');
});

test('of two that begin at the same moment neither goes on over the other', async () => {
  const machine = machineFor('detach');
  const host = machine.host();
  const { plan, way } = planFor(machine, 'detach');
  const other = machine.add(500);
  const { store } = host.actions!;
  // Between the look and the first line of ours, another process writes its own.
  const append: typeof store.append = async (path, text) => {
    if (findJournals(machine.host()).length === 0) machine.store.set('/run/unseat/other.journal', `${JSON.stringify({ ...JSON.parse(text), device: 'other', deviceName: 'other', by: { pid: 500, startTime: other.startTime } })}\n`);
    return store.append(path, text);
  };
  await assert.rejects(remove({ ...host, actions: { ...host.actions!, store: { ...store, append } } }, plan, way, [FS_DEV], { own: [501] }), /a removal of other is under way/);
  assert.deepEqual(findJournals(machine.host()).map((j) => j.content.header.deviceName), ['other']);
  settled(machine, 'two at once');
  const raced: Host = { ...host, actions: { ...host.actions!, store: { ...store, create: () => Promise.reject(Object.assign(new Error('exists'), { code: 'EEXIST' })) } } };
  other.alive = false;
  await assert.rejects(start(raced, machine, 'detach'), /an earlier removal of this device was interrupted/);
});

test('a journal that cannot be begun: nothing was touched, why, and what to do', async () => {
  for (const errno of ['ENOSPC', 'EROFS', 'EACCES']) {
    const machine = machineFor('detach');
    const host = machine.host();
    const broken: Host = { ...host, actions: { ...host.actions!, store: { ...host.actions!.store, append: () => Promise.reject(Object.assign(new Error('no'), { code: errno })) } } };
    await assert.rejects(start(broken, machine, 'detach'), (e) => {
      assert.ok(e instanceof UnseatError);
      assert.deepEqual([e.code, e.facts.seen, e.facts.definite], ['WRITE_FAILED', errno, undefined]);
      assert.match(`${e.message} ${e.facts.next}`, /nothing was touched.*make \/run\/unseat writable/);
      return true;
    });
    settled(machine, errno);
    assert.equal(machine.bound, true);
  }
});

test('the store of this machine makes a file once, whole, and leaves nothing else', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'unseat-store-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const host = openLive();
  const create = host.actions?.store.create?.bind(host.actions.store);
  assert.ok(create);
  const path = join(directory, 'new', 'x.journal');
  const made = await Promise.allSettled(['a', 'b', 'c'].map((text) => create(path, `${text}\n`.repeat(1000))));
  assert.equal(made.filter((m) => m.status === 'fulfilled').length, 1);
  assert.deepEqual(made.flatMap((m) => (m.status === 'rejected' ? [(m.reason as NodeJS.ErrnoException).code] : [])), ['EEXIST', 'EEXIST']);
  assert.match(readFileSync(path, 'utf8'), /^(?:a\n){1000}$|^(?:b\n){1000}$|^(?:c\n){1000}$/);
  assert.deepEqual(readdirSync(join(directory, 'new')), ['x.journal']);
  host.close();
});

test('the first signal asks for it, and is heard no more once the work is over', async () => {
  const said: string[] = [];
  const out = new Output({ json: false, color: false, width: 80, progress: false }, { out: () => undefined, err: (text) => void said.push(text) });
  const before = process.listenerCount('SIGINT');
  const asked = await interruptible(out, async (stopAsked) => {
    const first = stopAsked();
    process.emit('SIGINT', 'SIGINT');
    return [first, stopAsked(), process.listenerCount('SIGTERM') > 0];
  });
  assert.deepEqual(asked, [false, true, true]);
  assert.match(said.join(''), /called off after this step.*unseat resume/);
  assert.equal(process.listenerCount('SIGINT'), before);
});

const script = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path));
test('Ctrl-C at the question for consent is a no, and no defect', { skip: script === undefined ? 'needs script(1) for a terminal' : false }, async () => {
  const main = resolve(import.meta.dirname, '../../src/cli/main.ts');
  const child = spawn(script!, ['-qec', `${process.execPath} ${main} remove pmem0 --simulate fsdax-ext4-unbind --detach`, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const asked = said.includes('to go on:');
    said += text;
    if (!asked && said.includes('to go on:')) child.stdin.write('\u0003');
  });
  const status = await new Promise((done) => child.on('exit', done));
  assert.equal(status, 3, said);
  assert.match(said, /nothing was done.*NO_CONSENT/, said);
  assert.doesNotMatch(said, /defect/);
});
