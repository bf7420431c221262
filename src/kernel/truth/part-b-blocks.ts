/** Part B, section 5: rules of memory blocks, on boot memory. */
import type { Profile } from '../../profile/profile.ts';
import { GiB, MiB } from '../../range/units.ts';
import { stateStore, validZones } from '../drivers/base/block-state.ts';
import { blockNodes, memoryBlocks } from '../drivers/base/memory.ts';
import { bindStore } from '../drivers/base/dd.ts';
import { createDevDax } from '../drivers/dax/dev_dax.ts';
import { daxKmemInit } from '../drivers/dax/kmem.ts';
import type { Kernel } from '../kernel.ts';
import { MMOP } from '../mm/memory_hotplug/hotplug.ts';
import { pageType, TYPE } from '../mm/page.ts';
import { plugDimm } from '../setup/dimm.ts';
import { runStraight } from '../state/path.ts';
import { bootTruth, errno, offline } from './ram-scene.ts';
import { columns, type TruthRow } from './row.ts';

/** A 2 GiB machine with what a kernel keeps: image, initrd, memmap, as reserved pages in three blocks. */
const bootWithKernel = (profile: Profile): Kernel => bootTruth(profile, {
  reserved: [{ start: 16 * MiB, end: 48 * MiB }, { start: 0x3a000000, end: 0x3b000000 }, { start: 0x7c000000, end: 0x7e000000 }, { start: 0x74000000, end: 0x74200000 }],
});
const lines = (k: Kernel): number => k.log.since().filter((line) => line.text !== 'Offlined Pages 32768').length;

const RULE_ROWS: readonly TruthRow[] = [
  {
    id: 'B 5 two zones', says: 'memory0 spans DMA and DMA32: valid_zones none, EINVAL, no dmesg', seen: columns('5.10, 6.1, 7.2', { effects: ['veto'], figures: { zones: 'none', rc: 'EINVAL', lines: 0 } }),
    run: (profile) => {
      const k = bootTruth(profile);
      const zones = validZones(k, 0);
      const rc = errno(offline(k, 0));
      return { effects: rc === 'EINVAL' ? ['veto'] : [], figures: { zones, rc, lines: lines(k) } };
    },
  },
  {
    id: 'B 5 free', says: 'blocks without kernel data go offline (5.10 logs Offlined Pages 32768)', seen: { '5.10': { effects: [], figures: { ok: 12, logged: 12 } }, '7.2': { effects: [], figures: { ok: 12, logged: 0 } } },
    run: (profile) => {
      const k = bootWithKernel(profile);
      const ok = [...memoryBlocks(k).all()].filter((id) => id > 0 && id < 15 && offline(k, id) === 0).length;
      return { effects: [], figures: { ok, logged: k.log.since().filter((line) => line.text === 'Offlined Pages 32768').length } };
    },
  },
  {
    id: 'B 5 reserved', says: 'blocks with boot-reserved pages: EBUSY, "(reserved" and "unmovable page" in the log', seen: columns('5.10, 6.1, 7.2', { effects: ['veto'], figures: { rc: 'EBUSY', reserved: true, unmovable: true } }),
    run: (profile) => {
      const k = bootWithKernel(profile);
      const rc = errno(offline(k, 7));
      return { effects: rc === 'EBUSY' ? ['veto'] : [], figures: { rc, reserved: k.log.has('(reserved'), unmovable: k.log.has('page dumped because: unmovable page') } };
    },
  },
  {
    id: 'B 5 hole', says: 'memory15, a hole of 37 pages at the end of RAM: EINVAL, no dmesg, valid_zones DMA32', seen: columns('5.10, 6.1, 7.2', { effects: ['veto'], figures: { zones: 'DMA32', rc: 'EINVAL', lines: 0 } }),
    run: (profile) => {
      const k = bootTruth(profile);
      const zones = validZones(k, 15);
      const rc = errno(offline(k, 15));
      return { effects: rc === 'EINVAL' ? ['veto'] : [], figures: { zones, rc, lines: lines(k) } };
    },
  },
  {
    id: 'B 5 two nodes', says: 'a block across two nodes: listed under both, valid_zones none, EINVAL, no dmesg', seen: columns('5.10, 7.2', { effects: ['veto'], figures: { nodes: '0 1', zones: 'none', rc: 'EINVAL', lines: 0 } }),
    run: (profile) => {
      const k = bootTruth(profile, { ram: [{ start: MiB, end: 1000 * MiB, nid: 0 }, { start: 1000 * MiB, end: 0x7ffdb000, nid: 1 }] });
      const nodes = blockNodes(k, memoryBlocks(k).find(7)).join(' ');
      const zones = validZones(k, 7);
      const rc = errno(offline(k, 7));
      return { effects: rc === 'EINVAL' ? ['veto'] : [], figures: { nodes, zones, rc, lines: lines(k) } };
    },
  },
  {
    id: 'B 5 again', says: 'offline of an offline block, an unknown word: EINVAL both', seen: columns('5.10, 7.2', { effects: ['veto'], figures: { again: 'EINVAL', word: 'EINVAL' } }),
    run: (profile) => {
      const k = bootTruth(profile);
      offline(k, 5);
      const again = errno(offline(k, 5));
      const word = errno(runStraight(stateStore(k, 5, -1, 0)));
      return { effects: again === 'EINVAL' && word === 'EINVAL' ? ['veto'] : [], figures: { again, word } };
    },
  },
  {
    id: 'B 5 zones', says: 'a boot block comes back as another zone: online_movable Movable, online_kernel and online DMA32', seen: columns('5.10, 7.2', { effects: [], figures: { zones: 'Movable DMA32 DMA32' } }),
    run: (profile) => {
      const k = bootTruth(profile);
      const zones = [MMOP.onlineMovable, MMOP.onlineKernel, MMOP.online].map((mmop) => {
        offline(k, 5);
        runStraight(stateStore(k, 5, mmop, 0));
        return validZones(k, 5);
      });
      return { effects: [], figures: { zones: zones.join(' ') } };
    },
  },
];

/** Pages of a block that its own memmap occupies, and free ones. */
const own = (k: Kernel, id: number): Record<string, number> => {
  let [memmap, buddy] = [0, 0];
  for (let pfn = id * 32768; pfn < (id + 1) * 32768; pfn += 1) {
    const type = pageType(k, pfn, 'truth');
    if (type === TYPE.memmap) memmap += 1;
    if (type === TYPE.buddy) buddy += 1;
  }
  return { memmap, buddy };
};

const MEMMAP_ROWS: readonly TruthRow[] = [true, false].map((on) => ({
  id: `B 5 memmap_on_memory=${on ? 'Y' : 'N'}`, says: on ? 'ACPI DIMM: the first 512 pages of each block hold its memmap, 126 MiB usable' : 'with N all 32768 pages are free',
  seen: { '7.2': { effects: [], figures: on ? { memmap: 512, buddy: 32256 } : { memmap: 0, buddy: 32768 } } },
  run: (profile: Profile) => {
    const k = bootTruth(profile, { memmapOnMemory: on });
    plugDimm(k, { name: 'PNP0C80:00', addr: 4 * GiB, size: 256 * MiB, nid: 1 });
    runStraight(stateStore(k, 32, MMOP.onlineMovable, 0));
    return { effects: [], figures: own(k, 32) };
  },
}));

const KMEM_MEMMAP: TruthRow = {
  id: 'B 5 kmem memmap_on_memory', says: 'kmem on a pmem devdax with the parameter Y: the device attribute is 0, all pages are free', seen: { '7.2': { effects: [], figures: { memmap: 0, buddy: 32768 } } },
  run: (profile) => {
    const k = bootTruth(profile, { memmapOnMemory: true });
    const kmem = daxKmemInit(k);
    const dev = runStraight(createDevDax(k, { name: 'dax0.0', ranges: [{ start: 4 * GiB, end: 4 * GiB + 256 * MiB }], targetNode: 1 }));
    runStraight(bindStore(k, kmem, dev));
    runStraight(stateStore(k, 32, MMOP.onlineMovable, 0));
    return { effects: [], figures: own(k, 32) };
  },
};

export const PART_B_BLOCKS: readonly TruthRow[] = [...RULE_ROWS, ...MEMMAP_ROWS, KMEM_MEMMAP];
