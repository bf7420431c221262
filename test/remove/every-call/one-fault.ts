/** One removal with one fault in it, and what must hold afterwards. */
import assert from 'node:assert/strict';
import { UnseatError } from '../../../src/errors/unseat-error.ts';
import { Crashed, type Fault } from '../../../src/host/recording/fault.ts';
import type { RecordedCall } from '../../../src/host/recording/record.ts';
import { recordHost } from '../../../src/host/recording/recording-host.ts';
import { resume, rollback } from '../../../src/remove/engine/run.ts';
import { findJournals } from '../../../src/remove/journal/journal.ts';
import type { RemovalRecord } from '../../../src/remove/record.ts';
import type { Case } from './cases.ts';
import { bothDie, changes, setUp, start, stateOf, unharmed, type SetUp, type State } from './machine.ts';

/** A removal without faults: its calls, and how the machine is then. */
export interface Reference {
  readonly calls: readonly RecordedCall[];
  readonly done: State;
}

export async function referenceOf(c: Case): Promise<Reference> {
  const s = setUp(c);
  const recorded = recordHost(s.host);
  const record = await start(s, recorded.host);
  assert.equal(record.status, 'done', `${c.name}: ${JSON.stringify(record.steps.at(-1))}`);
  unharmed(s, c.name);
  return { calls: recorded.calls, done: stateOf(s.host) };
}

const ACTS = ['actions', 'trace', 'actions.store'];
const acts = (call: RecordedCall): boolean => ACTS.includes(call.facet) && !['holds', 'obstacle', 'read', 'list'].includes(call.method);

/** What can go wrong at a call. Looks cannot hang, and a clock does not fail. */
export function faultsAt(call: RecordedCall): readonly Fault[] {
  if (call.facet === 'time' || call.facet === 'host' || call.method === 'holds') return [{ kind: 'crash', when: 'before' }];
  if (!acts(call)) return [{ kind: 'crash', when: 'before' }, { kind: 'missing', absence: 'unreadable', detail: 'EIO' }];
  return [
    { kind: 'crash', when: 'before' }, { kind: 'crash', when: 'after' }, { kind: 'errno', errno: 'EIO' }, { kind: 'errno', errno: 'EIO', effect: 'done' },
    { kind: 'deadline' }, { kind: 'deadline', effect: 'done' }, { kind: 'never' }, { kind: 'never', effect: 'done' },
  ];
}

/** Runs it on machines of its own: one for `resume`, one for `rollback`. */
export async function oneFault(c: Case, reference: Reference, call: RecordedCall, fault: Fault): Promise<void> {
  const what = `${c.name}: ${JSON.stringify(fault)} at call ${call.index}, ${call.facet}.${call.method}(${call.args.map((a) => JSON.stringify(a)).join(', ').slice(0, 90)})`;
  const first = await withFault(c, call.index, fault, what);
  if (!(await goesOn(first, reference, what))) return;
  await putsBack(await withFault(c, call.index, fault, what), what);
}

interface Ended extends SetUp {
  /** Null where an error was thrown, or unseat died. */
  readonly record: RemovalRecord | null;
  readonly crashed: boolean;
}

async function withFault(c: Case, at: number, fault: Fault, what: string): Promise<Ended> {
  const s = setUp(c);
  const recorded = recordHost(s.host, [{ at, fault }]);
  let record: RemovalRecord | null = null;
  try {
    record = await start(s, recorded.host);
  } catch (error) {
    if (!(error instanceof Crashed) && !(error instanceof UnseatError)) throw error;
  }
  if (recorded.crashed === null) unharmed(s, what);
  else bothDie(s);
  return { ...s, record, crashed: recorded.crashed !== null };
}

/** To the end by `resume`, or anew where nothing is left of it. True where there is something to be rolled back, too. */
async function goesOn(s: Ended, reference: Reference, what: string): Promise<boolean> {
  const [journal] = findJournals(s.host);
  const status = s.record?.status ?? (s.crashed ? 'crashed' : 'thrown');
  if (status === 'called-off') assert.deepEqual(changes(s.before, stateOf(s.host)), [], `${what}: called off, and not as before`);
  if (status === 'partly') assert.ok(journal !== undefined, `${what}: partly, without a journal`);
  if (status === 'done' || status === 'called-off') assert.equal(journal, undefined, `${what}: ${status}, with a journal`);
  const gone = changes(reference.done, stateOf(s.host)).length === 0;
  const record = journal !== undefined ? await resume(s.host, journal.path, journal.content) : status === 'done' || gone ? null : await start(s, s.host);
  const then = `${what}: ${status}, then ${journal === undefined ? 'anew' : 'resumed'}`;
  if (record !== null) assert.equal(record.status, 'done', `${then}: ${JSON.stringify(record.steps.at(-1))}`);
  assert.deepEqual(changes(reference.done, stateOf(s.host)), [], then);
  unharmed(s, then);
  assert.equal(findJournals(s.host).length, 0, then);
  return journal !== undefined;
}

async function putsBack(s: Ended, what: string): Promise<void> {
  const [journal] = findJournals(s.host);
  assert.ok(journal !== undefined, what);
  const record = await rollback(s.host, journal.path, journal.content);
  const then = `${what}: rolled back`;
  assert.equal(record.status, 'rolled-back', `${then}: ${JSON.stringify(record.undone)}`);
  // A DIMM that was ejected is no more, and a CXL region loses its targets with its card: only a person puts those back.
  const left = record.undone.filter((u) => u.stays === true && s.way.steps.find((step) => step.id === u.id)?.undo !== null);
  const parted = journal.content.entries.some((e) => e.entry === 'begin' && takesPart(s, e.step));
  if (!parted) assert.deepEqual(left, [], then);
  if (left.length === 0 && !parted) assert.deepEqual(changes(s.before, stateOf(s.host)), [], then);
  unharmed(s, then);
  assert.equal(findJournals(s.host).length, 0, then);
}

/** After this step some of what was there is gone for good: the region's dax device or namespaces, the region's targets, the DIMM. */
function takesPart(s: Ended, id: string): boolean {
  const action = s.way.steps.find((step) => step.id === id)?.action;
  return (action?.kind === 'unbind' && /cxl_mem$/.test(action.driverPath)) || (action?.kind === 'write' && /\/(eject|power)$/.test(action.path))
    || (action?.kind === 'unbind' && /cxl_region$/.test(action.driverPath) && s.way.steps.some((step) => step.action.kind === 'unbind' && /(device_dax|nd_region)$/.test(step.action.driverPath)));
}
