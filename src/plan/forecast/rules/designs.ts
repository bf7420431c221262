/** What the proposed designs of removal would do (src/profile/proposals): no release has any of it. */
import { everybody, mountNames, type LeafFacts } from '../../facts/leaf-facts.ts';
import { valueOf } from '../../../profile/build.ts';
import type { Rule } from '../rule.ts';

const PMEM: Pick<Rule, 'events' | 'kinds'> = { events: ['unbind', 'pull'], kinds: ['fsdax', 'raw-pmem'] };
const SOURCE = 'the simulated kernel; no release does this';

/** Under this design the driver's remove does nothing while somebody holds the device, or refuses: nothing else comes before that ends. */
export function removeStopsAtHolders(f: LeafFacts): boolean {
  if (doorRefuses(f)) return true;
  if (f.device.kind === 'fsdax' || f.device.kind === 'raw-pmem') {
    // Where the device goes with the card, what its remove says is dropped: only waiting stops it.
    const stops = f.through === 'self' || !valueOf(f.profile, 'bus.unbind-can-fail');
    return stops && valueOf(f.profile, 'fsdax.remove-waits-for-holder') && f.mounts.some((m) => m.dax !== null && m.dax !== 'never');
  }
  if (f.device.kind === 'kmem') return f.through === 'self' && valueOf(f.profile, 'bus.unbind-can-fail') && valueOf(f.profile, 'ram.kmem-remove') === 'if-offline' && f.online.length > 0;
  return f.device.kind === 'devdax' && valueOf(f.profile, 'dax.remove-waits-for-users') && (f.mapped.length > 0 || f.openers.length > 0);
}

/** Under these designs a door of a card refuses: its slot while a driver is bound, its decoders while memory is online. */
function doorRefuses(f: LeafFacts): boolean {
  if (f.through !== 'cxl' || f.going?.event !== 'unbind') return false;
  if (f.going.kind === 'pci-slot') return valueOf(f.profile, 'bus.pciehp-asks-driver');
  const asks = valueOf(f.profile, 'bus.cxl-teardown-asks-memory') && f.online.length > 0;
  return asks && (f.going.kind === 'cxl-region' || (f.going.kind === 'cxl-memdev' && valueOf(f.profile, 'bus.unbind-can-fail')));
}

/** The button is refused under this design: only a card that is pulled without asking goes. */
export const onlyBySurprise = (f: LeafFacts): boolean => f.going?.event === 'pull' && f.through === 'cxl' && valueOf(f.profile, 'bus.pciehp-asks-driver');

/** The card goes although its decoders ask: by its slot, or by hand. */
const goesAnyway = (f: LeafFacts): boolean => f.online.length > 0 && (f.going?.event === 'pull' || f.going?.kind === 'pci-slot');
const LEAVES = ['fsdax', 'raw-pmem', 'btt', 'devdax', 'kmem'] as const;

/** These alone apply where `removeStopsAtHolders`. */
export const STOP_RULES: readonly Rule[] = [
  {
    events: ['unbind'], kinds: LEAVES, through: 'cxl', id: 'design-door-refuses', needs: {}, when: doorRefuses, effect: 'veto', whom: (f) => f.device.name, certainty: 'certain',
    because: 'the slot refuses while a driver is bound, or the decoders while a block of the memory is online', source: SOURCE,
  },
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
    events: ['pull'], kinds: LEAVES, through: 'cxl', id: 'design-button-refused', needs: { 'bus.pciehp-asks-driver': [true] }, when: onlyBySurprise, effect: 'veto', whom: (f) => f.device.name, certainty: 'likely',
    because: 'the attention button is refused while a driver is bound; a card that is pulled without asking goes all the same', source: SOURCE,
  },
  {
    events: ['unbind', 'pull'], kinds: ['kmem'], through: 'cxl', id: 'design-asked-zero', needs: { 'bus.cxl-teardown-asks-memory': [true] }, when: goesAnyway, effect: 'reads-zero', whom: (f) => f.device.name, certainty: 'certain',
    because: 'only the unbind and the region ask; the slot takes the power away from under online memory', source: SOURCE,
  },
  {
    events: ['unbind', 'pull'], kinds: ['kmem'], through: 'cxl', id: 'design-asked-allocator', needs: { 'bus.cxl-teardown-asks-memory': [true] }, when: goesAnyway, effect: 'allocator-continues', whom: (f) => f.device.name, certainty: 'certain',
    because: 'the blocks stay online and new allocations keep landing in memory that is gone', source: SOURCE,
  },
  {
    ...PMEM, id: 'design-unmaps', needs: { 'fsdax.removal-design': ['pagemap-failure', 'reverse-map', 'inode-walk', 'page-walk', 'page-table-walk'] }, when: (f) => f.direct && f.mapped.length > 0, effect: 'sigbus', whom: (f) => everybody(f.mapped), certainty: 'certain',
    because: 'the removal takes what processes map out of their page tables; the next touch finds no device', source: SOURCE,
  },
  {
    ...PMEM, id: 'design-pins-hang', needs: { 'gup.memunmap-references': ['per-page'], 'fsdax.mapping-counts': ['folio'] }, when: (f) => f.direct && f.mapped.length > 0, effect: 'unbind-hangs', whom: (f) => `the unbind, until ${everybody(f.mapped)} unmaps`, certainty: 'certain',
    because: 'memunmap_pages() waits for the counts of every page, and mappings count', source: SOURCE,
  },
];
