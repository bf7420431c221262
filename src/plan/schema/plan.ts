/** The published JSON Schema of `plan --json` (draft 2020-12). `schema/plan.json` is this, written out by tools/schema.ts. */
import { z } from 'zod';
import { count, nullable, range, text } from '../../machine/schema/basics.ts';
import type { Effect, Forecast } from '../../steps/forecast.ts';
import { REASONS, type Blocker, type ReasonCode } from '../../steps/reason.ts';
import type { RemovalPlan, WayPlan } from '../../steps/removal-plan.ts';
import type { Step, StepAction } from '../../steps/step.ts';

/** Every effect there is; the compiler holds it against the union. */
const EFFECT_NAMES: Record<Effect, true> = {
  'clean': true, 'stale-mapping': true, 'stale-write': true, 'next-owner-exposed': true, 'sigbus': true, 'unbind-hangs': true, 'unbind-spins': true,
  'pin-outlives-memmap': true, 'oops-at-exit': true, 'oops-at-umount': true, 'oops-on-pagemap': true, 'oops-on-smaps': true, 'oops-on-write': true,
  'umount-hangs': true, 'bad-page-map': true, 'fs-shutdown': true, 'region-leaked': true, 'reads-zero': true, 'allocator-continues': true, 'veto': true,
  'no-rebind': true, 'never-ends': true, 'kernel-bug-later': true, 'swap-lost': true, 'io-errors': true,
};

const way = z.enum(['graceful', 'detach', 'force', 'kill']);
const forecast: z.ZodType<Forecast> = z.strictObject({
  event: z.enum(['unbind', 'pull']),
  effects: z.array(z.strictObject({ effect: z.enum(Object.keys(EFFECT_NAMES) as Effect[]), whom: text, because: text, source: text, certainty: z.enum(['certain', 'likely', 'possible']) })),
});
const blocker: z.ZodType<Blocker> = z.strictObject({
  reason: z.enum(Object.keys(REASONS) as ReasonCode[]), subject: text, text, next: text, pid: count.exactOptional(), block: count.exactOptional(), overcomeBy: z.array(way),
});

const process = z.strictObject({ pid: count, startTime: z.number() });
const mountPlace = { namespaceId: count, mountPoint: text };
const milliseconds = z.number().describe('milliseconds');

const action: z.ZodType<StepAction> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sync'), ...mountPlace }),
  z.strictObject({ kind: z.literal('stop-unit'), unit: text }),
  z.strictObject({ kind: z.literal('wait-for-holders'), deadlineMs: milliseconds }),
  z.strictObject({ kind: z.literal('stop-process'), process }),
  z.strictObject({ kind: z.literal('detach-process'), process, devices: z.array(text) }),
  z.strictObject({ kind: z.literal('memory-failure'), process, range }),
  z.strictObject({ kind: z.literal('signal-process'), process, signal: z.enum(['SIGKILL', 'SIGTERM', 'SIGSTOP', 'SIGCONT']) }),
  z.strictObject({ kind: z.literal('release-process'), process }),
  z.strictObject({ kind: z.literal('confirm-no-holders'), devices: z.array(text), allowMounts: z.boolean() }),
  z.strictObject({ kind: z.literal('unmount'), ...mountPlace }),
  z.strictObject({ kind: z.literal('shutdown-filesystem'), ...mountPlace, flag: z.union([z.literal(0), z.literal(1), z.literal(2)]) }),
  z.strictObject({ kind: z.literal('swap-off'), path: text }),
  z.strictObject({ kind: z.literal('deactivate'), block: text, program: text, args: z.array(text) }),
  z.strictObject({ kind: z.literal('set'), path: text, to: text, was: text.describe('empty: read before the write') }),
  z.strictObject({ kind: z.literal('offline-block'), index: count, path: text, was: text, zone: nullable(text) }),
  z.strictObject({ kind: z.literal('write'), path: text, text }),
  z.strictObject({ kind: z.literal('unbind'), driverPath: text, device: text }),
  z.strictObject({ kind: z.literal('confirm-gone'), ranges: z.array(range), paths: z.array(text) }),
  z.strictObject({ kind: z.literal('confirm-slot-off'), slotPath: text }),
  z.strictObject({ kind: z.literal('note'), text }),
]);

const step: z.ZodType<Step> = z.strictObject({ id: text, action, title: text, why: text, undo: nullable(action), needs: nullable(text), deadlineMs: milliseconds });
const wayPlan: z.ZodType<WayPlan> = z.strictObject({ way, possible: z.boolean(), blockers: z.array(blocker), consequences: z.array(text), steps: z.array(step) });

export const plan: z.ZodType<RemovalPlan> = z.strictObject({
  device: text, deviceName: text,
  kernel: z.strictObject({ release: nullable(text), profile: text, exact: z.boolean(), says: text }),
  forecasts: z.array(forecast), ways: z.array(wayPlan),
  knownBad: z.array(z.strictObject({ effect: text, source: text })), unseen: z.array(text),
});

export const planJsonSchema = (): Record<string, unknown> =>
  ({ title: 'unseat plan --json: a removal plan', ...(z.toJSONSchema(plan, { target: 'draft-2020-12', reused: 'inline' }) as Record<string, unknown>) });

