/** Part B, section 4: several label namespaces of an NVDIMM in one section. */
import type { Profile } from '../../profile/profile.ts';
import type { PhysRange } from '../../range/phys-range.ts';
import { MiB } from '../../range/units.ts';
import { bindStore, unbindStore } from '../drivers/base/dd.ts';
import { ndPfnClaim, ndPfnInit, usableBytes } from '../drivers/nvdimm/pfn_devs.ts';
import { ndPmemDriver } from '../drivers/nvdimm/pmem.ts';
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

export const PART_B_LABELS: readonly TruthRow[] = [...LABEL_ROWS, KILLED];
