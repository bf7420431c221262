/** Steps that only look: nobody holds it, it is gone, the slot is off. They wait for what takes a moment. */
import { isMissing } from '../../host/fact.ts';
import type { StepAction } from '../../steps/step.ts';
import type { Act, Acted, Removal } from '../engine/removal.ts';
import { believed, isStopped, no, yes } from '../engine/removal.ts';
import type { Step } from '../../steps/step.ts';
import { holdersNow, nameOf, whatItHolds } from './holders.ts';
import { letLatecomersGo } from './latecomers.ts';
import { ejectUnderWay, ejectVetoed, ejected } from './eject.ts';
import { noticePress } from '../engine/buttons.ts';
import { unmountCopies } from './mount-copies.ts';
import { alarming, claimsLeft, isThere, mountsOf } from './state.ts';

type Of<K extends StepAction['kind']> = Extract<StepAction, { kind: K }>;

const EVERY_MS = 200;

/** Looks until `wrong` has nothing to say, at most until the deadline of the step, or until `hopeless` says why no wait will do. */
async function until(removal: Removal, step: Step, wrong: () => string | null, hopeless: () => string | null = () => null): Promise<Acted> {
  const began = removal.host.time.now();
  for (;;) {
    const says = wrong();
    if (says === null) return { ok: true, definite: true };
    const verdict = hopeless();
    if (verdict !== null) return { ok: false, definite: true, says: verdict };
    if (removal.host.time.now() - began >= step.deadlineMs) return { ok: false, definite: true, says };
    removal.progress(step, says);
    await noticePress(removal, step);
    await removal.host.time.sleep(EVERY_MS);
  }
}

export const waitForHolders: Act<Of<'wait-for-holders'>> = {
  before: () => yes,
  act: (removal, _action, step) => until(removal, step, () => heldBy(removal), () => (removal.stopAsked() ? 'interrupted' : null)),
  after: believed,
};

function heldBy(removal: Removal): string | null {
  const { holders } = holdersNow(removal.host, removal.devices);
  return holders.length === 0 ? null : `held by ${holders.map((h) => `${nameOf(h)}: ${whatItHolds(h)}`).join('; ')}`;
}

export const confirmNoHolders: Act<Of<'confirm-no-holders'>> = {
  before: () => yes,
  async act(removal, { allowMounts }, step): Promise<Acted> {
    const late = await letLatecomersGo(removal, step);
    if (late.why !== null) return { ok: false, definite: late.letGo === 0, says: late.why };
    if (allowMounts) return { ok: true, definite: true, ...(late.letGo === 0 ? {} : { says: `${late.letGo} latecomer(s) let go` }) };
    const copied = await unmountCopies(removal, step);
    const left = await until(removal, step, () => {
      const mounts = mountsOf(removal.host, removal.devices);
      if (mounts === null) return 'the mounts of some namespace cannot be read';
      return mounts.length === 0 ? null : `still mounted: ${mounts.join(', ')}`;
    });
    return !left.ok || copied.length === 0 ? left : { ...left, says: `unmounted as well, because it came meanwhile: ${copied.join(', ')}` };
  },
  after: believed,
};

export const confirmGone: Act<Of<'confirm-gone'>> = {
  before: () => yes,
  async act(removal, { ranges, paths }, step): Promise<Acted> {
    const result = await until(removal, step, () => {
      const there = paths.filter((path) => isThere(removal.host, path) !== false);
      if (there.length > 0) return `still there: ${there.join(', ')}`;
      const claims = claimsLeft(removal.host, ranges);
      if (claims === null) return '/proc/iomem cannot be read';
      return claims.length === 0 ? null : `/proc/iomem still has ${claims.join('; ')}`;
    }, () => ejectVetoed(removal));
    if (!result.ok) return { ...result, says: `${result.says ?? ''}${ejectUnderWay(removal, paths)}` };
    const alarms = alarming(removal);
    if (alarms.length > 0) return { ok: false, definite: true, says: `the kernel log says: ${alarms.slice(0, 3).join('; ')}` };
    const late = mappedAfterAll(removal);
    return late === null ? { ...result, ...ejected(removal) } : { ok: false, definite: true, says: late };
  },
  after: believed,
};

/**
 * After memory_failure the file system stays mounted: whoever maps a file between the last look and the write to `unbind`
 * is left with page tables that point at the device (found by `unseat check --engine`). No lock closes that window, so it is
 * looked at once more, by `maps` alone. The step fails then, which binds the device again: under it these mappings are harmless.
 */
function mappedAfterAll(removal: Removal): string | null {
  if (removal.header.way !== 'force') return null;
  const late = holdersNow(removal.host, removal.devices).holders.filter((h) => h.mappings.length > 0 && !isStopped(removal, h.pid));
  if (late.length === 0) return null;
  return `mapped between the last look and the unbind by ${late.map(nameOf).join(', ')}: the device is needed again; until it is bound do not end these, and do not read their smaps or pagemap`;
}

export const confirmSlotOff: Act<Of<'confirm-slot-off'>> = {
  before: () => yes,
  async act(removal, { slotPath }, step): Promise<Acted> {
    const read = (name: string): string | null => {
      const text = removal.host.files.text(`${slotPath}/${name}`);
      return isMissing(text) ? null : text.trim();
    };
    const result = await until(removal, step, () => (read('power') === '0' ? null : `power reads ${read('power') ?? 'nothing'}`));
    const says = `power ${read('power') ?? '?'}, adapter ${read('adapter') ?? '?'}, attention ${read('attention') ?? '?'}`;
    return result.ok ? { ok: true, definite: true, says: `SAFE TO PULL (${says})` } : { ok: false, definite: true, says: `DO NOT PULL (${says})` };
  },
  after: (_removal, _action, _step, acted) => (acted.ok ? yes : no(acted.says ?? 'DO NOT PULL')),
};
