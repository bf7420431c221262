/** Steps that write to files of proc and sysfs: settings, blocks, drivers, slots. */
import { isMissing } from '../../host/fact.ts';
import type { StepAction } from '../../steps/step.ts';
import type { Act, Acted, Look, Removal } from '../engine/removal.ts';
import { already, believed, gone, isStopped, no, yes } from '../engine/removal.ts';
import { backFromKmem, driverOf, tookByKmem } from './dax-driver.ts';
import { saidBy } from './mounts.ts';
import { BINDING_UNKNOWN, alarming, bindingOf, blocksOnline, isThere } from './state.ts';
import { holdersNow, nameOf } from './holders.ts';
import { presentPages } from '../ways/force/fail-pages.ts';
import type { PhysRange } from '../../range/phys-range.ts';

type Of<K extends StepAction['kind']> = Extract<StepAction, { kind: K }>;

const contentOf = (removal: Removal, path: string): string | null => {
  const text = removal.host.files.text(path);
  return isMissing(text) ? null : text.trim();
};

/** An empty `to` means: what it was before this removal, from the journal. */
const target = (removal: Removal, action: Of<'set'>): string | null => (action.to !== '' ? action.to : (removal.journal.settings.get(action.path) ?? null));

export const set: Act<Of<'set'>> = {
  async before(removal, action) {
    const wanted = target(removal, action);
    const now = contentOf(removal, action.path);
    if (wanted === null) return already('it was not changed');
    if (now === null) return no(`${action.path} cannot be read`);
    if (now === wanted) return already(`it reads ${now}`);
    await removal.journal.keepSetting(action.path, now);
    const told = await removal.trace?.putBackWhenGone?.([...removal.journal.settings].map(([path, text]) => ({ path, text })));
    return told?.ok === false ? no(`the child that puts it back should unseat die could not be told (${told.detail ?? told.errno ?? 'no reason given'})`) : yes;
  },
  async act(removal, action, { deadlineMs }) {
    return saidBy(await removal.actions.write(action.path, target(removal, action) ?? '', deadlineMs));
  },
  async after(removal, action, _step, acted) {
    await tellChild(removal);
    return contentOf(removal, action.path) === target(removal, action) ? yes : no(acted.says ?? `${action.path} reads ${contentOf(removal, action.path) ?? 'nothing'}`);
  },
};

/** The child writes back what differs from before, should we die. */
async function tellChild(removal: Removal): Promise<void> {
  const changed = [...removal.journal.settings].filter(([path, was]) => contentOf(removal, path) !== was).map(([path, text]) => ({ path, text }));
  await removal.trace?.putBackWhenGone?.(changed);
}

const TRIES = 3;

export const offlineBlock: Act<Of<'offline-block'>> = {
  before(removal, { path }) {
    const state = contentOf(removal, path);
    if (state === null) return isThere(removal.host, path) === false ? already('the block is not there') : no(`${path} cannot be read`);
    if (state === 'offline') return already('it is offline');
    return state === 'online' ? yes : no(`it is ${state}: a removal of it is already under way`);
  },
  async act(removal, { path }, step): Promise<Acted> {
    // EBUSY may pass (a page was in use for a moment); EINVAL never does (a hole, two zones, two nodes).
    for (let tries = 1; ; tries += 1) {
      const result = await removal.actions.write(path, 'offline', step.deadlineMs);
      if (result.ok || tries === TRIES || !result.definite || (result.errno !== 'EBUSY' && result.errno !== 'EAGAIN' && result.errno !== 'EINTR')) return saidBy(result);
      removal.progress(step, `${result.errno}, try ${tries + 1} of ${TRIES}`);
      await removal.host.time.sleep(200 * tries);
    }
  },
  after(removal, { path }, _step, acted) {
    const state = contentOf(removal, path);
    if (state === 'offline' || (state === null && isThere(removal.host, path) === false)) return yes;
    return no(`${acted.says ?? (state === null ? 'it cannot be read' : 'it did not go offline')}${state === null ? '' : ` (it is ${state})`}`);
  },
};

/** Files that take memory away from under whoever uses it: nothing of the kernel refuses. */
const TAKES_AWAY = /\/(unbind|commit|power|eject|remove|state)$/;

export const write: Act<Of<'write'>> = {
  before(removal, { path, text }) {
    const there = isThere(removal.host, path);
    if (there === null) return no(`${path} cannot be looked at`);
    if (!there) return gone(`${path} is not there any more`);
    if (bindsTo(path) && isBound(removal, path, text) === true) return already('its driver is bound');
    const now = contentOf(removal, path);
    // A block that is online refuses an online word with EINVAL (drivers/base/memory.c, state_store()).
    if (now === text || (isBlock(path) && now === 'online' && /^online/.test(text))) return already(`it reads ${now}`);
    return TAKES_AWAY.test(path) && !/^online/.test(text) && !/^1$/.test(text) ? nothingOnline(removal) : yes;
  },
  async act(removal, { path, text }, { deadlineMs }) {
    if (comesBackOffline(removal, path, text)) {
      const out = await removal.actions.write(path, 'unplugged', deadlineMs);
      if (!out.ok) return saidBy(out);
    }
    if (tookByKmem(removal, path, text)) {
      const end = await backFromKmem(removal, text, deadlineMs);
      if (end !== null) return end;
    }
    return saidBy(await removal.actions.write(path, text, deadlineMs));
  },
  after(removal, { path, text }, _step, acted) {
    if (!bindsTo(path)) return acted.ok ? yes : no(acted.says ?? 'the write failed');
    return isBound(removal, path, text) === true ? yes : no(acted.says ?? `${text} is not bound`);
  },
};

/** A dax device that was bound again has its blocks back, offline; its `state` takes the online words from `unplugged` only (7.3). */
const comesBackOffline = (removal: Removal, path: string, text: string): boolean => /\/dax\d+\.\d+\/state$/.test(path) && /^online/.test(text) && contentOf(removal, path) === 'offline';

const isBlock = (path: string): boolean => /\/memory\d+\/state$/.test(path);
const bindsTo = (path: string): boolean => path.endsWith('/bind');

/** Whether the device is bound to the driver of this `bind` file now. Null where that cannot be known. */
const isBound = (removal: Removal, path: string, device: string): boolean | null => isThere(removal.host, `${path.slice(0, -5)}/${device}`);

function nothingOnline(removal: Removal): Look {
  const online = blocksOnline(removal);
  return online.length === 0 ? yes : no(`still online: ${online.join(', ')}. The range would be lost until reboot.`);
}

/** Drivers of what memory devices are in: plans unbind them after the memory inside. */
const CONTAINERS: ReadonlySet<string> = new Set(['nd_region', 'cxl_region', 'cxl_mem', 'virtio_pmem']);

export const unbind: Act<Of<'unbind'>> = {
  before(removal, { driverPath, device }) {
    const there = isThere(removal.host, `${driverPath}/${device}`);
    if (there === null) return no(BINDING_UNKNOWN);
    if (!there) {
      // A region that was bound again in between gives its dax device to kmem: that is not what the plan looked at.
      const other = driverOf(removal.host, driverPath.split('/')[4] ?? '', device);
      return other === null ? already('no driver is bound') : no(`${device} is bound to ${other} now: roll this removal back, and plan anew`);
    }
    const online = nothingOnline(removal);
    if (online.is !== 'yes') return online;
    const { holders, unseen } = holdersNow(removal.host, removal.devices);
    // After memory_failure holders stay, stopped and without a page of it; anybody else would be left with stale mappings.
    const running = holders.filter((h) => !(removal.header.way === 'force' && isStopped(removal, h.pid)));
    if (running.length > 0) return no(`held by ${running.map(nameOf).join(', ')}`);
    if (unseen.length > 0 && !removal.header.acceptsUnseen) return no(`not everything can be seen: ${unseen.slice(0, 3).join(' ')}`);
    // What is left are containers without memory of their own: the pages were counted before the memory in them was unbound.
    if (holders.length > 0 && CONTAINERS.has(driverPath.split('/').at(-1) ?? '')) return yes;
    if (holders.length > 0 && bindingOf(removal) !== 'bound') return no('another part of the device is gone already: the page tables of its holders must not be read any more');
    const mapped = holders.filter((h) => ranges(removal).some((range) => presentPages(removal, h.pid, range) !== 0));
    return mapped.length === 0 ? yes : no(`pages of the device are still mapped by ${mapped.map(nameOf).join(', ')}`);
  },
  act: async (removal, { driverPath, device }, { deadlineMs }) => saidBy(await removal.actions.write(`${driverPath}/unbind`, device, deadlineMs)),
  after(removal, { driverPath, device }, _step, acted) {
    const alarms = alarming(removal);
    if (alarms.length > 0) return no(`the kernel log says: ${alarms.slice(0, 3).join('; ')}`);
    return isThere(removal.host, `${driverPath}/${device}`) === false ? yes : no(acted.says ?? `${device} is still bound`);
  },
};

/** What memory_failure was to unmap. */
const ranges = (removal: Removal): PhysRange[] => removal.header.steps.flatMap(({ action }) => (action.kind === 'memory-failure' ? [action.range] : []));

export const note: Act<Of<'note'>> = { before: () => yes, act: async (_removal, { text }) => ({ ok: true, definite: true, says: text }), after: believed };

