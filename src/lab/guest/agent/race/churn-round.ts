/** One removal by detach while one process faults, one maps and unmaps, and one opens the file at a random moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RaceRound } from '../../../channel/protocol.ts';
import { insideOf } from '../forecast.ts';
import type { Guest } from '../machine.ts';
import { operatorName } from '../steps/unseat.ts';
import { comeBack, DEVICE, MOUNT } from './device.ts';
import { Racer } from './holders.ts';

const MARK = 7;

export interface RaceState {
  /** Milliseconds that the last removal took. */
  removalMs: number;
  /** Of a removal by the command: from the beginning of its journal to its end. */
  carryingOutMs: number;
}

export async function churnRound(guest: Guest, n: number, random: (below: number) => number, state: RaceState): Promise<RaceRound> {
  const faults = new Racer('faults', MARK);
  const churns = new Racer('churns', 8);
  const opens = new Racer('opens', 9);
  const racers = [faults, churns, opens];
  try {
    await faults.must(`map name=huge file=${MOUNT}/huge size=${4 << 20} share=shared prot=rw touch=write`);
    await faults.must(`map name=small file=${MOUNT}/small size=${256 << 10} share=shared prot=rw touch=write align=4K`);
    await faults.must('loop');
    await churns.must(`churn file=${MOUNT}/churn size=${1 << 20}`);
    // From before the removal begins to after it has ended.
    const opensAt = random(Math.round(state.removalMs * 1200));
    await opens.must(`later us=${opensAt} name=late file=${MOUNT}/huge size=${4 << 20}`);
    await sleep(random(60));
    const removed = await attempt(guest, state);
    return await looked(guest, n, removed, { faults, churns, opens }, opensAt);
  } finally {
    for (const racer of racers) await racer.end();
    await comeBack(guest);
  }
}

interface Removed { readonly status: string; readonly why: string | null; readonly milliseconds: number }

async function attempt(guest: Guest, state: RaceState): Promise<Removed> {
  const begun = performance.now();
  try {
    const record = await (await insideOf(guest)).detachFrom(operatorName(guest, DEVICE));
    const milliseconds = performance.now() - begun;
    if (record.status === 'done') state.removalMs = milliseconds;
    const failed = record.steps.find((s) => s.outcome === 'failed') ?? record.steps.at(-1);
    return { status: record.status, why: record.status === 'done' || failed === undefined ? null : `${failed.title}: ${failed.says ?? failed.outcome}`, milliseconds: Math.round(milliseconds) };
  } catch (error) {
    return { status: 'refused', why: error instanceof Error ? error.message : String(error), milliseconds: Math.round(performance.now() - begun) };
  }
}

async function looked(guest: Guest, n: number, removed: Removed, { faults, churns, opens }: Record<'faults' | 'churns' | 'opens', Racer>, opensAt: number): Promise<RaceRound> {
  const base = { n, ...removed, opensAt };
  const before = await churns.must('churned gone=0');
  if (removed.status !== 'done') return { ...base, stale: 0, sigbus: 0, pages: 0, churned: Number(before['rounds']), opened: Number((await opens.must('latered'))['mapped']) === 1, intact: null, exposed: 0 };
  await churns.must('churned gone=1');
  const huge = await faults.read('huge');
  const small = await faults.read('small');
  // Whoever wanted to open later has failed by now: the file system is gone.
  let late = await opens.must('latered');
  for (let i = 0; i < 200 && Number(late['ended']) !== 1; i += 1) {
    await sleep(50);
    late = await opens.must('latered');
  }
  const opened = Number(late['mapped']) === 1;
  const third = opened ? await opens.read('late') : { readable: 0 };
  const churned = await churns.must('churned stop=1');
  await comeBack(guest);
  const again = [await faults.read('huge'), await faults.read('small'), ...(opened ? [await opens.read('late')] : [])];
  const reader = new Racer('reader', MARK);
  try {
    await reader.must(`map name=huge file=${MOUNT}/huge size=${4 << 20} share=shared prot=r touch=none`);
    const file = await reader.read('huge');
    return {
      ...base, stale: huge.readable + small.readable + third.readable + Number(churned['stale']), sigbus: huge.sigbus + small.sigbus, pages: huge.pages + small.pages,
      churned: Number(churned['rounds']), opened, intact: file.own === file.pages, exposed: again.reduce((sum, counts) => sum + counts.readable, 0),
    };
  } finally {
    await reader.end();
  }
}
