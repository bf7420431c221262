/** For tests: any small program. */
import fc from 'fast-check';
import { WORDS, type Op, type RandomSpec } from './random-program.ts';

const op: fc.Arbitrary<Op> = fc.record({ kind: fc.constantFrom('add' as const, 'copy' as const, 'wait' as const, 'choose' as const, 'set' as const), a: fc.nat(WORDS - 1), b: fc.nat(WORDS - 1) });
export const randomSpecs: fc.Arbitrary<RandomSpec> = fc.record({ threads: fc.array(fc.array(op, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 3 }), word: fc.nat(WORDS - 1), value: fc.nat(3), kind: fc.constantFrom('never' as const, 'finally' as const, 'sometimes' as const) });
