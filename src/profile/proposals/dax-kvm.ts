/** Designs for device-dax removal (SYSTEMS.md 5b to 5d) and for KVM's question which pages it may reference (2d). */
import type { ProfileEntries } from '../build.ts';

type Proposal = ProfileEntries & { readonly over: string };
const NONE = 'no posting';

export const DAX_PROPOSALS: readonly Proposal[] = [
  { name: 'proposal:devdax-unmap-only-5.10', over: '5.10', release: null, summary: '5.10 without the wait for pins', entries: { 'gup.memunmap-references': { value: 'bulk', source: 'mm/memremap.c 5.18 on 5.10' } } },
  { name: 'proposal:devdax-memory-failure', over: '7.2', release: null, summary: 'unbind unmaps and runs memory_failure() over the device, to wake who holds a pin', entries: { 'dax.unbind-runs-memory-failure': { value: true, source: NONE }, 'fsdax.mass-failure-collects-all': { value: true, source: NONE } } },
  { name: 'proposal:devdax-revoke-pins', over: '7.2', release: null, summary: 'unbind revokes long-term pins', entries: { 'dax.unbind-revokes-longterm-pins': { value: true, source: NONE } } },
  { name: 'proposal:devdax-waits-for-pins', over: '7.2', release: null, summary: 'the pagemap waits for page references again, as on 5.10', entries: { 'gup.memunmap-references': { value: 'per-page', source: 'mm/memremap.c 5.10' } } },
  { name: 'proposal:devdax-vma-knows-bind', over: '7.2', release: null, summary: 'a VMA serves faults only under the bind that it was made under', entries: { 'dax.fault-checks': { value: 'alive-and-same-bind', source: NONE } } },
  { name: 'proposal:devdax-cdev-once', over: '7.2', release: null, summary: 'the character device is initialised once for the device', entries: { 'dax.bind-initialises-cdev': { value: 'once', source: NONE } } },
  { name: 'proposal:devdax-unmap-then-dead', over: '7.2', release: null, summary: 'the inode is unmapped before the device is dead: the wrong order', entries: { 'dax.unbind-order': { value: 'unmap-then-dead', source: `${NONE}: the order that litmus tests must refuse` } } },
  { name: 'proposal:devdax-remove-waits', over: '7.2', release: null, summary: 'remove waits until nobody has the node open or mapped', entries: { 'dax.remove-waits-for-users': { value: true, source: NONE } } },
  { name: 'proposal:kvm-pagemap-flag', over: '5.10', release: null, summary: 'KVM asks the pagemap whether its pages may be pinned', entries: { 'kvm.reference-test': { value: 'pagemap-flag', source: 'Dan Williams, 2019, in the thread of "KVM: MMU: Do not treat ZONE_DEVICE pages as being reserved"' } } },
  { name: 'proposal:kvm-not-reserved', over: '5.10', release: null, summary: 'KVM before 5.4: pfn_valid() and not PageReserved()', entries: { 'kvm.reference-test': { value: 'valid-and-not-reserved', source: 'virt/kvm/kvm_main.c 5.3, kvm_is_reserved_pfn()' } } },
  {
    name: 'proposal:no-reserved', over: '5.10', release: null, summary: 'ZONE_DEVICE pages without PG_reserved; KVM asks for that bit alone',
    entries: { 'kvm.reference-test': { value: 'valid-and-not-reserved', source: 'virt/kvm/kvm_main.c 5.3' }, 'gup.zone-device-reserved': { value: false, source: '<20191024120938.11237-1-david@redhat.com>' } },
  },
];
