/**
 * System RAM of each kind taken out on every release that has the kind: the process that lives on it keeps its data, no
 * range is leaked, nothing of the kernel log means harm; or it is refused beforehand with the right reason.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnseatError } from '../../src/errors/unseat-error.ts';
import { touch } from '../../src/kernel/scenario/steps/touch.ts';
import { releaseNames } from '../../src/profile/select.ts';
import { MEMORY, type Case } from './every-call/cases.ts';
import { setUp, start, unharmed, type SetUp } from './every-call/machine.ts';

/** Devices that some release cannot take out, and why. */
const REFUSED: Readonly<Record<string, RegExp>> = { 'kmem, block by block on 5.2': /never gives memory back/ };

/** Null where this release does not have the kind. */
function on(c: Case, release: string): SetUp | string | null {
  try {
    return setUp({ ...c, name: `${c.name} on ${release}`, release });
  } catch (error) {
    if (error instanceof UnseatError && (error.code === 'UNSUPPORTED' || error.code === 'NOT_FOUND')) return null;
    if (error instanceof assert.AssertionError) return error.message;
    throw error;
  }
}

for (const c of MEMORY.filter((m) => !m.name.includes('state file'))) {
  test(`${c.name}: out on every release that has it, and nobody's data lost`, async () => {
    let done = 0;
    for (const release of releaseNames()) {
      const s = on(c, release);
      const what = `${c.name} on ${release}`;
      if (s === null) continue;
      if (typeof s === 'string') {
        assert.match(s, REFUSED[what] ?? /^$/, what);
        continue;
      }
      const record = await start(s, s.host);
      assert.equal(record.status, 'done', `${what}: ${JSON.stringify(record.steps.at(-1))}`);
      assert.deepEqual(record.kernelLog, [], what);
      unharmed(s, what);
      assert.doesNotMatch(String(s.host.files.text('/proc/iomem')), /System RAM \((?:kmem|virtio_mem)\)/, what);
      done += 1;
      if (s.built.processes.get('user') === undefined) continue;
      const seen = touch(s.built, 'read', 'user', undefined);
      assert.deepEqual((seen.pages ?? []).map((p) => [p.own, p.zero, p.sigbus]), (seen.pages ?? []).map((p) => [p.pages, 0, 0]), what);
    }
    assert.ok(done >= 2, `${done} releases`);
  });
}

test('virtio-mem with memory plugged is refused, and the host is named as who can', () => {
  const machine = { machine: { nodes: [{ ram: '2G' }, { ram: 0 }], virtioMem: [{ name: 'vmem', size: '1G', requested: '384M', node: 1 }] }, systemRam: [{ device: 'vmem', online: 'movable' }] };
  for (const release of ['5.10', '6.1', '7.2']) {
    assert.throws(() => setUp({ name: `virtio-mem in use on ${release}`, release, device: 'virtio1', way: 'graceful', machine }), /not-removable.*requested-size/);
  }
});
