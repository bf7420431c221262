/**
 * From facts to effects. The simulated kernel and the lab both go through this one function, so that what differs
 * between them is what was seen, never how it was named.
 */
import type { Effect } from './effect.ts';
import type { LogFinding, Observation, PageCounts } from './observation.ts';
import type { MapSpec } from './process.ts';
import type { Scenario } from './scenario.ts';
import type { Verb } from './step.ts';

interface State {
  readonly scenario: Scenario;
  readonly found: Set<Effect>;
  /** Whether anything was unbound or pulled yet, whether it came back as success, and whether it was bound again since. */
  removed: 'not-yet' | 'tried' | 'gone' | 'bound-again';
  /** Devices that were unbound, pulled or removed. */
  readonly gone: Set<string>;
  /** Processes started after the removal. */
  readonly late: Set<string>;
  readonly droppedPins: Set<string>;
}

const REMOVALS: readonly Verb[] = ['unbind', 'pull', 'slotPower', 'eject'];
const has = (o: Observation, ...findings: readonly LogFinding[]): boolean => findings.some((f) => (o.log?.[f] ?? 0) > 0);
const crashed = (o: Observation): boolean => o.ending === 'oops' || has(o, 'oops', 'bug');

/** The effects of a run, sorted by name. `clean` stands alone: a removal was made and nothing else was seen. */
export function effectsOf(scenario: Scenario, observations: readonly Observation[]): Effect[] {
  const state: State = { scenario, found: new Set(), removed: 'not-yet', gone: new Set(), late: new Set(), droppedPins: new Set() };
  for (const o of observations) {
    if (o.ending === 'not-available') continue;
    logEffects(state, o);
    stepEffects(state, o);
    for (const counts of o.pages ?? []) pageEffects(state, o, counts);
  }
  if (state.found.size === 0 && (state.removed === 'gone' || state.removed === 'bound-again')) state.found.add('clean');
  return [...state.found].sort();
}

function stepEffects(state: State, o: Observation): void {
  const add = (effect: Effect, when = true): void => { if (when) state.found.add(effect); };
  const after = state.removed !== 'not-yet';
  if (o.verb === 'remove') {
    if (o.ending === 'returned') {
      state.removed = 'gone';
      state.gone.add(o.subject);
    }
    return;
  }
  if (REMOVALS.includes(o.verb)) return removal(state, o);
  switch (o.verb) {
    case 'bind': case 'newId':
      // Once it is bound again a further bind is refused because it is.
      add('no-rebind', after && state.removed !== 'bound-again' && o.ending === 'refused');
      if (after && o.ending === 'returned') state.removed = 'bound-again';
      return;
    case 'offline':
      add('veto', o.ending === 'refused');
      return add('never-ends', o.ending === 'hangs' || o.ending === 'spins');
    case 'resize': return add('never-ends', o.ending === 'hangs');
    case 'unmount': case 'unmountLazy':
      add('umount-hangs', after && (o.ending === 'hangs' || o.ending === 'spins'));
      return add('oops-at-umount', after && crashed(o));
    case 'pagemap': return add('oops-on-pagemap', after && crashed(o));
    case 'smaps': return add('oops-on-smaps', after && crashed(o));
    case 'exit': case 'kill': return add('oops-at-exit', after && crashed(o));
    case 'write': return add('oops-on-write', after && crashed(o));
    case 'usePin': case 'dropPin':
      if (o.verb === 'dropPin' && !after) state.droppedPins.add(o.subject);
      return add('pin-outlives-memmap', after && crashed(o));
    case 'swapOff': return add('swap-lost', after && o.ending === 'refused');
    case 'files': return add('io-errors', after && Object.values(o.calls ?? {}).some((result) => result !== 'ok'));
    case 'start': if (after) state.late.add(o.subject); return;
    default: add('kernel-bug-later', after && crashed(o));
  }
}

function removal(state: State, o: Observation): void {
  const hardware = o.verb === 'pull' || o.verb === 'eject';
  state.removed = o.ending === 'returned' ? 'gone' : 'tried';
  state.gone.add(o.subject);
  if (o.ending === 'hangs') state.found.add(hardware ? 'never-ends' : 'unbind-hangs');
  if (o.ending === 'spins') state.found.add(hardware ? 'never-ends' : 'unbind-spins');
  if (o.ending === 'refused') state.found.add('veto');
  if (o.ending === 'oops') state.found.add('kernel-bug-later');
  if (o.ending === 'returned' && pinnedNow(state)) state.found.add('pin-outlives-memmap');
}

/** A pin on device pages that nobody dropped before the removal. Pins on anonymous memory move with it or block it. */
function pinnedNow(state: State): boolean {
  return state.scenario.processes.some((p) => p.started && p.pins.some((pin) => {
    const map = p.maps.find((m) => m.name === pin.map);
    return map !== undefined && !('anonymous' in map) && !state.droppedPins.has(p.name);
  }));
}

function logEffects(state: State, o: Observation): void {
  if (state.removed === 'not-yet' && !REMOVALS.includes(o.verb)) return;
  if (has(o, 'fs-shutdown') && o.verb !== 'shutdown') state.found.add('fs-shutdown');
  if (has(o, 'hotremove-fails')) state.found.add('region-leaked');
  if (has(o, 'no-rebind')) state.found.add('no-rebind');
  if (has(o, 'bad-page-map')) state.found.add('bad-page-map');
}

/** The device that a map's memory is on, and what that lies on: a neighbour of what leaves is not concerned. */
function liesOn({ machine, filesystems }: Scenario, map: MapSpec): string[] {
  const device = 'device' in map ? map.device : 'file' in map
    ? filesystems.filter((f) => map.file.startsWith(`${f.at}/`)).sort((a, b) => b.at.length - a.at.length)[0]?.on : undefined;
  return device === undefined ? [] : [device, ...machine.namespaces.filter((n) => n.name === device).map((n) => n.on)];
}

function pageEffects(state: State, o: Observation, counts: PageCounts): void {
  if (state.removed === 'not-yet' || state.removed === 'tried') return;
  const map = state.scenario.processes.find((p) => p.name === counts.process)?.maps.find((m) => m.name === counts.map);
  if (map !== undefined && !('anonymous' in map) && !liesOn(state.scenario, map).some((name) => state.gone.has(name))) return;
  const ofDevice = map !== undefined && !('anonymous' in map) && map.share === 'shared';
  const others = Object.values(counts.others).reduce((sum, n) => sum + n, 0);
  if (state.late.has(counts.process)) {
    if (!ofDevice && counts.zero + counts.ones > 0) state.found.add('allocator-continues');
    return;
  }
  if (counts.sigbus > 0) state.found.add('sigbus');
  if (others > 0) state.found.add('next-owner-exposed');
  if (o.verb === 'read' && counts.zero + counts.ones > 0 && map?.touch === 'write') state.found.add('reads-zero');
  if (!ofDevice) return;
  if (o.verb === 'read' && counts.own > 0 && state.removed === 'gone') state.found.add('stale-mapping');
  if (o.verb === 'write' && counts.own > 0) state.found.add(state.removed === 'gone' || !('device' in map) ? 'stale-write' : 'next-owner-exposed');
}
