/**
 * What must hold of every litmus machine when all its threads have ended: nothing stays locked, nothing is held that
 * nobody has, and what was bound, unbound or switched is whole. Looked at after every interleaving, asked for or not.
 */
import { VM } from '../../kernel/drivers/virtio/virtio_mem.ts';
import { IORESOURCE_EXCLUSIVE, IORESOURCE_MEM, RES } from '../../kernel/resource.ts';
import { MEMDEV } from '../../kernel/drivers/cxl/cxl.ts';
import { DEV, deviceDriver, driverCore } from '../../kernel/drivers/base/bus.ts';
import { daxAlive, DAXDEV } from '../../kernel/drivers/dax/super.ts';
import { HP } from '../../kernel/drivers/pci/pciehp.ts';
import { INDICATOR, SLOT, SLOT_KIND } from '../../kernel/drivers/pci/slot.ts';
import { DAX_DIRTY, DAX_EMPTY, DAX_LOCKED, DAX_PRESENT, DAX_ZERO_PAGE, findEntry } from '../../kernel/fs/dax-entry.ts';
import { FD, fdsOf } from '../../kernel/fs/file.ts';
import { fsPart, INODE, SB, SB_BORN } from '../../kernel/fs/inode.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { brokenInvariants } from '../../kernel/mm/invariants.ts';
import { hotplug } from '../../kernel/mm/memory_hotplug/hotplug.ts';
import { idleCount, pagemapsOf, PGMAP } from '../../kernel/mm/memremap.ts';
import { vmaLeaves } from '../../kernel/mm/memory.ts';
import { MM, mmOf, VMA, vmasOf } from '../../kernel/mm/mm_struct.ts';
import { compoundHead, memmapPresent, PAGE, pageLoad } from '../../kernel/mm/page.ts';
import { HOLDER } from '../../kernel/mm/pin-holders.ts';
import { physWrite } from '../../kernel/mm/physmem.ts';
import { eachTask, TASK, TASK_DEAD } from '../../kernel/task.ts';
import { inKernel } from './in-kernel.ts';
import { PTE_WRITE } from '../../kernel/mm/pgtable.ts';
import { KVM } from '../../kernel/virt/kvm.ts';
import { someEntry } from './entries.ts';
import type { Subjects } from './subjects.ts';
import type { RamHandle } from './machine-ram.ts';
import { deviceWhole } from './rest-devices.ts';
import type { Litmus } from './schema.ts';

/** Present and writable, in an entry of a guest. */
const SPTE_WRITABLE = 3;

/** Null, or what is wrong, for people. */
export type RestCheck = (k: Kernel) => string | null;

/** The checks by the names that `expect` uses. */
export const REST_NAMES = ['rest locks', 'rest pages', 'rest dirty', 'rest files', 'rest devices', 'rest memory', 'rest slots'] as const;

export function restChecks(s: Subjects, test: Litmus): Readonly<Record<(typeof REST_NAMES)[number], RestCheck>> {
  return { 'rest locks': locks(s), 'rest pages': pages(s, test), 'rest dirty': dirty(s), 'rest files': files(s, test), 'rest devices': deviceWhole(s, test), 'rest memory': memory(s, test), 'rest slots': slots(s) };
}

function locks({ built, processes }: Subjects): RestCheck {
  return (k) => {
    if (k.heap.load(driverCore(k).hotplugLock) !== 0 || k.heap.load(hotplug(k).lock) !== 0) return 'a hotplug lock is held';
    if (k.heap.load(pagemapsOf(k).irqsOff) !== 0) return 'interrupts are off';
    for (const device of built.devices.values()) if (device.dev !== 0 && k.heap.load(device.dev + DEV.lock) !== 0) return 'a device lock is held';
    for (const device of built.devices.values()) {
      if (device.kind !== 'pmem' || device.sb === 0) continue;
      if (k.heap.load(device.sb + SB.sUmount) !== 0 && k.heap.load(device.sb + SB.mounts) > 0) return 's_umount is held';
      if (k.heap.load(k.heap.load(device.sb + SB.daxDev) + DAXDEV.srcu) !== 0) return 'dax_read_lock is held';
      const left = superBlockLeft(k, device.sb);
      if (left !== null) return left;
    }
    for (let pgmap = k.heap.load(pagemapsOf(k).head); pgmap !== 0; pgmap = k.heap.load(pgmap + PGMAP.next)) {
      if (k.heap.load(pgmap + PGMAP.users) !== 0) return 'a pagemap is held';
    }
    for (const inode of built.files.values()) {
      if (k.heap.load(inode + INODE.sb) === 0) continue;
      if (k.heap.load(inode + INODE.invalidateLock) !== 0) return 'invalidate_lock is held';
      for (let page = 0; page < k.heap.load(inode + INODE.pages); page += 1) {
        const entry = findEntry(k, inode, page);
        if (entry !== 0 && (k.heap.load(entry + 1) & DAX_LOCKED) !== 0) return 'a dax entry is locked';
      }
    }
    for (const { task } of processes.values()) {
      if (inKernel(k, task)) return 'mmap_lock is held';
      const mm = mmOf(k, task);
      if (mm !== 0 && k.heap.load(mm + MM.ptl) !== 0) return 'a page-table lock is held';
    }
    return null;
  };
}

/** A dax device that is dead tells nobody any more; a file system that was unmounted has let go of its device and of everything. */
function superBlockLeft(k: Kernel, sb: number): string | null {
  const dax = k.heap.load(sb + SB.daxDev);
  const told = k.heap.load(dax + DAXDEV.ops) !== 0 || k.heap.load(dax + DAXDEV.holder) !== 0;
  if (!daxAlive(k, dax) && told) return 'a dead dax device has a holder';
  if (k.heap.load(sb + SB.mounts) > 0 || k.heap.load(sb + SB.files) > 0) return null;
  if (k.heap.load(sb + SB.sUmount) !== 0) return 's_umount is held';
  if ((k.heap.load(sb + SB.flags) & SB_BORN) !== 0) return 'an unmounted file system is alive';
  for (let other = k.heap.load(fsPart(k).head); other !== 0; other = k.heap.load(other + SB.next)) if (other === sb) return 'an unmounted file system is listed';
  return daxAlive(k, dax) && (told || k.heap.load(dax + DAXDEV.sb) === sb) ? 'an unmounted file system holds its device' : null;
}

/** References on device pages belong to somebody: to mappings that are there, or to pins that are there. */
function pages(s: Subjects, test: Litmus): RestCheck {
  // A line that takes a reference and keeps it is the test's own matter.
  const kept = Object.values(test.threads).flat().some((line) => /^(gup|p2p-alloc|pin )|= (gup|pin|p2p-alloc)/.test(line)) && !Object.values(test.threads).flat().some((line) => /^(put|unpin|p2p-free) /.test(line));
  const holders = [...s.processes.values()].map((p) => p.pinHolder).filter((h) => h !== 0);
  return (k) => {
    if (kept || holders.some((h) => k.heap.load(h + HOLDER.count) > 0)) return null;
    for (const device of s.built.devices.values()) {
      if (device.kind === 'pages') {
        const used = memmapPresent(k, device.range[0]) ? handedOut(k, device.range) : null;
        if (used !== null) return used;
        continue;
      }
      if ((device.kind !== 'pmem' && device.kind !== 'devdax') || deviceDriver(k, device.dev) === 0) continue;
      for (let pfn = device.range[0] + 32; pfn < Math.min(device.range[1], device.range[0] + 224); pfn += 1) {
        if (!memmapPresent(k, pfn)) break;
        // A count below zero is what a stale entry leaves (bad-page-map).
        if (pageLoad(k, pfn, PAGE.mapcount, 'rest') >= 0 && extraReferences(k, pfn) !== 0) return `page ${pfn - device.range[0]} is referenced by nobody`;
      }
    }
    return null;
  };
}

/** Pages that a driver handed out: each in use is in the page tables of somebody. */
function handedOut(k: Kernel, [start, end]: readonly [number, number]): string | null {
  const mapped = new Set<number>();
  for (const task of eachTask(k)) {
    const mm = mmOf(k, task);
    if (mm === 0) continue;
    for (const vma of vmasOf(k, mm)) for (const { leaf } of vmaLeaves(k, vma)) mapped.add(leaf.pfn);
  }
  for (let pfn = start; pfn < end; pfn += 1) {
    const idle = pageLoad(k, pfn, PAGE.refcount, 'rest') === idleCount(k, pageLoad(k, pfn, PAGE.pgmap, 'rest'));
    if (idle === mapped.has(pfn) || idle !== (pageLoad(k, pfn, PAGE.mapcount, 'rest') === 0)) return `page ${pfn - start} of the device is ${idle ? 'mapped and free' : 'in use by nobody'}`;
  }
  return null;
}

/** References beyond those of an idle page and of its mappings. */
function extraReferences(k: Kernel, pfn: number): number {
  const head = compoundHead(k, pfn, 'rest');
  const mappings = k.mechanism('fsdax.mapping-counts') === 'folio' ? pageLoad(k, head, PAGE.mapcount, 'rest') : 0;
  return pageLoad(k, head, PAGE.refcount, 'rest') - mappings - idleCount(k, pageLoad(k, head, PAGE.pgmap, 'rest'));
}

/** A page that its file takes for clean can be written by nobody without a fault: neither by a process nor by a guest. */
function dirty({ built, processes }: Subjects): RestCheck {
  const bad = DAX_LOCKED | DAX_DIRTY | DAX_EMPTY | DAX_ZERO_PAGE;
  return (k) => {
    const clean = new Set<number>();
    for (const [name, inode] of built.files) {
      const device = built.devices.get(built.deviceOfFile.get(name) ?? '');
      if (device === undefined || deviceDriver(k, device.dev) === 0 || k.heap.load(inode + INODE.sb) === 0) continue;
      for (let page = 0; page < k.heap.load(inode + INODE.pages); page += 1) {
        const entry = findEntry(k, inode, page);
        if (entry !== 0 && (k.heap.load(entry + 1) & DAX_PRESENT) !== 0 && (k.heap.load(entry + 1) & bad) === 0) clean.add(k.heap.load(entry));
      }
    }
    if (clean.size === 0) return null;
    if (someEntry(k, (pfn, flags) => (flags & PTE_WRITE) !== 0 && clean.has(pfn))) return 'a clean page is writable';
    for (const { vm, pages: frames } of processes.values()) {
      for (let gfn = 0; vm !== 0 && gfn < frames; gfn += 1) {
        const entry = k.heap.load(vm + KVM.table) + 2 * gfn;
        if ((k.heap.load(entry + 1) & SPTE_WRITABLE) === SPTE_WRITABLE && clean.has(k.heap.load(entry))) return 'a clean page is writable by a guest';
      }
    }
    return null;
  };
}

/** Uses of an inode are mappings, descriptors and directories of processes that live; the dead have none. */
function files({ built }: Subjects, test: Litmus): RestCheck {
  const opens = Object.values(test.threads).flat().some((line) => /^(open|close|evict) /.test(line));
  return (k) => {
    const uses = new Map<number, number>();
    const add = (inode: number): void => void (inode !== 0 && uses.set(inode, (uses.get(inode) ?? 0) + 1));
    for (const task of eachTask(k)) {
      if (k.heap.load(task + TASK.state) === TASK_DEAD && k.heap.load(task + TASK.mm) !== 0) return 'a dead process has an mm';
      const mm = mmOf(k, task);
      if (mm !== 0) for (const vma of vmasOf(k, mm)) add(k.heap.load(vma + VMA.inode));
      for (const fd of fdsOf(k, task)) add(k.heap.load(fd + FD.inode));
      add(k.heap.load(task + TASK.cwd));
    }
    if (opens) return null;
    for (const inode of built.files.values()) {
      if (k.heap.load(inode + INODE.sb) !== 0 && k.heap.load(inode + INODE.count) !== (uses.get(inode) ?? 0)) return `an inode is used ${k.heap.load(inode + INODE.count)} times, by ${uses.get(inode) ?? 0}`;
    }
    return null;
  };
}

function memory({ built }: Subjects, test: Litmus): RestCheck {
  // Struct pages that are pulled away are no act of the kernel.
  if (Object.values(test.threads).flat().some((line) => line.startsWith('lose-memmap ')) || ![...built.devices.values()].some((d) => d.kind === 'ram')) return () => null;
  const before = new Set(brokenInvariants(built.k));
  // Kernels that hot-plug whole sections mark more of them than the device has.
  const whole = built.k.mechanism('section.hotplug-unit') === 'section';
  const lent = [...built.devices.values()].filter((d) => d.kind === 'ram' && d.virtioMem !== 0) as RamHandle[];
  return (k) => lent.map((ram) => virtioMemWrong(k, ram)).find((wrong) => wrong !== null) ?? brokenInvariants(k).find((line) => !before.has(line) && !(whole && line.endsWith('marked true, 0 resources'))) ?? null;
}

function virtioMemWrong(k: Kernel, { dev, virtioMem }: RamHandle): string | null {
  const [alive, removing, resource, working] = [VM.alive, VM.removing, VM.resource, VM.working].map((word) => k.heap.load(virtioMem + word)) as [number, number, number, number];
  if (deviceDriver(k, dev) === 0) return alive !== 0 || working !== 0 ? 'virtio_mem works without its driver' : null;
  return alive === 0 || removing !== 0 || resource === 0 || k.heap.load(resource + RES.flags) !== (IORESOURCE_MEM | IORESOURCE_EXCLUSIVE) ? 'virtio_mem is bound and does not work' : null;
}

/** A slot without power has no device and shows that its card may be pulled; one with power has both. */
function slots({ built }: Subjects): RestCheck {
  if (built.slots.size === 0) return () => null;
  const cards = [...built.devices.values()].filter((d) => d.kind === 'ram');
  return (k) => {
    for (const slot of built.slots.values()) {
      const [power, dev, indicator, state] = [SLOT.power, SLOT.dev, SLOT.indicator, SLOT.state].map((word) => k.heap.load(slot + word)) as [number, number, number, number];
      if (k.heap.load(slot + SLOT.events) !== 0) return 'an event was not handled';
      if (power !== 0 && k.heap.load(slot + SLOT.adapter) === 0) return 'power, and no card';
      if ((power === 0) !== (dev === 0)) return power === 0 ? 'no power, and a device' : 'power, and no device';
      // The five seconds of a press may be running when nobody lets time go by any more.
      const pressed = state === (power === 0 ? HP.blinkingOn : HP.blinkingOff);
      const shows = pressed ? INDICATOR.blinking : power === 0 ? INDICATOR.off : INDICATOR.on;
      const native = k.heap.load(slot + SLOT.kind) === SLOT_KIND.pciehp;
      if (indicator !== shows || (k.heap.load(slot + SLOT.deadline) !== 0) !== pressed || (native && !pressed && state !== (power === 0 ? HP.off : HP.on))) return 'the slot does not show what it is';
      if (power === 0 && cards.some((card) => card.kind === 'ram' && card.memdev !== 0 && deviceDriver(k, k.heap.load(card.memdev + MEMDEV.dev)) !== 0)) return 'no power, and a driver has the card';
      if (power === 0 && cards.some((card) => physWrite(k, card.range[0]))) return 'no power, and the card answers';
    }
    return null;
  };
}

