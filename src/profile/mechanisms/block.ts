/** Memory blocks: drivers/base/memory.c, mm/memory_hotplug.c. Rows "B n" are those of docs/kernel-truth. */
import type { Declarations } from '../mechanism.ts';

export const BLOCK = {
  'block.hole-check': {
    allowed: ['none', 'pg-reserved', 'resource-walk'],
    default: 'resource-walk',
    meaning: 'how offline finds a hole or other than System RAM in a block: not at all, by PG_reserved, or by walking the resource tree; EINVAL without a message where it does',
    source: 'mm/memory_hotplug.c, offline_pages(), walk_system_ram_range(), 5.5: "don\'t allow to online/offline memory blocks with holes"; measured: B 5',
  },
  'block.one-zone-check': {
    allowed: ['page-walk', 'block-zone'],
    default: 'block-zone',
    meaning: 'how offline finds that a block spans two zones: by walking its pages (test_pages_in_a_zone), or from the zone stored in the block',
    source: 'drivers/base/memory.c, 5.18: "determine and store zone for single-zone memory blocks"; measured: B 5',
  },
  'block.one-node-check': {
    allowed: [false, true],
    default: true,
    meaning: 'a block that spans two nodes is refused',
    source: 'drivers/base/memory.c, early_node_zone_for_memory_block(); measured: B 5, memory7 across two nodes',
  },
  'block.node-id': {
    allowed: ['last', 'none-if-mixed'],
    default: 'last',
    meaning: 'what mem->nid says of a boot block on two nodes: the node that was registered last, or NUMA_NO_NODE',
    source: 'drivers/base/memory.c 6.12, memory_block_add_nid(): "the memory block belongs to the last node registered"; none-if-mixed is how remove_memory() of 5.3 asked for it',
  },
  'block.remove-reads-zone-of-page': {
    allowed: [false, true],
    default: false,
    meaning: 'removing memory looks up the zone in its struct pages, which nobody has initialised when the memory never was online',
    source: 'arch/x86/mm/init_64.c 5.2, arch_remove_memory(): page_zone(); gone in 5.5: "mm/memory_hotplug: shrink zones when offlining memory"',
  },
  'block.last-section-initialised': {
    allowed: [false, true],
    default: true,
    meaning: 'boot initialises the struct pages behind the end of RAM in the last section too',
    source: 'mm/page_alloc.c, 5.6: "mm: fix uninitialized memmaps on a partially populated last section"',
  },
  'block.removable-file': {
    allowed: ['checked', 'always-1'],
    default: 'always-1',
    meaning: 'what memoryN/removable says: an estimate from the pages, or 1 whatever the truth',
    source: 'drivers/base/memory.c, 5.6: "indicate all memory blocks as removable"; measured: B 5',
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
