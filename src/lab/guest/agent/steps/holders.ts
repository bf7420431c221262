/** Steps about holders from outside: freezer, pending signals, injected calls, poisoned pages, lazy unmounts, the medium itself. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import type { Step } from '../../../../scenario/step.ts';
import { holderVerbs } from '../../../../scenario/verbs-holder.ts';
import type { Holder } from '../holder.ts';
import { NotAvailable, type Guest } from '../machine.ts';
import { once } from '../once.ts';
import { blockOf } from '../setup/filesystems.ts';
import { textOf, waitFor } from '../sysfs.ts';
import { DONE, fromAnswer, fromOnce, notAvailable, type Seen } from './outcome.ts';
import { firstFrame, holderOf } from './touch.ts';

type HolderStep = Extract<Step, { verb: keyof typeof holderVerbs }>;
export const isHolderStep = (step: Step): step is HolderStep => Object.hasOwn(holderVerbs, step.verb);

const SIGBUS_BIT = 1n << 6n;
const GROUPS = '/sys/fs/cgroup';
const UNPOISON = '/sys/kernel/debug/hwpoison/unpoison-pfn';

export async function takeHolderStep(guest: Guest, { verb, argument }: HolderStep, ms: number): Promise<Seen> {
  switch (verb) {
    case 'unmountLazy': return fromOnce(await once(['umount-lazy', argument], ms));
    case 'remountReadOnly': return fromOnce(await once(['remount-ro', argument], ms));
    case 'freeze': return frozen(holderOf(guest, argument), true);
    case 'thaw': return frozen(holderOf(guest, argument), false);
    case 'signals': return signals(holderOf(guest, argument), ms);
    case 'pending': return { ending: 'returned', figures: { sigbus: pendingSigbus(holderOf(guest, argument).pid) ? 1 : 0 } };
    case 'unpoison': return unpoison(guest, argument, ms);
    case 'injectMadvise': return inject(holderOf(guest, argument), ms);
    case 'medium': return medium(guest, argument, ms);
    default: return notAvailable('the lab does not know this verb');
  }
}

/** A cgroup of its own for the process; the freezer has done its work when the kernel says so in cgroup.events. */
async function frozen(holder: Holder, wanted: boolean): Promise<Seen> {
  const group = `${GROUPS}/lab-${holder.pid}`;
  if (!existsSync(`${GROUPS}/cgroup.controllers`)) return notAvailable('cgroup v2 is not mounted');
  if (!existsSync(group)) mkdirSync(group);
  writeFileSync(`${group}/cgroup.procs`, String(holder.pid));
  writeFileSync(`${group}/cgroup.freeze`, wanted ? '1' : '0');
  const reached = await waitFor(() => ((textOf(`${group}/cgroup.events`) ?? '').includes(`frozen ${wanted ? 1 : 0}`) ? true : null), 10_000);
  return reached === null ? { ending: 'hangs', detail: 'the freezer does not say frozen' } : DONE;
}

async function signals(holder: Holder, ms: number): Promise<Seen> {
  const answered = await holder.ask('signals', ms);
  return answered.kind === 'reply' && answered.reply.ok ? { ending: 'returned', figures: { ao: Number(answered.reply['ao']) } } : fromAnswer(holder, answered);
}

function pendingSigbus(pid: number): boolean {
  const masks = [...(textOf(`/proc/${pid}/status`) ?? '').matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)].map((m) => BigInt(`0x${m[1]}`));
  if (masks.length === 0) throw new NotAvailable('the process has no status');
  return masks.some((mask) => (mask & SIGBUS_BIT) !== 0n);
}

async function unpoison(guest: Guest, name: string, ms: number): Promise<Seen> {
  if (!existsSync(UNPOISON)) return notAvailable('hwpoison-inject is not there');
  const frame = await firstFrame(guest, name, ms);
  return frame === 0 ? notAvailable(`${name} maps no page of a device`) : fromOnce(await once(['write', UNPOISON, `0x${frame.toString(16)}`], ms));
}

async function inject(holder: Holder, ms: number): Promise<Seen> {
  for (const map of holder.maps.values()) {
    const seen = fromOnce(await once(['inject-madvise', String(holder.pid), String(map.address), String(map.size)], ms));
    if (seen.ending !== 'returned') return seen;
  }
  return DONE;
}

async function medium(guest: Guest, name: string, ms: number): Promise<Seen> {
  const counted = await once(['marks', blockOf(guest, name)], ms);
  if (counted.ending !== 'returned') return fromOnce(counted);
  const marks = (counted.answer['marks'] ?? {}) as Readonly<Record<string, number>>;
  return { ending: 'returned', figures: Object.fromEntries(Object.entries(marks).map(([mark, pages]) => [guest.scenario.processes[Number(mark) - 1]?.name ?? mark, pages])) };
}
