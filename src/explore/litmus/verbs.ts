/** Every verb of a litmus thread. */
import { DEVICE_VERBS } from './verbs-devices.ts';
import { PROCESS_VERBS } from './verbs-process.ts';
import { SYSTEM_VERBS } from './verbs-system.ts';
import type { Verb } from './verb.ts';

export const VERBS: Readonly<Record<string, Verb>> = { ...PROCESS_VERBS, ...SYSTEM_VERBS, ...DEVICE_VERBS };
