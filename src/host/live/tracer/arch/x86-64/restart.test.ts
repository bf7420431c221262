/** Interrupted system calls: made again, or EINTR, as the kernel would. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALL_NUMBERS } from './calls.ts';
import { Registers } from './registers.ts';
import { settleInterruptedCall } from './restart.ts';

function stopped(name: string, rax: bigint, args: Partial<Record<'rdi' | 'rsi' | 'rdx' | 'r10', bigint>> = {}): Registers {
  const regs = new Registers();
  regs.set('orig_rax', BigInt(CALL_NUMBERS[name] ?? -1));
  regs.set('rax', rax);
  regs.set('rip', 0x1002n);
  for (const [key, value] of Object.entries(args)) regs.set(key as 'rdi', value);
  return regs;
}

const again = (regs: Registers): boolean => regs.get('rip') === 0x1000n && regs.get('rax') === regs.get('orig_rax');

for (const [rax, title] of [[-512n, 'ERESTARTSYS'], [-513n, 'ERESTARTNOINTR'], [-514n, 'ERESTARTNOHAND']] as const) {
  test(`${title} makes the call again`, () => {
    const regs = stopped('read', rax);
    assert.equal(settleInterruptedCall(regs), 'exact');
    assert.ok(again(regs));
  });
}

const cases: readonly [string, Registers, string, boolean][] = [
  ['a sleep that writes what is left into its own argument', stopped('nanosleep', -516n, { rdi: 0x500n, rsi: 0x500n }), 'exact', true],
  ['a sleep that keeps what is left elsewhere', stopped('nanosleep', -516n, { rdi: 0x500n, rsi: 0x600n }), 'interrupted', false],
  ['a sleep that keeps nothing', stopped('nanosleep', -516n, { rdi: 0x500n }), 'longer', true],
  ['a sleep until a moment', stopped('clock_nanosleep', -516n, { rsi: 1n, rdx: 0x500n, r10: 0x600n }), 'exact', true],
  ['poll without a timeout', stopped('poll', -516n, { rdx: 0xffff_ffffn }), 'exact', true],
  ['poll with a timeout', stopped('poll', -516n, { rdx: 1000n }), 'longer', true],
  ['a futex wait until a moment', stopped('futex', -516n, { rsi: 0x189n }), 'exact', true],
  ['a call that is not known', stopped('ppoll', -516n), 'interrupted', false],
];
for (const [title, regs, effect, made] of cases) {
  test(`${title}: ${effect}`, () => {
    assert.equal(settleInterruptedCall(regs), effect);
    assert.equal(again(regs), made);
    if (!made) assert.equal(regs.signed('rax'), -4);
  });
}

test('a thread outside of a system call is left as it is', () => {
  const regs = stopped('read', -512n);
  regs.set('orig_rax', -1n);
  const before = Buffer.from(regs.bytes);
  assert.equal(settleInterruptedCall(regs), 'exact');
  assert.deepEqual(regs.bytes, before);
});
