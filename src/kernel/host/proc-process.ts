/** /proc/PID of the simulated kernel (fs/proc/base.c, task_mmu.c, fd.c; the forms are the same from 5.10 to 7.2). */
import { FD, fdsOf } from '../fs/file.ts';
import { INODE } from '../fs/inode.ts';
import { vmaLeaves } from '../mm/memory.ts';
import { mmOf, VMA, vmaEnd, vmasOf, vmaStart, VM_LOCKED, VM_READ, VM_SHARED, VM_WRITE } from '../mm/mm_struct.ts';
import { levelPages, PTE_ANON, PTE_PRESENT } from '../mm/pgtable.ts';
import { fsTask, isAlive, leaderOf, parentOf, TASK, TASK_OOPSED, TASK_STOPPED, taskPid, taskState } from '../task.ts';
import { threadsOf } from '../thread-group.ts';
import type { Kernel } from '../kernel.ts';
import { fdInfoText, fdView } from './fd-view.ts';
import { directory, file, link, listing, type DirectoryNode, type FileNode, type Node } from './vfs.ts';
import { inodeView, namespaceOfTask, type World } from './world.ts';
import { mountinfo } from './proc-mounts.ts';

const PAGE = 4096;
const hex = (n: number, width = 0): string => n.toString(16).padStart(width, '0');

/** The state letter of stat and status. */
const stateLetter = (k: Kernel, task: number): string => {
  const state = taskState(k, task);
  return state === TASK_STOPPED ? 't' : state === TASK_OOPSED ? 'X' : 'S';
};

const decimal = (dev: string): string => dev.split(':').map((part) => hex(Number(part), 2)).join(':');

/** Text of maps, in address order. Harmless whatever the VMAs map. */
export function mapsText(world: World, task: number): string {
  const { k } = world;
  const mm = mmOf(k, task);
  if (mm === 0) return '';
  const vmas = [...vmasOf(k, mm)].sort((a, b) => vmaStart(k, a) - vmaStart(k, b));
  return vmas.map((vma) => {
    const flags = k.heap.load(vma + VMA.flags);
    const inode = k.heap.load(vma + VMA.inode);
    const perms = `${(flags & VM_READ) !== 0 ? 'r' : '-'}${(flags & VM_WRITE) !== 0 ? 'w' : '-'}-${(flags & VM_SHARED) !== 0 ? 's' : 'p'}`;
    const view = inode === 0 ? { dev: '0:0', ino: 0, path: '' } : inodeView(world, inode, namespaceOfTask(world, task));
    const range = `${hex(vmaStart(k, vma) * PAGE, 8)}-${hex(vmaEnd(k, vma) * PAGE, 8)}`;
    const left = `${range} ${perms} ${hex(k.heap.load(vma + VMA.pgoff) * PAGE, 8)} ${decimal(view.dev)} ${view.ino} `;
    return view.path === '' ? `${left}\n` : `${left.padEnd(73)}${view.path}\n`;
  }).join('');
}

/** Field 22 of stat, in clock ticks: tasks start a tick apart in the order of their pids. */
export const startTime = (k: Kernel, task: number): number => 1000 + taskPid(k, task);

const livingThreads = (k: Kernel, task: number): number[] => [...threadsOf(k, task)].filter((thread) => isAlive(k, thread) || taskState(k, thread) === TASK_OOPSED);

function statText(k: Kernel, task: number): string {
  const pid = taskPid(k, task);
  const parent = parentOf(k, leaderOf(k, task));
  const comm = k.names.text(k.heap.load(task + TASK.comm));
  return `${pid} (${comm}) ${stateLetter(k, task)} ${parent === 0 ? 1 : taskPid(k, parent)} ${pid} ${pid} 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 ${livingThreads(k, task).length} 0 ${startTime(k, task)} 9420800 1187 18446744073709551615${' 0'.repeat(27)}\n`;
}

function statusText(k: Kernel, task: number): string {
  const comm = k.names.text(k.heap.load(task + TASK.comm));
  const pid = taskPid(k, task);
  let locked = 0;
  const mm = mmOf(k, task);
  if (mm !== 0) for (const vma of vmasOf(k, mm)) if ((k.heap.load(vma + VMA.flags) & VM_LOCKED) !== 0) locked += (vmaEnd(k, vma) - vmaStart(k, vma)) * 4;
  const parent = parentOf(k, leaderOf(k, task));
  const lines = [
    `Name:\t${comm}`, 'Umask:\t0022', `State:\t${stateLetter(k, task)} (${stateLetter(k, task) === 't' ? 'tracing stop' : 'sleeping'})`, `Tgid:\t${taskPid(k, leaderOf(k, task))}`, `Pid:\t${pid}`,
    `PPid:\t${parent === 0 ? 1 : taskPid(k, parent)}`, 'TracerPid:\t0', 'Uid:\t0\t0\t0\t0', 'Gid:\t0\t0\t0\t0', `NSpid:\t${pid}`, `VmLck:\t${locked} kB`, 'VmPin:\t0 kB', `Threads:\t${livingThreads(k, task).length}`, 'Seccomp:\t0',
    'CapEff:\t000001ffffffffff',
  ];
  return `${lines.join('\n')}\n`;
}

function fds(world: World, task: number): { links: DirectoryNode; infos: DirectoryNode } {
  const { k } = world;
  const find = (name: string): number => [...fdsOf(k, task)].find((fd) => String(k.heap.load(fd + FD.number)) === name) ?? 0;
  const names = (): string[] => ['0', '1', '2', ...[...fdsOf(k, task)].map((fd) => String(k.heap.load(fd + FD.number)))];
  const standard = (name: string): boolean => name === '0' || name === '1' || name === '2';
  return {
    links: listing(names, (name) => (standard(name) ? link('/dev/null') : find(name) === 0 ? null : link(fdView(world, task, find(name)).target))),
    infos: listing(names, (name) => (standard(name) || find(name) !== 0 ? file(() => fdInfoText(world, task, find(name))) : null)),
  };
}

/** pagemap: bit 63 present, bit 61 file page, pfn below bit 55. A stale entry leads the walker into freed struct pages. */
function pagemap(k: Kernel, task: number): FileNode {
  return {
    type: 'file',
    read: () => new Uint8Array(0),
    readAt: (offset, into) => {
      const view = new DataView(into.buffer, into.byteOffset, into.byteLength - (into.byteLength % 8));
      const first = Math.floor(offset / 8);
      const count = view.byteLength / 8;
      into.fill(0);
      const mm = mmOf(k, task);
      if (mm === 0) return view.byteLength;
      for (const vma of vmasOf(k, mm)) {
        if (vmaEnd(k, vma) <= first || vmaStart(k, vma) >= first + count) continue;
        for (const { vpn, leaf } of vmaLeaves(k, vma)) {
          if ((leaf.flags & PTE_PRESENT) === 0) continue;
          for (let i = 0; i < leaf.count * levelPages(leaf.level); i += 1) {
            const at = vpn + i - first;
            if (at < 0 || at >= count) continue;
            const anon = (leaf.flags & PTE_ANON) !== 0;
            const pfn = anon ? 0 : leaf.pfn + i;
            view.setUint32(at * 8, pfn % 0x100000000, true);
            view.setUint32(at * 8 + 4, ((anon ? 0x80000000 : 0xa0000000) | Math.floor(pfn / 0x100000000)) >>> 0, true);
          }
        }
      }
      return view.byteLength;
    },
  };
}

const place = (world: World, task: number, word: number): string => {
  const inode = world.k.heap.load(fsTask(world.k, task) + word);
  return inode === 0 ? '/' : inodeView(world, inode, namespaceOfTask(world, task)).path;
};

/** map_files: links by range; following one gives the file's size in bytes. */
function mapFiles(world: World, task: number): DirectoryNode {
  const { k } = world;
  const vmas = (): number[] => (mmOf(k, task) === 0 ? [] : [...vmasOf(k, mmOf(k, task))].filter((vma) => k.heap.load(vma + VMA.inode) !== 0));
  const name = (vma: number): string => `${hex(vmaStart(k, vma) * PAGE)}-${hex(vmaEnd(k, vma) * PAGE)}`;
  return listing(() => vmas().map(name), (wanted): Node | null => {
    const vma = vmas().find((v) => name(v) === wanted);
    if (vma === undefined) return null;
    return { type: 'file', size: k.heap.load(k.heap.load(vma + VMA.inode) + INODE.pages) * PAGE, read: () => ({ errno: 'EACCES' }) };
  });
}

/** The directory of one process; null when it is gone. */
export function processDirectory(world: World, task: number): DirectoryNode | null {
  const { k } = world;
  if (!isAlive(k, task) && taskState(k, task) !== TASK_OOPSED) return null;
  const descriptors = fds(world, task);
  const namespace = namespaceOfTask(world, task);
  return directory({
    cgroup: file(() => '0::/\n'),
    cmdline: file(() => `${(world.commandOf.get(task) ?? k.names.text(k.heap.load(task + TASK.comm))).replaceAll(' ', '\0')}\0`),
    comm: file(() => `${k.names.text(k.heap.load(task + TASK.comm))}\n`),
    cwd: link(place(world, task, TASK.cwd)),
    exe: link('/usr/bin/holder'),
    fd: descriptors.links,
    fdinfo: descriptors.infos,
    limits: file(() => 'Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 1048576              files     \n'),
    map_files: mapFiles(world, task),
    maps: file(() => mapsText(world, task)),
    mountinfo: file(() => mountinfo(world, namespace)),
    ns: directory({ mnt: link(`mnt:[${namespace}]`), pid: link('pid:[4026531836]'), user: link('user:[4026531837]') }),
    pagemap: pagemap(k, task),
    root: link(place(world, task, TASK.root)),
    stat: file(() => statText(k, task)),
    status: file(() => statusText(k, task)),
    task: listing(() => livingThreads(k, task).map((thread) => String(taskPid(k, thread))), (name) => {
      const thread = livingThreads(k, task).find((one) => String(taskPid(k, one)) === name);
      return thread === undefined ? null : processDirectory(world, thread);
    }),
  });
}
