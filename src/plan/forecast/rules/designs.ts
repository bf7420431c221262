/** What the proposed designs of removal would do (src/profile/proposals): no release has any of it. */
import { everybody, mountNames, type LeafFacts } from '../../facts/leaf-facts.ts';
import { valueOf } from '../../../profile/build.ts';
import type { Rule } from '../rule.ts';

const PMEM: Pick<Rule, 'events' | 'kinds'> = { events: ['unbind', 'pull'], kinds: ['fsdax', 'raw-pmem'] };
const SOURCE = 'the simulated kernel; no release does this';

/** Under this design the driver's remove does nothing while somebody holds the device, or refuses: nothing else comes before that ends. */
export function removeStopsAtHolders(f: LeafFacts): boolean {
  if (f.device.kind === 'fsdax' || f.device.kind === 'raw-pmem') {
    // Where the device goes with the card, what its remove says is dropped: only waiting stops it.
    const stops = f.through === 'self' || !valueOf(f.profile, 'bus.unbind-can-fail');
    return stops && valueOf(f.profile, 'fsdax.remove-waits-for-holder') && f.mounts.some((m) => m.dax !== null && m.dax !== 'never');
  }
  if (f.device.kind === 'kmem') return f.through === 'self' && valueOf(f.profile, 'bus.unbind-can-fail') && valueOf(f.profile, 'ram.kmem-remove') === 'if-offline' && f.online.length > 0;
  return f.device.kind === 'devdax' && valueOf(f.profile, 'dax.remove-waits-for-users') && (f.mapped.length > 0 || f.openers.length > 0);
}

/** These alone apply where `removeStopsAtHolders`. */
export const STOP_RULES: readonly Rule[] = [
  {
    ...PMEM, id: 'design-refused', needs: { 'fsdax.remove-waits-for-holder': [true], 'bus.unbind-can-fail': [true] }, when: removeStopsAtHolders, effect: 'veto', whom: (f) => mountNames(f.mounts), certainty: 'certain',
    because: 'the driver\'s remove refuses while a file system holds the dax device, and the unbind write fails', source: SOURCE,
  },
  {
    ...PMEM, id: 'design-waits', needs: { 'fsdax.remove-waits-for-holder': [true], 'bus.unbind-can-fail': [false] }, when: removeStopsAtHolders, effect: 'unbind-hangs', whom: (f) => `the unbind, until ${mountNames(f.mounts)} is unmounted`, certainty: 'certain',
    because: 'the driver\'s remove waits until no file system holds the dax device', source: SOURCE,
  },
  {
    events: ['unbind'], kinds: ['kmem'], id: 'design-kmem-refused', needs: { 'bus.unbind-can-fail': [true] }, when: removeStopsAtHolders, effect: 'veto', whom: (f) => f.device.name, certainty: 'certain',
    because: 'kmem\'s remove refuses while a block is online, and the unbind write fails', source: SOURCE,
  },
  {
    events: ['unbind', 'pull'], kinds: ['devdax'], id: 'design-devdax-waits', needs: { 'dax.remove-waits-for-users': [true] }, when: removeStopsAtHolders, effect: 'unbind-hangs', whom: (f) => `the unbind, until ${everybody(f.processes)} has let go`, certainty: 'certain',
    because: 'the driver\'s remove waits until nobody has the node open or mapped', source: SOURCE,
  },
];

export const DESIGN_RULES: readonly Rule[] = [
  ...STOP_RULES,
  {
    ...PMEM, id: 'design-unmaps', needs: { 'fsdax.removal-design': ['pagemap-failure', 'reverse-map', 'inode-walk', 'page-walk', 'page-table-walk'] }, when: (f) => f.direct && f.mapped.length > 0, effect: 'sigbus', whom: (f) => everybody(f.mapped), certainty: 'certain',
    because: 'the removal takes what processes map out of their page tables; the next touch finds no device', source: SOURCE,
  },
  {
    ...PMEM, id: 'design-pins-hang', needs: { 'gup.memunmap-references': ['per-page'], 'fsdax.mapping-counts': ['folio'] }, when: (f) => f.direct && f.mapped.length > 0, effect: 'unbind-hangs', whom: (f) => `the unbind, until ${everybody(f.mapped)} unmaps`, certainty: 'certain',
    because: 'memunmap_pages() waits for the counts of every page, and mappings count', source: SOURCE,
  },
];
