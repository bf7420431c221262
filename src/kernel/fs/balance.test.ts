/** After any sequence of operations the counts balance: no reference, mapping, entry or lock is left when everybody has gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FD, fdClose, fdsOf } from './file.ts';
import { entriesIn } from './dax-entry.ts';
import { INODE, inodesOf, SB } from './inode.ts';
import { reflink, truncateFile, unlinkFile } from './truncate.ts';
import { syncFilesystem } from './sync.ts';
import { umount } from './super.ts';
import { userRead, userWrite } from '../mm/access.ts';
import { exitTask } from '../mm/exit.ts';
import { fork } from '../mm/fork.ts';
import { hardOfflinePage } from '../mm/memory-failure.ts';
import { idleCount, pagemapsOf, PGMAP } from '../mm/memremap.ts';
import { madviseDontneed, mmapFixed, munmap } from '../mm/mmap.ts';
import { mmOf, MM, vmasOf, vmaPages, vmaStart, VM_READ } from '../mm/mm_struct.ts';
import { PAGE, pageLoad } from '../mm/page.ts';
import { PIN_KINDS, pinPages } from '../mm/pin-holders.ts';
import { anonPages } from '../mm/anon.ts';
import { createFile } from '../setup/fsdax.ts';
import { addProcess, mapFile, openFile } from '../setup/process.ts';
import { run } from '../setup/run.ts';
import { eachTask, isAlive, tasksOf } from '../task.ts';
import { FsdaxScene } from '../truth/fsdax-scene.ts';
import { profile } from '../truth/clauses.ts';

const OPS = ['map', 'private', 'small', 'read', 'write', 'sync', 'fork', 'munmap', 'part', 'madvise', 'fixed', 'pin', 'unpin', 'open', 'exit', 'poison', 'truncate', 'reflink', 'unlink', 'create'] as const;
type Op = readonly [(typeof OPS)[number], number, number];

const pick = (list: readonly number[], n: number): number => (list.length === 0 ? 0 : (list[n % list.length] as number));

/** One operation on whatever `a` and `b` point at; an operation that finds nothing does nothing. */
function step(s: FsdaxScene, [op, a, b]: Op): void {
  const { k } = s;
  const tasks = [...eachTask(k)].filter((t) => isAlive(k, t));
  const files = [...inodesOf(k, s.sb)];
  const task = pick(tasks, a) || addProcess(k);
  const file = pick(files, b);
  const vma = pick([...vmasOf(k, mmOf(k, task))], b);
  const vpn = vma === 0 ? 0 : vmaStart(k, vma) + (b % vmaPages(k, vma));
  if (op === 'create') createFile(k, s.sb, { pages: [1, 4, 512][b % 3] as number, name: `n${a}` });
  else if (op === 'map' || op === 'private' || op === 'small') {
    if (file !== 0 && k.heap.load(file + INODE.pages) > 0) mapFile(k, task, file, { private: op === 'private', offBy: op === 'small' ? 1 : 0 });
  } else if (op === 'open' && file !== 0) openFile(k, task, file);
  else if (op === 'sync') run(k, syncFilesystem(k, s.sb));
  else if (op === 'fork') run(k, fork(k, task));
  else if (op === 'exit') run(k, exitTask(k, task));
  else if (op === 'truncate' && file !== 0 && k.heap.load(file + INODE.count) === 0) run(k, truncateFile(k, file, Math.floor(k.heap.load(file + INODE.pages) / 2)));
  else if (op === 'unlink' && file !== 0 && k.heap.load(file + INODE.nlink) > 0) run(k, unlinkFile(k, file));
  else if (op === 'reflink' && file !== 0) reflinkTo(s, file);
  else if (op === 'unpin') for (const fd of [...fdsOf(k, task)]) { if (k.heap.load(fd + FD.holder) !== 0) run(k, fdClose(k, task, fd)); }
  else if (vma !== 0) onVma(s, op, task, vma, vpn, b);
}

function reflinkTo(s: FsdaxScene, file: number): void {
  const pages = s.k.heap.load(file + INODE.pages);
  if (s.k.heap.load(file + INODE.iPages) === 0 || pages === 0 || pages > 4 || [...entriesIn(s.k, file, 0, pages)].length > 0) return;
  reflink(s.k, file, createFile(s.k, s.sb, { pages, extents: [], name: 'clone' }));
}

function onVma(s: FsdaxScene, op: Op[0], task: number, vma: number, vpn: number, b: number): void {
  const { k } = s;
  const [start, pages] = [vmaStart(k, vma), vmaPages(k, vma)];
  if (op === 'read') run(k, userRead(k, task, vpn), task);
  else if (op === 'write') run(k, userWrite(k, task, vpn, b + 1), task);
  else if (op === 'munmap') run(k, munmap(k, task, start, start + pages));
  else if (op === 'part') run(k, munmap(k, task, start + Math.floor(pages / 3), start + Math.ceil(pages / 2)));
  else if (op === 'madvise') run(k, madviseDontneed(k, task, start, start + pages));
  else if (op === 'fixed') run(k, mmapFixed(k, task, start, 1, 0, 0, VM_READ));
  else if (op === 'pin') run(k, pinPages(k, task, PIN_KINDS.indexOf(b % 2 === 0 ? 'vmsplice' : 'o_direct'), vpn, 1));
  else if (op === 'poison') {
    k.heap.store(tasksOf(k).earlyKill, b % 2);
    run(k, hardOfflinePage(k, s.range[0] + 576 + (b % 64)));
  }
}

/** Everybody goes; then nothing may be left of them. */
function checkBalanced(s: FsdaxScene): void {
  const { k } = s;
  for (const task of [...eachTask(k)]) if (isAlive(k, task)) assert.equal(run(k, exitTask(k, task)).oops, null);
  assert.equal(k.heap.load(s.sb + SB.files), 0);
  assert.equal(anonPages(k).used, 0, 'anonymous pages');
  assert.equal(run(k, umount(k, s.sb, 0)).rc, 0);
  assert.equal([...inodesOf(k, s.sb)].length, 0);
  const pgmap = k.heap.load(pagemapsOf(k).head);
  assert.equal(k.heap.load(pgmap + PGMAP.held), 0);
  assert.equal(k.heap.load(pgmap + PGMAP.users), 0);
  for (let pfn = s.range[0]; pfn < s.range[0] + 4096; pfn += 1) {
    const seen = [PAGE.refcount, PAGE.mapcount, PAGE.mapping, PAGE.private].map((word) => pageLoad(k, pfn, word, 'test'));
    assert.deepEqual(seen, [idleCount(k, pgmap), 0, 0, 0], `pfn ${pfn}`);
  }
  assert.equal(k.log.has('Bad page map') || k.log.has('WARNING'), false);
  for (const task of eachTask(k)) assert.equal(k.heap.load(task + MM.ptl) >= 0, true);
  assert.deepEqual(s.unbind(), { rc: 0, oops: null, hangs: null, spins: null });
}

for (const name of ['5.10', '6.12', '7.2']) {
  for (const type of ['ext4', 'xfs'] as const) {
    test(`counts balance after any sequence of operations (${name} ${type})`, () => {
      const op = fc.tuple(fc.constantFrom(...OPS), fc.nat(7), fc.nat(700));
      fc.assert(fc.property(fc.array(op, { minLength: 25, maxLength: 60 }), (ops) => {
        const s = new FsdaxScene(profile(name), { fs: { type, rmapbt: true, reflink: true } });
        for (const each of ops) step(s, each as Op);
        checkBalanced(s);
      }), { numRuns: 60, seed: 20261120 });
    });
  }
}
