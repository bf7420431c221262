/** One removal whose processes are killed at a random moment: unseat, the child that traces for it, or both. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KillRound } from '../../../channel/protocol.ts';
import { deviceOf, type Guest } from '../machine.ts';
import { operatorName, unseat } from '../steps/unseat.ts';
import { namesIn, textOf } from '../sysfs.ts';
import { comeBack, DEVICE, isBound, isMounted, MOUNT } from './device.ts';
import type { RaceState } from './churn-round.ts';
import { Racer } from './holders.ts';

const MARK = 7;
const JOURNALS = '/run/unseat';

export async function killRound(guest: Guest, n: number, random: (below: number) => number, state: RaceState): Promise<KillRound> {
  const faults = new Racer('faults', MARK);
  const sits = new Racer('sits', 8);
  try {
    await faults.must(`map name=huge file=${MOUNT}/huge size=${4 << 20} share=shared prot=rw touch=write`);
    await faults.must('loop');
    await sits.must(`open path=${MOUNT}/log write=65536 fsync=1`);
    await sits.must(`map name=own file=${MOUNT}/own size=${64 << 10} share=private prot=rw touch=write-every-other align=4K`);
    await sits.must(`cwd ${MOUNT}`);
    const killed = (['unseat', 'child', 'both'] as const)[random(3)] ?? 'both';
    const hit = await removalKilled(guest, n, killed, random, state);
    const harmed = await harmedOf([faults, sits]);
    const mended = await mend(guest, random(2) === 0 ? 'resume' : 'rollback');
    const now = isBound(guest) ? (isMounted() ? 'as before' : 'other') : isMounted() ? 'other' : 'removed';
    const stale = now === 'removed' ? (await faults.read('huge')).readable : 0;
    await comeBack(guest);
    const reader = new Racer('reader', MARK);
    try {
      await reader.must(`map name=huge file=${MOUNT}/huge size=${4 << 20} share=shared prot=r touch=none`);
      const file = await reader.read('huge');
      return { n, killed, ...hit, harmed, ...mended, state: now, stale, intact: file.own === file.pages };
    } finally {
      await reader.end();
    }
  } finally {
    for (const racer of [faults, sits]) await racer.end();
  }
}

/** The first removal of a guest is not killed: it shows how long one takes. Most of the others are killed after their journal has begun. */
async function removalKilled(guest: Guest, n: number, killed: 'unseat' | 'child' | 'both', random: (below: number) => number, state: RaceState): Promise<{ at: number; inTime: boolean }> {
  const name = operatorName(guest, DEVICE);
  const begun = performance.now();
  const child = spawn(process.execPath, ['--no-warnings', guest.unseat, 'remove', name, '--detach', '--yes', name, '--json'], { stdio: 'ignore' });
  const pid = child.pid ?? -1;
  let over = false;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => { over = true; resolve(); };
    child.on('exit', end);
    child.on('error', end);
  });
  let journalAt = 0;
  const early = n % 5 === 0;
  if (!early) {
    while (!over && !journalLeft()) await sleep(5);
    journalAt = performance.now() - begun;
  }
  if (n === 1) await Promise.race([ended, sleep(120_000)]);
  else await Promise.race([ended, sleep(random(Math.round(early ? state.removalMs : state.carryingOutMs)))]);
  const at = Math.round(performance.now() - begun);
  const inTime = !over;
  if (!inTime) Object.assign(state, { removalMs: at, ...(early ? {} : { carryingOutMs: Math.max(500, at - journalAt) }) });
  const victims = [...(killed === 'child' ? [] : [pid]), ...(killed === 'unseat' ? [] : childrenOf(pid))];
  if (inTime) for (const victim of victims) endNow(victim);
  // Without its child unseat has to come to an end by itself.
  await Promise.race([ended, sleep(60_000)]);
  if (!over) {
    endNow(pid);
    throw new Error(`unseat did not end within a minute of the death of its ${killed}`);
  }
  await sleep(1500);
  return { at, inTime };
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((one) => {
    const stat = textOf(`/proc/${one}/stat`) ?? '';
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
  });
}

function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch { /* it ended by itself */ }
}

/** Stopped, traced, dead, or deaf. */
async function harmedOf(racers: readonly Racer[]): Promise<string[]> {
  const harmed: string[] = [];
  for (const { name, holder } of racers) {
    const stat = textOf(`/proc/${holder.pid}/stat`) ?? '';
    const letter = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    if (holder.died !== null || ['', 'T', 't', 'Z', 'X'].includes(letter)) harmed.push(`${name}: ${holder.died ?? (letter || 'gone')}`);
    else if ((await holder.ask('churned gone=0', 10_000)).kind !== 'reply') harmed.push(`${name}: deaf`);
  }
  return harmed;
}

async function mend(guest: Guest, how: 'resume' | 'rollback'): Promise<Pick<KillRound, 'mended' | 'mendedStatus' | 'says'>> {
  if (!journalLeft()) return { mended: isBound(guest) ? 'none needed' : 'by itself', mendedStatus: null, says: '' };
  const ran = await unseat(guest, [how], 120_000);
  return { mended: how, mendedStatus: ran.status, says: `${journalLeft() ? 'a journal is left; ' : ''}${ran.status === 0 ? '' : ran.stderr.split('\n').slice(-3).join(' ')} ${deviceOf(guest, DEVICE).name}`.trim() };
}

const journalLeft = (): boolean => namesIn(JOURNALS).some((name) => name.endsWith('.journal'));
