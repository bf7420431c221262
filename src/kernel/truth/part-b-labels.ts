/** Part B, section 4: several label namespaces of an NVDIMM in one section. */
import type { Profile } from '../../profile/profile.ts';
import type { PhysRange } from '../../range/phys-range.ts';
import { MiB } from '../../range/units.ts';
import { bindStore, unbindStore } from '../drivers/base/dd.ts';
import { ndPfnClaim, ndPfnInit, usableBytes } from '../drivers/nvdimm/pfn_devs.ts';
import { ndPmemDriver } from '../drivers/nvdimm/pmem.ts';
import { alignStore, attachBtt, ndRegion, sizeStore } from '../drivers/nvdimm/region_devs.ts';
import { errnoName } from '../errno.ts';
import { exitTask } from '../mm/exit.ts';
import { memremapPages, MEMORY_DEVICE } from '../mm/memremap.ts';
import { memmapPresent } from '../mm/page.ts';
import { addPmem, createFile, mountFs } from '../setup/fsdax.ts';
import { touchTest } from '../setup/look.ts';
import { addProcess, mapFile, touchAll } from '../setup/process.ts';
import { run } from '../setup/run.ts';
import { runStraight } from '../state/path.ts';
import { bootTruth } from './ram-scene.ts';
import { columns, type Seen, type TruthRow } from './row.ts';

const PAGE = 4096;
const at = (start: number, size: number): PhysRange => ({ start, end: start + size });
const LABEL_START = 0x100000000;
/** 16, 16, 16, 32, 32 MiB side by side in one section. */
const LABELS = [16, 16, 16, 32, 32].map((size, i, all) => at(LABEL_START + all.slice(0, i).reduce((n, s) => n + s, 0) * MiB, size * MiB));

const LABEL_ROWS: readonly TruthRow[] = [
  {
    id: 'B 4 labels', says: 'five label namespaces in one section: all work, 14680064 of 16 MiB and 31457280 of 32 MiB usable',
    seen: columns('5.10, 6.12, 7.2', { effects: [], figures: { usable: '14680064 14680064 14680064 31457280 31457280', live: 5 } }),
    run: (profile) => {
      const k = bootTruth(profile);
      const usable: (string | number)[] = [];
      let live = 0;
      LABELS.forEach((range, i) => {
        const sb = ndPfnInit(k, { name: `pfn0.${i}`, range, mode: i === 2 || i === 4 ? 'pmem' : 'ram', align: 2 * MiB });
        const claimed = typeof sb === 'number' ? sb : ndPfnClaim(k, `pfn0.${i}`, range, sb);
        if (typeof claimed === 'number') return;
        usable.push(usableBytes(k, claimed));
        if (memremapPages(k, { startPfn: range.start / PAGE, endPfn: range.end / PAGE, dataPfn: claimed.blockData / PAGE, type: MEMORY_DEVICE.fsdax }) > 0) live += 1;
      });
      return { effects: [], figures: { usable: usable.join(' '), live } };
    },
  },
  {
    id: 'B 4 neighbours', says: 'unbinding one of five in a section: at once, neighbours go on, rebind works', seen: columns('5.10, 6.12, 7.2', { effects: [], figures: { rc: 0, neighbours: 4, gone: true, rebind: 0 } }),
    run: (profile) => unbindOneOfFive(profile),
  },
];

function unbindOneOfFive(profile: Profile): Seen {
  const k = bootTruth(profile);
  const rigs = LABELS.map((range, i) => {
    const dev = addPmem(k, { name: `pfn0.${i}`, start: range.start, size: range.end - range.start });
    const file = createFile(k, mountFs(k, dev, { type: 'ext4' }), { pages: 512 });
    const task = addProcess(k, { comm: `h${i}` });
    const vma = mapFile(k, task, file, { pages: 512 });
    if (i !== 0) touchAll(k, task, vma, 'write');
    return { dev, task, vma };
  });
  const driver = ndPmemDriver(k);
  const rc = runStraight(unbindStore(k, driver, rigs[0]!.dev));
  const neighboursLive = rigs.slice(1).filter(({ task, vma }) => touchTest(k, task, vma, 'read').ok === 512 && touchTest(k, task, vma, 'write').ok === 512).length;
  const gone = !memmapPresent(k, LABEL_START / PAGE) && memmapPresent(k, LABELS[1]!.start / PAGE);
  return { effects: [], figures: { rc, neighbours: neighboursLive, gone, rebind: runStraight(bindStore(k, driver, rigs[0]!.dev)) } };
}

/** A holder of 4 KiB mappings in one of two namespaces of a section is killed after unbind and rebind. */
function killedHolder(profile: Profile): Seen {
  const k = bootTruth(profile);
  const [first, second] = [LABELS[0] as PhysRange, LABELS[1] as PhysRange].map((range, i) => {
    const dev = addPmem(k, { name: `pfn0.${i}`, start: range.start, size: range.end - range.start });
    const file = createFile(k, mountFs(k, dev, { type: 'ext4' }), { pages: 256 });
    const task = addProcess(k, { comm: `t${i}` });
    const vma = mapFile(k, task, file, { pages: 256, offBy: 1 });
    touchAll(k, task, vma, 'write');
    return { dev, task, vma };
  });
  const driver = ndPmemDriver(k);
  runStraight(unbindStore(k, driver, first!.dev));
  runStraight(bindStore(k, driver, first!.dev));
  const mark = k.log.mark;
  const exit = run(k, exitTask(k, first!.task), first!.task);
  const lines = k.log.since(mark).filter((line) => line.text.includes('Bad page map')).length;
  return { effects: lines > 0 ? ['bad-page-map'] : [], figures: { lines, oops: exit.oops !== null, neighbour: touchTest(k, second!.task, second!.vma, 'read').ok } };
}

const KILLED: TruthRow = {
  id: 'B 4 bad page map', says: 'the killed holder of the unbound namespace: one BUG: Bad page map for each page still mapped; the neighbour is untouched',
  seen: columns('7.2', { effects: ['bad-page-map'], figures: { lines: 256, oops: false, neighbour: 256 } }), run: killedHolder,
};

/** What a region and a BTT ask of the size of a namespace. The kernel's rule; ndctl keeps it before the kernel is asked. */
const SIZE_ROWS: readonly TruthRow[] = [
  {
    id: 'B 4 ndctl sizes', says: 'sizes of 4, 10, 18 and 20 MiB are refused by region0/align of 16 MiB; with an align of 2 MiB 18 MiB is taken',
    seen: columns('5.10, 6.12, 7.2', { effects: ['veto'], figures: { refused: '4 10 18 20', taken: '16 32', smaller: 'ok' } }),
    run: () => {
      const region = ndRegion(512 * MiB, 1);
      const says = (size: number): boolean => sizeStore(region, size * MiB) === 0;
      const [refused, taken] = [[4, 10, 18, 20].filter((size) => !says(size)).join(' '), [16, 32].filter(says).join(' ')];
      alignStore(region, 2 * MiB, 'taken');
      return { effects: refused === '' ? [] : ['veto'], figures: { refused, taken, smaller: errnoName(sizeStore(region, 18 * MiB)) } };
    },
  },
  {
    id: 'B 4 region align', says: 'region0/align: 16 MiB and fixed (ENXIO) on an e820 region; 2 MiB and 4 KiB are taken on an NVDIMM region',
    seen: columns('5.10, 6.12, 7.2', { effects: [], figures: { e820: 16 * MiB, write: 'ENXIO', nvdimm: 'ok ok' } }),
    corrected: columns('6.12, 7.2', { effects: [], figures: { e820: 16 * MiB, write: 'ok', nvdimm: 'ok ok' } }),
    run: (profile) => {
      const without = bootTruth(profile).mechanism('section.region-align-without-mappings');
      const [e820, nvdimm] = [ndRegion(64 * MiB, 0), ndRegion(512 * MiB, 1)];
      const found = e820.align;
      const write = errnoName(alignStore(e820, 2 * MiB, without));
      return { effects: [], figures: { e820: found, write, nvdimm: [2 * MiB, PAGE].map((align) => errnoName(alignStore(nvdimm, align, without))).join(' ') } };
    },
  },
  {
    id: 'B 4 btt', says: '-m sector -s 16M: btt0.0 failed to enable (labels of v1.1: a BTT needs 16 MiB and 4 KiB)', seen: columns('7.2', { effects: [], figures: { attach: 'ENXIO', larger: 'ok' } }),
    run: () => ({ effects: [], figures: { attach: errnoName(attachBtt(16 * MiB, '1.1')), larger: errnoName(attachBtt(32 * MiB, '1.1')) } }),
  },
];

export const PART_B_LABELS: readonly TruthRow[] = [...LABEL_ROWS, KILLED, ...SIZE_ROWS];
