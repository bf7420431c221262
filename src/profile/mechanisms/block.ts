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
