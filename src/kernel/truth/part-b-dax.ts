/** Part B, sections 1 (device-dax mapped, and looking at its holder) and 2 (pins). */
import type { Profile } from '../../profile/profile.ts';
import { MiB } from '../../range/units.ts';
import { domainsOf, peekMedium, VIA } from '../domains.ts';
import { deviceData } from '../drivers/base/bus.ts';
import { unbindStore } from '../drivers/base/dd.ts';
import { deviceDaxDriver, devDaxOpenCheck } from '../drivers/dax/bus.ts';
import { errnoName } from '../errno.ts';
import { FD, fdClose } from '../fs/file.ts';
import type { Kernel } from '../kernel.ts';
import { exitTask } from '../mm/exit.ts';
import { vmaStart } from '../mm/mm_struct.ts';
import { ioCompletes, ioUringFixed, PIN_KINDS, pinPages, pipeRead, type PinKind } from '../mm/pin-holders.ts';
import { walkTask, WALK_PAGEMAP, WALK_SMAPS } from '../mm/walkers.ts';
import { addDevDax, bindDevDax, destroyNamespaceOf, devDaxInode, handOverDevDax, unbindDevDax } from '../setup/devdax.ts';
import { presentPages, touchTest } from '../setup/look.ts';
import { addProcess, mapFile, openFile, touchAll } from '../setup/process.ts';
import { makeMachine } from '../setup/boot-machine.ts';
import { run } from '../setup/run.ts';
import { Threads } from '../threads.ts';
import { columns, effects, type Seen, type TruthRow } from './row.ts';

const ALL = '5.10, 6.1, 6.12, 7.2';
const START = 0x100000000;
const PAGES = 2048;
const OLD = 1;
const NEW = 2;

/** 512 MiB devdax namespace, one process that maps 8 MiB of it and has written a marker to every page. */
class DevDaxScene {
  readonly k: Kernel;
  readonly dev: number;
  readonly task: number;
  readonly vma: number;

  constructor(profile: Profile) {
    this.k = makeMachine({ profile });
    this.dev = addDevDax(this.k, { start: START, size: 512 * MiB, owner: OLD });
    this.task = addProcess(this.k, { comm: 'old', domain: OLD });
    openFile(this.k, this.task, devDaxInode(this.k, this.dev));
    this.vma = mapFile(this.k, this.task, devDaxInode(this.k, this.dev), { pages: PAGES });
    touchAll(this.k, this.task, this.vma, 'write');
  }

  get present(): number {
    return presentPages(this.k, this.task, START / 4096, (START + 512 * MiB) / 4096);
  }

  /** Pins pages of the mapping; the descriptor, or -errno. */
  pin(kind: PinKind, pages: number): number {
    return run(this.k, pinPages(this.k, this.task, PIN_KINDS.indexOf(kind), vmaStart(this.k, this.vma), pages)).rc;
  }

  holder(fd: number): number {
    return this.k.heap.load(fd + FD.holder);
  }

  /** A process of the new owner maps the device after a rebind and writes its data. */
  newOwner(value: number): number {
    handOverDevDax(this.k, this.dev, NEW);
    const task = addProcess(this.k, { comm: 'new', domain: NEW });
    const vma = mapFile(this.k, task, devDaxInode(this.k, this.dev), { pages: PAGES });
    touchTest(this.k, task, vma, 'write', value);
    return vma;
  }

  crossed(): boolean {
    const d = domainsOf(this.k);
    return [VIA.cpu, VIA.dma].some((via) => this.k.heap.load(d.crossReads + via) + this.k.heap.load(d.crossWrites + via) > 0);
  }

  get dataPfn(): number {
    return START / 4096 + 512;
  }
}

const DEVDAX_ROWS: readonly TruthRow[] = [
  {
    id: 'B 1 unbind', says: 'devdax mapped, unbind: returns at once, page tables empty, SIGBUS (BUS_ADRERR) on read and write', seen: columns(ALL, { effects: ['sigbus'], figures: { rc: 0, present: 0, read: 2048, write: 2048 } }),
    run: (profile) => {
      const s = new DevDaxScene(profile);
      const ran = unbindDevDax(s.k, s.dev);
      const figures = { rc: ran.hangs === null ? ran.rc : -1, present: s.present, read: touchTest(s.k, s.task, s.vma, 'read').sigbus, write: touchTest(s.k, s.task, s.vma, 'write').sigbus };
      return { effects: figures.read > 0 ? ['sigbus'] : [], figures };
    },
  },
  {
    id: 'B 1 open', says: 'the node stays; open while unbound fails once nobody holds it', seen: columns(ALL, { effects: [], figures: { held: 'ok', open: 'ENXIO' } }),
    run: (profile) => {
      const s = new DevDaxScene(profile);
      unbindDevDax(s.k, s.dev);
      const says = (): string => errnoName(devDaxOpenCheck(s.k, deviceData(s.k, s.dev)));
      const held = says();
      run(s.k, exitTask(s.k, s.task), s.task);
      return { effects: [], figures: { held, open: says() } };
    },
  },
  {
    id: 'B 1 rebind', says: 'rebind: the OLD mapping comes back to life, reads and writes the new owner\'s data', seen: columns(ALL, { effects: ['next-owner-exposed'], figures: { bind: 0, reads: 2048, seesNew: true } }),
    run: (profile) => {
      const s = new DevDaxScene(profile);
      unbindDevDax(s.k, s.dev);
      const bind = bindDevDax(s.k, s.dev).rc;
      s.newOwner(42);
      const read = touchTest(s.k, s.task, s.vma, 'read');
      touchTest(s.k, s.task, s.vma, 'write', 13);
      return { effects: s.crossed() ? ['next-owner-exposed'] : [], figures: { bind, reads: read.ok, seesNew: peekMedium(s.k, s.dataPfn) === 13 } };
    },
  },
  {
    id: 'B 1 destroy', says: 'open fd kept across unbind and bind, then destroy the namespace: list corruption in kdevtmpfs', seen: columns(ALL, effects('kernel-bug-later')),
    run: (profile) => {
      const s = new DevDaxScene(profile);
      unbindDevDax(s.k, s.dev);
      bindDevDax(s.k, s.dev);
      run(s.k, exitTask(s.k, s.task), s.task);
      unbindDevDax(s.k, s.dev);
      return { effects: destroyNamespaceOf(s.k, s.dev).oops === 'cd_forget' ? ['kernel-bug-later'] : ['clean'] };
    },
  },
  {
    id: 'B 1 second round', says: '7.2, second round in the same boot: open ENXIO after a successful bind, refcount underflow at the next unbind',
    seen: { '7.2': { notModelled: 'what the damaged cdev does later follows from list pointers in freed memory; the damage itself is modelled' } },
    run: () => ({ effects: [] }),
  },
  {
    id: 'B 1b devdax', says: 'devdax holders have no entries left; reading their /proc files is harmless', seen: columns(ALL, { effects: ['clean'], figures: { smaps: 'ok', pagemap: 'ok' } }),
    run: (profile) => {
      const s = new DevDaxScene(profile);
      unbindDevDax(s.k, s.dev);
      const ok = (kind: number): string => (run(s.k, walkTask(s.k, s.task, kind)).oops === null ? 'ok' : 'oops');
      return { effects: ['clean'], figures: { smaps: ok(WALK_SMAPS), pagemap: ok(WALK_PAGEMAP) } };
    },
  },
];

/** Unbind with a pin; what becomes of it while the pin is held, and when it is dropped. */
function pinned(profile: Profile, kind: PinKind, pages: number, drop: (s: DevDaxScene, holder: number, fd: number) => Seen['effects']): Seen {
  const s = new DevDaxScene(profile);
  const fd = s.pin(kind, pages);
  if (fd < 0) return { effects: [], figures: { register: errnoName(fd) } };
  const threads = new Threads(s.k);
  const unbind = threads.spawn('unbind', () => unbindStore(s.k, deviceDaxDriver(s.k), s.dev));
  const waits = unbind.state === 'waiting';
  const holder = s.holder(fd);
  const later = drop(s, holder, fd);
  threads.run();
  return { effects: [...(waits ? (['unbind-hangs'] as const) : []), ...later], figures: { ends: unbind.state === 'done' } };
}

const closing = (s: DevDaxScene, _holder: number, fd: number): Seen['effects'] => (run(s.k, fdClose(s.k, s.task, fd)).oops === null ? [] : ['pin-outlives-memmap']);
const HANGS: Seen = { effects: ['unbind-hangs'], figures: { ends: true } };
const OUTLIVES: Seen = { effects: ['pin-outlives-memmap'], figures: { ends: true } };

/** The device is bound again and has a new owner before an old read, pinned before, ends. */
function oldRead(s: DevDaxScene, holder: number): Seen['effects'] {
  const bound = bindDevDax(s.k, s.dev);
  if (bound.rc < 0 || bound.hangs !== null) {
    run(s.k, ioCompletes(s.k, holder, 77));
    return [];
  }
  s.newOwner(42);
  run(s.k, ioCompletes(s.k, holder, 77));
  return peekMedium(s.k, s.dataPfn) === 77 && s.crossed() ? ['next-owner-exposed'] : [];
}

const PIN_ROWS: readonly TruthRow[] = [
  {
    id: 'B 2 x', says: 'AF_XDP umem (FOLL_LONGTERM): unbind, then the socket is closed', seen: { ...columns('5.10', HANGS), ...columns('6.1, 6.12, 7.2', OUTLIVES) },
    run: (profile) => pinned(profile, 'af_xdp', 2048, closing),
  },
  {
    id: 'B 2 u', says: 'io_uring fixed buffer: cannot register (5.10, 6.1); unbind returns and later I/O oopses', seen: { ...columns('5.10, 6.1', { effects: [], figures: { register: 'EOPNOTSUPP' } }), ...columns('6.12, 7.2', OUTLIVES) },
    run: (profile) => pinned(profile, 'io_uring', 2048, (s, holder) => (run(s.k, ioUringFixed(s.k, holder, 1, 9)).oops === 'memcpy_orig' ? ['pin-outlives-memmap'] : [])),
  },
  {
    id: 'B 2 v', says: 'vmsplice of 64 KiB in a pipe: unbind, then the pipe is closed', seen: { ...columns('5.10', HANGS), ...columns('6.1, 6.12, 7.2', OUTLIVES) },
    run: (profile) => pinned(profile, 'vmsplice', 16, closing),
  },
  {
    id: 'B 2 v read', says: 'reading the pipe while unbound fails; on 5.10, while the unbind hangs, the data can be read', seen: { ...columns('5.10', { effects: ['unbind-hangs'], figures: { read: 16 } }), ...columns('6.1, 6.12, 7.2', { effects: [], figures: { read: -14 } }) },
    run: (profile) => {
      let read = 0;
      const seen = pinned(profile, 'vmsplice', 16, (s, holder) => { read = run(s.k, pipeRead(s.k, holder)).rc; return []; });
      return { effects: seen.effects, figures: { read } };
    },
  },
  {
    id: 'B 2 o', says: 'O_DIRECT read in flight: 5.10 waits for it; later unbind and bind go through and the old read destroys the new owner\'s data', seen: { ...columns('5.10', HANGS), ...columns('6.1, 6.12, 7.2', { effects: ['next-owner-exposed'], figures: { ends: true } }) },
    run: (profile) => pinned(profile, 'o_direct', 1024, oldRead),
  },
  {
    id: 'B 2 warns', says: 'pin dropped only after a rebind: WARNING in free_zone_device_page (6.1, 6.12), silent (7.2)', seen: { ...columns('6.1, 6.12', { effects: [], figures: { warns: true } }), ...columns('7.2', { effects: [], figures: { warns: false } }) },
    run: (profile) => {
      const s = new DevDaxScene(profile);
      const fd = s.pin('vmsplice', 16);
      unbindDevDax(s.k, s.dev);
      bindDevDax(s.k, s.dev);
      run(s.k, fdClose(s.k, s.task, fd));
      return { effects: [], figures: { warns: s.k.log.has('mm/memremap.c free_zone_device_page') } };
    },
  },
  {
    id: 'B 2 silent', says: 'no message in the log for any of this until the oops', seen: columns('6.1, 6.12, 7.2', { effects: [], figures: { lines: 0 } }),
    run: (profile) => {
      const s = new DevDaxScene(profile);
      s.pin('vmsplice', 16);
      const before = s.k.log.mark;
      unbindDevDax(s.k, s.dev);
      return { effects: [], figures: { lines: s.k.log.mark - before } };
    },
  },
];

export const PART_B_DAX: readonly TruthRow[] = [...DEVDAX_ROWS, ...PIN_ROWS];
