/** Designs for memory hotplug and for the buses (SYSTEMS.md 6 to 9). */
import type { ProfileEntries } from '../build.ts';

type Proposal = ProfileEntries & { readonly over: string };
const NONE = 'no posting';

export const HOTPLUG_PROPOSALS: readonly Proposal[] = [
  { name: 'proposal:add-pages-reverts', over: '7.2', release: null, summary: '__add_pages() takes out again what it has added when a later section fails', entries: { 'section.add-pages-reverts': { value: true, source: NONE } } },
  { name: 'proposal:unbind-may-fail', over: '7.2', release: null, summary: 'the driver core listens to ->remove(): an unbind can be refused', entries: { 'bus.unbind-can-fail': { value: true, source: 'John Groves, 2026, <20260107153332.64727-8-john@groves.net> for file systems; here for every driver' } } },
  { name: 'proposal:cxl-asks-memory', over: '7.2', release: null, summary: 'commit 0 asks whether memory of the region is online before the decoders are reset', entries: { 'bus.cxl-teardown-asks-memory': { value: true, source: NONE } } },
  {
    name: 'proposal:cxl-asks-memory-and-unbind-may-fail', over: '7.2', release: null, summary: 'the same, and cxl_mem\'s ->remove() may refuse too',
    entries: { 'bus.cxl-teardown-asks-memory': { value: true, source: NONE }, 'bus.unbind-can-fail': { value: true, source: NONE } },
  },
  { name: 'proposal:pciehp-asks-driver', over: '7.2', release: null, summary: 'the attention button and slot power are refused while a driver is bound', entries: { 'bus.pciehp-asks-driver': { value: true, source: NONE } } },
  { name: 'proposal:block-node-unknown', over: '7.2', release: null, summary: 'mem->nid of a block on two nodes is NUMA_NO_NODE', entries: { 'block.node-id': { value: 'none-if-mixed', source: 'mm/memory_hotplug.c 5.3, check_memblock_offlined_cb(): a block with a mixed nid' } } },
];
