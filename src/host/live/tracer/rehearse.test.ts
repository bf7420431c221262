/** The rehearsal goes through, and leaves nothing behind. */
import test from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { GadgetFinder } from './arch/x86-64/gadgets.ts';
import { rehearse, TIMES } from './rehearse.ts';

const no = process.arch !== 'x64' ? 'needs x86-64' : process.geteuid?.() !== 0 ? 'needs root (ptrace)' : !existsSync('/bin/sh') ? 'needs /bin/sh' : false;
const OWN = `/proc/self/task/${process.pid}/children`;

test('a process of our own is stopped, carries calls and goes on, some times over; then it is gone', { skip: no }, () => {
  const children = (): string | null => (existsSync(OWN) ? readFileSync(OWN, 'latin1') : null);
  const before = children();
  assert.equal(rehearse(new GadgetFinder(), 20_000), TIMES);
  assert.equal(children(), before);
});
