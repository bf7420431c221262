import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { AddressSpaces } from './address-spaces.ts';

test('one that ends while others are compared does not part those that share', async (t) => {
  const children = Array.from({ length: 4 }, () => spawn('sleep', ['60'], { stdio: 'ignore' }));
  t.after(() => children.forEach((child) => child.kill('SIGKILL')));
  const pids = children.map(({ pid }) => pid ?? 0);
  const threads = readdirSync('/proc/self/task').map(Number);
  const spaces = new AddressSpaces();
  for (const pid of [...pids, threads[0] ?? 0]) assert.equal(spaces.add(pid), true);
  children[1]?.kill('SIGKILL');
  await new Promise((done) => { children[1]?.once('exit', done); });
  for (const thread of threads.slice(1)) assert.equal(spaces.add(thread), true);
  const groups = spaces.groups([...threads, ...pids]);
  const lowest = Math.min(...threads);
  for (const thread of threads) assert.equal(groups.get(thread), lowest);
  for (const pid of [pids[0], pids[2], pids[3]]) assert.equal(groups.get(pid ?? 0), pid);
  assert.equal(new AddressSpaces().add(5_000_000), false);
});
