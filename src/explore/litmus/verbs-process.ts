/** Verbs of processes: touching memory, references and pins, mapping, ending. */
import { dmaTransfer, ioCompletes, ioUringFixed, PIN_KINDS, pinPages, pipeRead, type PinKind } from '../../kernel/mm/pin-holders.ts';
import { exitTask } from '../../kernel/mm/exit.ts';
import { fork } from '../../kernel/mm/fork.ts';
import { getUserPage, gupFast, gupSlow, putUserPage } from '../../kernel/mm/gup.ts';
import { FOLL_GET, FOLL_LONGTERM, FOLL_PIN, FOLL_WRITE } from '../../kernel/mm/gup-flags.ts';
import { madviseDontneed, munmap } from '../../kernel/mm/mmap.ts';
import { userRead, userWrite } from '../../kernel/mm/access.ts';
import { FD, fdClose } from '../../kernel/fs/file.ts';
import { INODE } from '../../kernel/fs/inode.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { AT, type Path, type PathFunction } from '../../kernel/state/path.ts';
import { vmaStart } from '../../kernel/mm/mm_struct.ts';
import { PAGE, pageLoad } from '../../kernel/mm/page.ts';
import { WALK_NUMA_MAPS, WALK_PAGEMAP, WALK_SMAPS, walkTask } from '../../kernel/mm/walkers.ts';
import { guestAccess, kvmPageFault } from '../../kernel/virt/kvm.ts';
import { asProcess, type MmapLock } from './in-kernel.ts';
import { closeLate, continueOne, detachOne, forcePages, letGo, mapLate, openLate, stopOne } from './paths.ts';
import type { Line, Verb } from './verb.ts';

const flagsOf = (line: Line): number =>
  (line.has('longterm') ? FOLL_LONGTERM | FOLL_PIN : line.has('pin') ? FOLL_PIN : FOLL_GET) | (line.has('write') ? FOLL_WRITE : 0);

/** put_page of what a gup line gave; nothing where it gave an error. */
function* putResult(k: Kernel, pfn: number, flags: number): Path {
  if (pfn < 0) return 0;
  return yield* putUserPage(k, pfn, flags);
}
/** The driver uses the page it has a reference on: a look at its struct page, as any user of a reference makes. */
function* useResult(k: Kernel, pfn: number): Path {
  if (pfn < 0) return 0;
  if (k.concurrent) yield AT('use the page');
  return pageLoad(k, pfn, PAGE.refcount, 'page user') > 0 ? 0 : -1;
}

const gup = (path: typeof getUserPage, says: string, lock: MmapLock = 'read'): Verb => ({
  takes: 'PROCESS [page=N] [write] [pin] [longterm]', says,
  make: (line) => ({ path: asProcess(path, lock), args: [line.process().task, line.vpn(), flagsOf(line)] }),
});
const walker = (kind: number, file: string): Verb => ({ takes: 'PROCESS', says: `somebody reads /proc/PID/${file}`, make: (line) => ({ path: walkTask, args: [line.process().task, kind] }) });
const onTask = (path: PathFunction<Kernel>, says: string): Verb => ({ takes: 'PROCESS', says, make: (line) => ({ path, args: [line.process().task] }) });

export const PROCESS_VERBS: Readonly<Record<string, Verb>> = {
  read: { takes: 'PROCESS [page=N]', says: 'loads from a page, faulting it in', make: (line) => ({ path: asProcess(userRead, 'read'), args: [line.process().task, line.vpn()] }) },
  write: { takes: 'PROCESS [page=N] [value=V]', says: 'stores to a page', make: (line) => ({ path: asProcess(userWrite, 'read'), args: [line.process().task, line.vpn(), line.option('value', 5)] }) },
  gup: gup(getUserPage, 'get_user_pages_fast: a reference or pin on a page'),
  'gup-fast': gup(gupFast, 'the fast half alone, without mmap_lock; -EAGAIN where it gives up', 'none'),
  'gup-slow': gup(gupSlow, 'the slow half alone'),
  put: { takes: 'NAME [pin] [longterm]', says: 'put_page of what line NAME got', make: (line) => ({ path: putResult, args: [line.result(), flagsOf(line)] }) },
  use: { takes: 'NAME', says: 'the holder of a reference looks at the struct page', make: (line) => ({ path: useResult, args: [line.result()] }) },
  pin: {
    takes: `PROCESS ${PIN_KINDS.join('|')} [page=N]`, says: 'pins a page for a holder of that kind',
    make: (line) => {
      const kind = PIN_KINDS.indexOf(line.word(1) as PinKind);
      if (kind < 0) throw line.wrong(`there is no kind of pin ${line.word(1)}`);
      return { path: asProcess(pinPages, 'read'), args: [line.process().task, kind, line.vpn(), 1] };
    },
  },
  release: { takes: 'PROCESS', says: 'closes the descriptor of the pin taken at set-up', make: (line) => ({ path: closePin, args: [line.process().task, line.process().pinFd] }) },
  dma: { takes: 'PROCESS [read]', says: 'the device behind the pin moves data', make: (line) => ({ path: whereHeld(dmaTransfer), args: [line.process().pinHolder, line.has('read') ? 0 : 1, 6] }) },
  'dma-to': { takes: 'NAME', says: 'the device behind the pin that line NAME took moves data', make: (line) => ({ path: dmaOf, args: [line.result()] }) },
  'unpin': { takes: 'PROCESS NAME', says: 'closes the descriptor of the pin that line NAME took', make: (line) => ({ path: unpinFd, args: [line.process().task, { result: line.word(1) }] }) },
  'io-uring': { takes: 'PROCESS', says: 'a fixed-buffer write through the kernel mapping of the pinned page', make: (line) => ({ path: whereHeld(ioUringFixed), args: [line.process().pinHolder, 1, 6] }) },
  'io-done': { takes: 'PROCESS', says: 'the O_DIRECT I/O in flight ends: data arrives, pages are unpinned', make: (line) => ({ path: whereHeld(ioCompletes), args: [line.process().pinHolder, 6] }) },
  'pipe-read': { takes: 'PROCESS', says: 'somebody reads the pipe', make: (line) => ({ path: whereHeld(pipeRead), args: [line.process().pinHolder] }) },
  fork: onTask(asProcess(fork, 'write'), 'fork'),
  exit: onTask(asProcess(exitTask, 'write'), 'exit'),
  munmap: { takes: 'PROCESS', says: 'unmaps its mapping', make: (line) => ({ path: asProcess(munmap, 'write'), args: [line.process().task, line.vpn(), line.vpn() + line.process().pages] }) },
  dontneed: { takes: 'PROCESS', says: 'madvise(MADV_DONTNEED)', make: (line) => ({ path: asProcess(madviseDontneed, 'read'), args: [line.process().task, line.vpn(), line.vpn() + line.process().pages] }) },
  map: { takes: 'PROCESS FILE', says: 'mmap of a file by a latecomer; its VMA', make: (line) => ({ path: mapLate, args: [line.process().task, line.inode(1), line.k.heap.load(line.inode(1) + INODE.pages)] }) },
  touch: { takes: 'PROCESS NAME', says: 'writes to the first page of the VMA that line NAME made', make: (line) => ({ path: asProcess(touchVma, 'read'), args: [line.process().task, { result: line.word(1) }] }) },
  open: { takes: 'FILE', says: 'open', make: (line) => ({ path: openLate, args: [line.inode()] }) },
  close: { takes: 'FILE', says: 'the last close', make: (line) => ({ path: closeLate, args: [line.inode()] }) },
  pagemap: walker(WALK_PAGEMAP, 'pagemap'),
  smaps: walker(WALK_SMAPS, 'smaps'),
  'numa-maps': walker(WALK_NUMA_MAPS, 'numa_maps'),
  'guest-fault': { takes: 'PROCESS [write]', says: 'KVM faults guest frame 0 in', make: (line) => ({ path: kvmPageFault, args: [line.process().vm, 0, line.has('write') ? 1 : 0] }) },
  'guest-read': { takes: 'PROCESS', says: 'the guest loads', make: (line) => ({ path: guestAccess, args: [line.process().vm, 0, 0, 0] }) },
  'guest-write': { takes: 'PROCESS', says: 'the guest stores', make: (line) => ({ path: guestAccess, args: [line.process().vm, 0, 1, 5] }) },
  stop: onTask(stopOne, 'SIGSTOP, freezer or ptrace stop'),
  continue: onTask(continueOne, 'the process runs again'),
  'let-go': onTask(letGo, 'who stopped the process has died: the kernel lets it go on'),
  detach: onTask(detachOne, 'the process replaces its mappings by empty ones and closes its files'),
  'force-pages': {
    takes: 'PROCESS DEVICE', says: 'a write to hard_offline_page for every page that its pagemap shows',
    make: (line) => ({ path: forcePages, args: [line.process().task, ...line.device(1).range] }),
  },
};

/** close of a pin's descriptor; nothing where the kernel had refused the pin. */
function* closePin(k: Kernel, task: number, fd: number): Path {
  return fd === 0 ? 0 : yield* k.call(fdClose, task, fd);
}

function* dmaOf(k: Kernel, fd: number): Path {
  return fd <= 0 ? 0 : yield* k.call(dmaTransfer, k.heap.load(fd + FD.holder), 1, 6);
}
function* unpinFd(k: Kernel, task: number, fd: number): Path {
  return fd <= 0 ? 0 : yield* k.call(fdClose, task, fd);
}

/** A holder's path, or nothing where the kernel had refused the pin. */
function whereHeld(path: (k: Kernel, holder: number, ...rest: number[]) => Path): (k: Kernel, holder: number, ...rest: number[]) => Path {
  function* held(k: Kernel, holder: number, ...rest: number[]): Path {
    return holder === 0 ? 0 : yield* k.call(path, holder, ...rest);
  }
  return held;
}

function* touchVma(k: Kernel, task: number, vma: number): Path {
  return vma < 0 ? vma : yield* k.call(userWrite, task, vmaStart(k, vma), 5);
}
