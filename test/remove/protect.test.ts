/** Who is never stopped or ended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Host } from '../../src/host/host.ts';
import { missing } from '../../src/host/fact.ts';
import { protectedBecause } from '../../src/remove/protect.ts';
import { FakeMachine } from './fake-machine.ts';

/** pid -> [parent, comm]. */
function hostWith(tree: Readonly<Record<number, readonly [number, string]>>): Host {
  const host = new FakeMachine().host();
  return { ...host, processes: { ...host.processes, read: (pid, name) => {
    const entry = tree[pid];
    if (entry === undefined || name !== 'stat') return missing('vanished', `/proc/${pid}`);
    return Buffer.from(`${pid} (${entry[1]}) S ${entry[0]} 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 1 1 1 1 1 1 0 0`);
  } } };
}

const host = hostWith({ 1: [0, 'systemd'], 10: [1, 'sshd-session'], 20: [10, 'bash'], 30: [20, 'unseat'], 40: [1, 'postgres'], 50: [1, 'systemd-udevd'] });

test('init, ourselves, our parents up to the session, and what the machine needs', () => {
  assert.match(protectedBecause(host, 1, [30]) ?? '', /init/);
  assert.match(protectedBecause(host, 30, [30]) ?? '', /unseat itself/);
  assert.match(protectedBecause(host, 20, [30]) ?? '', /started unseat/);
  assert.match(protectedBecause(host, 10, [30]) ?? '', /its session/);
  assert.match(protectedBecause(host, 50, [30]) ?? '', /needed by the machine/);
});

test('others may be touched', () => {
  assert.equal(protectedBecause(host, 40, [30]), null);
  assert.equal(protectedBecause(host, 40, []), null);
});
