/** What a removal costs by the kernel's own way and by unseat's, on the same machine in the same boot. */
import type { PauseRound } from '../../../channel/protocol.ts';
import type { RemovalRecord } from '../../../../remove/record.ts';
import { insideOf } from '../forecast.ts';
import type { Guest } from '../machine.ts';
import { once } from '../once.ts';
import { unbind } from '../steps/drivers.ts';
import { operatorName } from '../steps/unseat.ts';
import { isMounted, comeBack, DEVICE, MOUNT } from './device.ts';
import { Racer } from './holders.ts';

const MiB = 1024 ** 2;
const MAPS_EACH = 12;

type Asked = Pick<PauseRound, 'way' | 'entries' | 'bytes' | 'files'>;
const asked = (way: Asked['way'], entries: Asked['entries'], mib: number, files: number): Asked => ({ way, entries, bytes: mib * MiB, files });

/** Of the unbind alone, thrice each: single figures of a guest under emulation stray. */
const grown = [asked('unbind', '4 KiB', 12, 1), asked('unbind', '4 KiB', 48, 1), asked('unbind', '4 KiB', 96, 1), asked('unbind', '4 KiB', 48, 12), asked('unbind', '4 KiB', 48, 48)];

/** memory_failure() leaves poisoned pages behind: it comes last, and at 4 KiB on a part, a write for each page. */
const ROUNDS: readonly Asked[] = [
  asked('unbind', '4 KiB', 192, 1), asked('detach', '4 KiB', 192, 1), asked('unbind', '2 MiB', 192, 1), asked('detach', '2 MiB', 192, 1), asked('detach', '4 KiB', 48, 1),
  ...grown, ...grown, ...grown, asked('force', '2 MiB', 192, 1), asked('force', '4 KiB', 24, 1),
];

/** Null after the last. */
export async function pauseRound(guest: Guest, n: number): Promise<PauseRound | null> {
  const wanted = ROUNDS[n - 1];
  if (wanted === undefined) return null;
  const holders: Racer[] = [];
  try {
    await hold(wanted, holders);
    await once(['syncfs', MOUNT], 60_000);
    const cost = wanted.way === 'unbind' ? await bare(guest) : await byUnseat(guest, wanted.way);
    let stale = 0;
    for (const [i, holder] of holders.entries()) for (let m = 0; m < mapsOf(wanted, i); m += 1) stale += (await holder.read(`m${m}`)).readable;
    return { n, ...wanted, ...cost, stale };
  } finally {
    await leave(guest, holders);
  }
}

const mapsOf = ({ files }: Asked, holder: number): number => Math.min(MAPS_EACH, files - holder * MAPS_EACH);

async function hold(wanted: Asked, holders: Racer[]): Promise<void> {
  const size = wanted.bytes / wanted.files;
  for (let i = 0; i * MAPS_EACH < wanted.files; i += 1) {
    const holder = new Racer(`holder${i}`, 7);
    holders.push(holder);
    for (let m = 0; m < mapsOf(wanted, i); m += 1) {
      await holder.must(`map name=m${m} file=${MOUNT}/file${i}-${m} size=${size} share=shared prot=rw touch=write align=${wanted.entries === '4 KiB' ? '4K' : '2M'}`);
    }
  }
}

async function bare(guest: Guest): Promise<Pick<PauseRound, 'total' | 'pause' | 'lettingGo'>> {
  const begun = performance.now();
  const seen = await unbind(guest, DEVICE, undefined, 120_000);
  if (seen.ending !== 'returned') throw new Error(`the unbind ${seen.ending}`);
  return { total: Math.round(performance.now() - begun), pause: null, lettingGo: null };
}

async function byUnseat(guest: Guest, way: 'detach' | 'force'): Promise<Pick<PauseRound, 'total' | 'pause' | 'lettingGo'>> {
  const { removeBy } = await insideOf(guest);
  const begun = performance.now();
  const record = await removeBy(operatorName(guest, DEVICE), way);
  if (record.status !== 'done' || record.way !== way) throw new Error(`${way}: ${record.way} ${record.status}: ${record.steps.at(-1)?.says ?? ''}`);
  return { total: Math.round(performance.now() - begun), ...stretches(record) };
}

/** The pause: from the first stop, itself included, to the first going on, by the steps' own times. */
function stretches({ steps }: RemovalRecord): { pause: number; lettingGo: number } {
  const first = steps.findIndex((s) => s.title.startsWith('stop '));
  const last = steps.findIndex((s) => s.title.startsWith('let '));
  const sum = (list: typeof steps): number => Math.round(list.reduce((total, s) => total + s.milliseconds, 0));
  const within = steps.slice(first, last);
  return { pause: sum(within), lettingGo: sum(within.filter((s) => /let go|memory_failure|unmap/.test(s.title))) };
}

/** A file system that was shut down is unmounted once the device is back; the files go, so that every round makes its own. */
async function leave(guest: Guest, holders: readonly Racer[]): Promise<void> {
  for (const holder of holders) await holder.end();
  await comeBack(guest);
  await once(['umount', MOUNT], 60_000);
  if (!isMounted()) await comeBack(guest);
}
