/** Removals of System RAM, CXL regions, memdevs and slots: a crash, a failure and a hang at every host call. */
import { MEMORY } from './cases.ts';
import { testCases } from './run-cases.ts';

testCases(MEMORY);
