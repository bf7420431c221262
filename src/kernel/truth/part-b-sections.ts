/** Part B, section 4: sections and sub-sections that pmem shares with RAM or with other pmem. */
import type { Profile } from '../../profile/profile.ts';
import type { PhysRange } from '../../range/phys-range.ts';
import { MiB } from '../../range/units.ts';
import { unbindStore } from '../drivers/base/dd.ts';
import { validZones } from '../drivers/base/block-state.ts';
import { blockState, MEM } from '../drivers/base/memory.ts';
import { mapRawNamespace, ndPfnClaim, ndPfnInit, usableBytes } from '../drivers/nvdimm/pfn_devs.ts';
import { ndPmemDriver } from '../drivers/nvdimm/pmem.ts';
import { bindStore } from '../drivers/base/dd.ts';
import { deviceDriver } from '../drivers/base/bus.ts';
import type { Kernel } from '../kernel.ts';
import { memmapPresent, pageZone, ZONE } from '../mm/page.ts';
import { memunmapPages, memremapPages, MEMORY_DEVICE } from '../mm/memremap.ts';
import { users } from '../mm/ram-user.ts';
import { addPmem, createFile, mountFs } from '../setup/fsdax.ts';
import { presentPages, touchTest } from '../setup/look.ts';
import { addProcess, mapFile, openFile, touchAll } from '../setup/process.ts';
import { pmemResource } from '../setup/boot-machine.ts';
import { runStraight } from '../state/path.ts';
import { bootTruth, errno, offline } from './ram-scene.ts';
import { columns, type Seen, type TruthRow } from './row.ts';

const RAM_END = 0x7ffdb000;
const PAGE = 4096;

interface Layout {
  readonly ram: readonly { readonly start: number; readonly end: number; readonly nid: number }[];
  readonly pmem: readonly PhysRange[];
}
const at = (start: number, size: number): PhysRange => ({ start, end: start + size });
/** RAM from 1 MiB to the end without the given holes. */
const ramWithout = (...holes: readonly PhysRange[]): Layout['ram'] => {
  const parts: { start: number; end: number; nid: number }[] = [];
  let from = MiB;
  for (const hole of holes) {
    parts.push({ start: from, end: hole.start, nid: 0 });
    from = hole.end;
  }
  return [...parts, { start: from, end: RAM_END, nid: 0 }];
};
const LAYOUTS = {
  A: { ram: ramWithout(at(0x46000000, 64 * MiB)), pmem: [at(0x46000000, 64 * MiB)] },
  B: { ram: ramWithout(at(0x46110000, 0x3c01000)), pmem: [at(0x46110000, 0x3c01000)] },
  C: { ram: ramWithout(at(0x48000000, 128 * MiB)), pmem: [at(0x48000000, 32 * MiB), at(0x4b000000, 32 * MiB)] },
  D: { ram: ramWithout(at(0x48000000, 128 * MiB)), pmem: [at(0x48000000, 33 * MiB), at(0x4a101000, 0x1fff000)] },
  E: { ram: ramWithout(at(0x48000000, 32 * MiB), at(0x4c000000, 32 * MiB)), pmem: [at(0x48000000, 32 * MiB), at(0x4c000000, 32 * MiB)] },
} as const satisfies Record<string, Layout>;

function boot(profile: Profile, layout: Layout): Kernel {
  const k = bootTruth(profile, { ram: layout.ram });
  for (const range of layout.pmem) pmemResource(k, range);
  return k;
}

/** A raw namespace gets struct pages at boot: 0, or what nd_pmem's probe says. */
function mapRaw(k: Kernel, name: string, range: PhysRange): number {
  const ret = mapRawNamespace(k, name, range);
  if (ret < 0) return ret;
  const pgmap = memremapPages(k, { startPfn: range.start / PAGE, endPfn: range.end / PAGE, dataPfn: range.start / PAGE, type: MEMORY_DEVICE.fsdax });
  return Math.min(pgmap, 0);
}

/** Every mode of one namespace, one after the other: usable bytes, or the errno. */
function modes(k: Kernel, range: PhysRange): Record<string, string | number> {
  const found: Record<string, string | number> = { raw: range.end - range.start };
  const raw = memremapPages(k, { startPfn: range.start / PAGE, endPfn: range.end / PAGE, dataPfn: range.start / PAGE, type: MEMORY_DEVICE.fsdax });
  if (raw < 0) found['raw'] = errno(raw);
  else runStraight(memunmapPages(k, raw));
  for (const [mode, where, align] of [['dev', 'pmem', PAGE], ['mem4k', 'ram', PAGE], ['devdax', 'ram', 2 * MiB]] as const) {
    const sb = ndPfnInit(k, { name: 'pfn0.0', range, mode: where, align });
    const claimed = typeof sb === 'number' ? sb : ndPfnClaim(k, 'pfn0.0', range, sb);
    if (typeof claimed === 'number') {
      found[mode] = errno(claimed);
      continue;
    }
    const pgmap = memremapPages(k, { startPfn: claimed.mapped.start / PAGE, endPfn: claimed.mapped.end / PAGE, dataPfn: claimed.blockData / PAGE, type: MEMORY_DEVICE.fsdax });
    found[mode] = pgmap < 0 ? errno(pgmap) : mode === 'mem4k' ? 'works' : usableBytes(k, claimed);
    if (pgmap > 0) runStraight(memunmapPages(k, pgmap));
  }
  return found;
}

/** RAM next to the pmem keeps its zone and its pages. */
const neighbours = (k: Kernel): boolean => [0x45fff, 0x4a000].every((pfn) => memmapPresent(k, pfn) && pageZone(k, pfn, 'truth') === ZONE.dma32);

const A_SEEN: Seen = { effects: ['clean'], figures: { boot: 'ok', raw: 67108864, dev: 65011712, mem4k: 'works', devdax: 65011712, neighbours: true } };

/** Mounts ext4 on the first namespace, maps a file, unbinds after the process has gone, binds again. */
function mountAndRebind(k: Kernel, range: PhysRange): boolean {
  const dev = addPmem(k, { start: range.start, size: range.end - range.start });
  const sb = mountFs(k, dev, { type: 'ext4' });
  const file = createFile(k, sb, { pages: 1024 });
  const task = addProcess(k, { comm: 'h' });
  openFile(k, task, file);
  const vma = mapFile(k, task, file, { pages: 1024 });
  touchAll(k, task, vma, 'write');
  const mapped = presentPages(k, task, range.start / PAGE, range.end / PAGE) === 1024 && touchTest(k, task, vma, 'read').ok === 1024;
  const driver = ndPmemDriver(k);
  return mapped && runStraight(unbindStore(k, driver, dev)) === 0 && runStraight(bindStore(k, driver, dev)) === 0 && deviceDriver(k, dev) === driver;
}

const LAYOUT_ROWS: readonly TruthRow[] = [
  {
    id: 'B 4 A', says: '64 MiB at 0x46000000 shares two blocks with RAM: every mode works, neighbours untouched', seen: columns('5.10, 6.1, 6.12, 7.2', A_SEEN),
    run: (profile) => {
      const k = boot(profile, LAYOUTS.A);
      const range = LAYOUTS.A.pmem[0];
      const figures = { boot: errno(mapRawNamespace(k, 'namespace0.0', range)), ...modes(k, range), neighbours: neighbours(k) };
      return { effects: figures.neighbours && users(k).length === 0 ? ['clean'] : [], figures };
    },
  },
  {
    id: 'B 4 A mount', says: 'ext4 -o dax mounts and is mapped, unbind and rebind work', seen: columns('5.10, 6.1, 6.12, 7.2', { effects: [], figures: { works: true } }),
    run: (profile) => ({ effects: [], figures: { works: mountAndRebind(boot(profile, { ...LAYOUTS.A, pmem: [] }), LAYOUTS.A.pmem[0]) } }),
  },
  ...(['C', 'E'] as const).map((name): TruthRow => ({
    id: `B 4 ${name}`, says: name === 'C' ? 'two pmem in one section, no RAM: both live at once' : 'pmem, RAM, pmem, RAM in one section: as C',
    seen: columns(name === 'C' ? '7.2' : '5.10, 7.2', { effects: [], figures: { both: 'ok ok', usable: '33554432 31457280 33554432 31457280' } }),
    run: (profile) => {
      const k = boot(profile, LAYOUTS[name]);
      const usable = LAYOUTS[name].pmem.flatMap((range) => [modes(k, range)['raw'], modes(k, range)['devdax']]);
      const both = LAYOUTS[name].pmem.map((range) => errno(mapRaw(k, 'namespace', range)));
      return { effects: [], figures: { both: both.join(' '), usable: usable.join(' ') } };
    },
  })),
  {
    id: 'B 4 B', says: 'not 2 MiB aligned: at boot "misaligned, unable to map" (EOPNOTSUPP); by hand through pfn0.0 EINVAL "start misaligned to 0x200000"',
    seen: columns('5.10, 6.12, 7.2', { effects: ['veto'], figures: { boot: 'EOPNOTSUPP', hand: 'EINVAL', lines: 2 } }),
    run: (profile) => {
      const k = boot(profile, LAYOUTS.B);
      const range = LAYOUTS.B.pmem[0];
      const raw = errno(mapRaw(k, 'namespace0.0', range));
      const sb = ndPfnInit(k, { name: 'pfn0.0', range, mode: 'ram', align: 2 * MiB });
      const lines = ['[mem 0x46110000-0x49d10fff flags 0x200] misaligned, unable to map', 'nd_pmem pfn0.0: namespace0.0: start 0x0000000046110000 misaligned to 0x200000'];
      return { effects: raw !== 'ok' ? ['veto'] : [], figures: { boot: raw, hand: typeof sb === 'number' ? errno(sb) : 'ok', lines: lines.filter((line) => k.log.has(line)).length } };
    },
  },
  {
    id: 'B 4 D', says: 'two pmem that share one sub-section: both raw refused, even the one with an aligned start',
    seen: columns('5.10, 7.2', { effects: ['veto'], figures: { boot: 'EOPNOTSUPP EOPNOTSUPP' } }),
    run: (profile) => {
      const k = boot(profile, LAYOUTS.D);
      const raw = LAYOUTS.D.pmem.map((range) => errno(mapRaw(k, 'namespace', range)));
      return { effects: raw.every((rc) => rc !== 'ok') ? ['veto'] : [], figures: { boot: raw.join(' ') } };
    },
  },
  {
    id: 'B 4 D by hand', says: 'by hand the aligned one binds with its tail dropped (31457280 at 0x48200000), the other is refused',
    seen: { '5.10': { effects: [], figures: { first: '31457280 at 0x48200000', second: 'EINVAL' } } },
    run: (profile) => {
      const k = boot(profile, LAYOUTS.D);
      const [one, two] = LAYOUTS.D.pmem.map((range) => {
        const sb = ndPfnInit(k, { name: 'pfn0.0', range, mode: 'ram', align: 2 * MiB });
        const claimed = typeof sb === 'number' ? sb : ndPfnClaim(k, 'pfn0.0', range, sb);
        if (typeof claimed === 'number') return errno(claimed);
        const pgmap = memremapPages(k, { startPfn: claimed.mapped.start / PAGE, endPfn: claimed.mapped.end / PAGE, dataPfn: claimed.blockData / PAGE, type: MEMORY_DEVICE.fsdax });
        return pgmap < 0 ? errno(pgmap) : `${usableBytes(k, claimed)} at 0x${claimed.blockData.toString(16)}`;
      });
      return { effects: [], figures: { first: one ?? '', second: two ?? '' } };
    },
  },
];

const BLOCK_ROWS: readonly TruthRow[] = [
  {
    id: 'B 4 offline', says: 'a RAM block that also holds pmem: offline EINVAL at once, no line, stays online, namespace bound or not', seen: columns('5.10, 6.1, 6.12, 7.2', { effects: ['veto'], figures: { bound: 'EINVAL', unbound: 'EINVAL', online: true, lines: 0 } }),
    run: (profile) => {
      const k = boot(profile, LAYOUTS.A);
      const unbound = errno(offline(k, 8));
      mapRaw(k, 'namespace0.0', LAYOUTS.A.pmem[0]);
      const bound = errno(offline(k, 8));
      return { effects: bound === 'EINVAL' ? ['veto'] : [], figures: { bound, unbound, online: blockState(k, 8) === MEM.online, lines: k.log.since().length } };
    },
  },
  {
    id: 'B 4 valid_zones', says: 'valid_zones of such a block still says DMA32',
    seen: {
      '5.10': { notModelled: 'by drivers/base/memory.c 5.10 test_pages_in_a_zone() meets ZONE_DEVICE pages and says none; the row does not say on which kernel the file was read; the lab saw none' },
      ...columns('6.1, 6.12, 7.2', { effects: [], figures: { zones: 'DMA32' } }),
    },
    corrected: { '5.10': { effects: [], figures: { zones: 'none' } } },
    run: (profile) => {
      const k = boot(profile, LAYOUTS.A);
      mapRaw(k, 'namespace0.0', LAYOUTS.A.pmem[0]);
      return { effects: [], figures: { zones: validZones(k, 8) } };
    },
  },
  {
    id: 'B 4 no block', says: 'a section that is all pmem or reserved has no memory block', seen: columns('7.2', { effects: [], figures: { C: 0, D: 0 } }),
    run: (profile) => ({ effects: [], figures: { C: blockState(boot(profile, LAYOUTS.C), 9), D: blockState(boot(profile, LAYOUTS.D), 9) } }),
  },
];

export const PART_B_SECTIONS: readonly TruthRow[] = [...LAYOUT_ROWS, ...BLOCK_ROWS];
