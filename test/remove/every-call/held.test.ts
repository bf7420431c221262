/** Removals of devices that processes hold: a crash, a failure and a hang at every host call. */
import { HELD } from './cases.ts';
import { testCases } from './run-cases.ts';

testCases(HELD);
