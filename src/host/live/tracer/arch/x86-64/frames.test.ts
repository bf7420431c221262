/** The chain of signal frames as bytes: what a thread would find, step by step. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_RESULT, buildChain, chainBytes } from './frames.ts';
import type { FrameCall } from './frames.ts';
import { REGISTER_NAMES, Registers } from './registers.ts';

const CONTEXT_ORDER = ['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rdi', 'rsi', 'rbp', 'rbx', 'rdx', 'rax', 'rcx', 'rsp', 'rip', 'eflags'] as const;
const GADGETS = { call: 0x1000, restorer: 0x2000 };
const TOP = 0x7ffd_0000_0000;

/** A processor that knows rt_sigreturn, `syscall; ret`, the restorer and the store gadget; returns the calls that were made. */
function interpret(chain: ReturnType<typeof buildChain>, words: number | null, results: (i: number) => bigint): { calls: { number: bigint; args: bigint[] }[]; end: Registers; mask: string } {
  const memory = Buffer.from(chain.bytes);
  const at = (address: bigint): number => Number(address) - chain.address;
  const calls: { number: bigint; args: bigint[] }[] = [];
  let regs = chain.entry.copy();
  let mask = '';
  for (;;) {
    assert.equal(regs.get('rip'), BigInt(GADGETS.call));
    if (regs.get('rax') === 15n) {
      const frame = at(regs.get('rsp')) - 8;
      const next = new Registers();
      CONTEXT_ORDER.forEach((name, i) => next.set(name, memory.readBigUInt64LE(frame + 48 + 8 * i)));
      assert.equal(memory.readUInt16LE(frame + 192), 0x33);
      assert.equal(memory.readUInt16LE(frame + 198), 0x2b);
      assert.equal(memory.readBigUInt64LE(frame + 232) % 64n, 0n, 'the extended state is aligned');
      mask = memory.toString('hex', frame + 304, frame + 312);
      regs = next;
      if (next.get('rip') !== BigInt(GADGETS.call)) return { calls, end: regs, mask };
    }
    assert.equal(mask, 'ffffffffffffffff', 'signals are blocked during calls');
    calls.push({ number: regs.get('rax'), args: (['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'] as const).map((n) => regs.get(n)) });
    let rsp = regs.get('rsp');
    let target = memory.readBigUInt64LE(at(rsp));
    rsp += 8n;
    if (words !== null) {
      assert.equal(target, 0x3000n);
      memory.writeBigUInt64LE(results(calls.length - 1), at(regs.get('rbx')));
      rsp += BigInt(8 * words);
      target = memory.readBigUInt64LE(at(rsp));
      rsp += 8n;
    }
    assert.equal(target, BigInt(GADGETS.restorer));
    regs = regs.copy();
    regs.set('rsp', rsp);
    regs.set('rax', 15n);
    if (words !== null && chain.results !== null) memory.copy(chain.bytes);
  }
}

const call = fc.record({ number: fc.integer({ min: 16, max: 450 }), args: fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { maxLength: 6 }) });
const saved = fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { minLength: REGISTER_NAMES.length, maxLength: REGISTER_NAMES.length });

test('every call is made with its arguments, in order, and the saved state comes back', () => {
  fc.assert(fc.property(fc.array(call, { minLength: 1, maxLength: 20 }), saved, fc.option(fc.integer({ min: 1, max: 3 })), fc.integer({ min: 576, max: 4000 }), (calls, values, words, stateBytes) => {
    const state = new Registers();
    REGISTER_NAMES.forEach((name, i) => state.set(name, values[i] ?? 0n));
    state.set('rip', 0x4000n);
    const store = words === null ? null : { address: 0x3000, words };
    const mask = Buffer.from('0102030405060708', 'hex');
    const chain = buildChain({ saved: state, mask, state: Buffer.alloc(stateBytes), calls: calls as FrameCall[], gadgets: { ...GADGETS, store }, top: TOP });
    assert.equal(chain.address + chain.bytes.length, TOP);
    assert.ok(chain.bytes.length <= chainBytes(calls.length, stateBytes));
    assert.equal(chain.entry.get('orig_rax'), BigInt.asUintN(64, -1n), 'the kernel must not restart a call at the entry');
    const run = interpret(chain, words, (i) => BigInt(i));
    assert.deepEqual(run.calls.map((c) => c.number), calls.map((c) => BigInt(c.number)));
    run.calls.forEach((made, i) => calls[i]?.args.forEach((arg, k) => assert.equal(made.args[k], arg)));
    for (const name of CONTEXT_ORDER) assert.equal(run.end.get(name), state.get(name), name);
    assert.equal(run.mask, '0102030405060708');
    if (chain.results !== null) calls.forEach((_, i) => assert.equal(chain.bytes.readBigUInt64LE(chain.results! - chain.address + 8 * i), BigInt(i)));
  }));
});

test('result slots say that nothing has returned yet', () => {
  const chain = buildChain({ saved: new Registers(), mask: Buffer.alloc(8), state: Buffer.alloc(600), calls: [{ number: 39, args: [] }], gadgets: { ...GADGETS, store: { address: 0x3000, words: 1 } }, top: TOP });
  assert.equal(chain.bytes.readBigUInt64LE(chain.results! - chain.address), NO_RESULT);
});
