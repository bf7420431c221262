/** Memory blocks: drivers/base/memory.c, mm/memory_hotplug.c. Rows "B n" are those of docs/kernel-truth. */
import type { Declarations } from '../mechanism.ts';

export const BLOCK = {
  'block.hole-check': {
    allowed: ['none', 'pg-reserved', 'resource-walk'],
    default: 'resource-walk',
    meaning: 'how offline finds a hole or other than System RAM in a block: not at all, as pages with PG_reserved that cannot be moved (EBUSY), or by walking the resource tree (EINVAL without a message)',
    source: 'mm/memory_hotplug.c, __offline_pages(), walk_system_ram_range(), 5.5: "mm/memory_hotplug.c: don\'t allow to online/offline memory blocks with holes" (c5e79ef561b0), which says of the time before that the memmap of holes is marked PG_reserved; measured: B 5',
  },
  'block.one-zone-check': {
    allowed: ['page-walk', 'block-zone'],
    default: 'block-zone',
    meaning: 'how offline finds that a block spans two zones: by walking its pages (test_pages_in_a_zone), or from the zone stored in the block',
    source: 'drivers/base/memory.c and mm/memory_hotplug.c, offline_pages(), 5.18: "drivers/base/memory: determine and store zone for single-zone memory blocks" (395f6081bad4); measured: B 5',
  },
  'block.one-node-check': {
    allowed: [false, true],
    default: true,
    meaning: 'a block that spans two nodes is refused',
    source: 'mm/memory_hotplug.c, test_pages_in_a_zone() to 5.17: zones of two nodes are two; drivers/base/memory.c, memory_block_add_nid() and early_node_zone_for_memory_block() from 5.18 on; measured: B 5, memory7 across two nodes',
  },
  'block.node-id': {
    allowed: ['last', 'none-if-mixed'],
    default: 'last',
    meaning: 'what mem->nid says of a boot block on two nodes: the node that was registered last, or NUMA_NO_NODE',
    source: 'drivers/base/memory.c, memory_block_add_nid(), 5.18 to 6.12: the last node that is processed; none-if-mixed is how remove_memory() of 5.3 asked for it',
  },
  'block.remove-reads-zone-of-page': {
    allowed: [false, true],
    default: false,
    meaning: 'removing memory looks up the zone in its struct pages, which nobody has initialised when the memory never was online',
    source: 'arch/x86/mm/init_64.c 5.2, arch_remove_memory(): page_zone(); gone in 5.5: "mm/memory_hotplug: shrink zones when offlining memory" (feee6b298916)',
  },
  'block.last-section-initialised': {
    allowed: [false, true],
    default: true,
    meaning: 'boot initialises the struct pages behind the end of RAM in the last section too',
    source: 'mm/page_alloc.c, zero_resv_unavail(), 5.6: "mm/page_alloc.c: fix uninitialized memmaps on a partially populated last section"',
  },
  'block.removable-file': {
    allowed: ['checked', 'always-1'],
    default: 'always-1',
    meaning: 'what memoryN/removable says: an estimate from the pages, or 1 whatever the truth',
    source: 'drivers/base/memory.c, removable_show(), 5.6: "drivers/base/memory.c: indicate all memory blocks as removable" (53cdc1cb29e8); measured: B 5',
  },
  'block.offline-logs': {
    allowed: ['dbg', 'info'],
    default: 'dbg',
    meaning: 'whether a successful offline prints "Offlined Pages N"',
    source: 'mm/memory_hotplug.c; measured: B 3 (b), 5.10 prints',
  },
  'block.offline-of-offline': {
    allowed: ['einval'],
    default: 'einval',
    meaning: 'writing offline to a block that is offline already',
    source: 'drivers/base/memory.c, state_store(); measured: B 5',
  },
} as const satisfies Declarations;
