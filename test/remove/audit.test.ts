/** The audit finds what is left, from maps alone. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { openCapture } from '../../src/host/capture/open.ts';
import type { Host } from '../../src/host/host.ts';
import { missing } from '../../src/host/fact.ts';
import { remove } from '../../src/remove/engine/run.ts';
import { audit } from '../../src/remove/audit/audit.ts';
import { FS_DEV, FakeMachine } from './fake-machine.ts';
import { planFor } from './plans.ts';

/** The fake machine with further files; a null takes one away. */
function withFiles(host: Host, files: Readonly<Record<string, string | null>>, directories: readonly string[] = []): Host {
  const known = (path: string): string | null | undefined => files[path];
  return {
    ...host,
    files: {
      ...host.files,
      text: (path) => { const t = known(path); return t === undefined ? host.files.text(path) : t === null ? missing('absent', path) : t; },
      read: (path) => { const t = known(path); return t === undefined ? host.files.read(path) : t === null ? missing('absent', path) : Buffer.from(t); },
      list: (path) => (directories.includes(path) ? [] : host.files.list(path)),
      stat: (path) => { const t = known(path); return t === null ? missing('absent', path) : host.files.stat(path); },
    },
  };
}

test('a process that maps a device which is gone: found from maps, with the warning, pagemap never read', () => {
  const machine = new FakeMachine();
  machine.add(100, { shared: 2 }).present.clear();
  machine.bound = false;
  const host = withFiles(machine.host(), { [`/sys/dev/block/${FS_DEV}`]: null, '/sys/dev/block/8:1': '' }, ['/sys/dev/block']);
  const { findings } = audit(host);
  const stale = findings.find((f) => f.kind === 'stale-mapping');
  assert.match(stale?.subject ?? '', /pid 100/);
  assert.match(stale?.text ?? '', /2 mapping\(s\).*259:0.*gone/);
  assert.match(stale?.warning ?? '', /Do not read its smaps, numa_maps or pagemap, do not end it, do not unmount/);
  assert.equal(findings.find((f) => f.kind === 'dead-mount')?.next, 'Bind the device again first, then unmount.');
  assert.deepEqual(machine.harm, []);
});

test('where sysfs cannot be listed nothing is called gone', () => {
  const machine = new FakeMachine();
  machine.add(100, { shared: 1 });
  assert.deepEqual(audit(machine.host()).findings.filter((f) => f.kind === 'stale-mapping'), []);
});

test('an interrupted removal is named with its two ways out', async () => {
  const machine = new FakeMachine();
  machine.add(100, { shared: 1, late: true });
  const { plan, way } = planFor(machine, 'kill');
  const host = machine.host();
  const store = { ...host.actions!.store, remove: async () => undefined };
  await remove({ ...host, actions: { ...host.actions!, store } }, plan, way, [FS_DEV]);
  const found = audit(machine.host()).findings.find((f) => f.kind === 'interrupted-removal');
  assert.match(found?.next ?? '', /unseat resume pmem0.*unseat rollback pmem0/);
});

test('whose journals may not be read is told so, and not that no removal was interrupted', () => {
  const host = new FakeMachine().host();
  const denied: Host = { ...host, actions: { ...host.actions!, store: { ...host.actions!.store, list: (path) => missing('denied', path, 'EACCES') } } };
  assert.ok(audit(denied).unseen.includes('interrupted removals (EACCES for /run/unseat)'));
  assert.ok(!audit(host).unseen.some((what) => what.includes('interrupted')));
});

test('the kernel log tells of regions lost until reboot', () => {
  const machine = new FakeMachine();
  machine.log.push({ seconds: 12, level: 4, sequence: 0, text: 'kmem dax0.0: mapping0: 0x108000000-0x11fffffff cannot be hotremoved until the next reboot' });
  assert.equal(audit(machine.host()).findings.filter((f) => f.kind === 'kernel-log').length, 1);
});

test('captures of machines on which nothing was removed yet: nothing is left behind', async () => {
  const directory = resolve(import.meta.dirname, '../../fixtures/captures');
  const captures = readdirSync(directory).filter((name) => name.endsWith('.tar.gz'));
  assert.ok(captures.length > 0);
  for (const name of captures) {
    const host = await openCapture(join(directory, name));
    assert.deepEqual(audit(host).findings.filter((f) => f.weight === 'left'), [], name);
    host.close();
  }
});
