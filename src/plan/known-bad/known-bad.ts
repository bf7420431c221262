/**
 * Known defects that bear on a removal, by release and, where it can be, by what the inventory shows. From reports on
 * the kernel's lists and from measurements; each names its source.
 */
import type { Device } from '../../machine/types/device.ts';
import { parseRelease } from '../../profile/select.ts';
import type { PlanContext } from '../context.ts';

export interface KnownBad {
  readonly id: string;
  /** First and last release with it, [major, minor], inclusive; null: open. */
  readonly from: readonly [number, number] | null;
  readonly to: readonly [number, number] | null;
  /** Where only certain release strings are meant (release candidates). */
  readonly pattern?: RegExp;
  readonly kinds: readonly Device['kind'][];
  /** A further condition on the machine: the probe. */
  readonly seen?: (c: PlanContext) => boolean;
  readonly effect: string;
  readonly source: string;
}

const RAM = ['kmem', 'dimm', 'memory-block', 'virtio-mem'] as const;
const online = (c: PlanContext): boolean => c.leaves.some((l) => l.online.length > 0);

export const KNOWN_BAD: readonly KnownBad[] = [
  { id: 'remove-memory-bug', from: null, to: [4, 9], kinds: ['dimm'], seen: online, effect: 'BUG in remove_memory() when a block is online at device_del', source: 'intel/nemu issue 71' },
  { id: 'kmem-missing-range', from: [5, 10], to: [7, 0], kinds: ['kmem'], seen: (c) => c.machine.dax.some((d) => d.driver === 'kmem' && d.ranges.length > 1),
    effect: 'NULL dereference in kmem\'s remove when one of several ranges could not be added at probe', source: '<20260223201516.1517657-1-dave@stgolabs.net>' },
  { id: 'destroy-hangs', from: [5, 15], to: [5, 15], pattern: /^5\.15\.0-rc/, kinds: ['fsdax', 'raw-pmem'], effect: 'ndctl destroy-namespace hangs: del_gendisk() drains against the pagemap counter', source: '<20211018170742.GA3074@lst.de>' },
  { id: 'destroy-region-panic', from: [6, 6], to: null, kinds: ['kmem'], seen: (c) => online(c) && c.containers.some((d) => d.kind === 'cxl-region'),
    effect: 'cxl destroy-region of an older ndctl panics with the memory online; these steps do not use it', source: '<0137fb34-7291-b88b-34aa-78471d57921b@fujitsu.com>' },
  { id: 'devdax-gpf', from: [6, 11], to: [6, 11], pattern: /^6\.11\.0-rc1/, kinds: ['devdax'], effect: 'general protection fault after a device-dax namespace was destroyed', source: '<CAHj4cs9Ax1=CoJkgBGP_+sNu6-6=6v=_L-ZBZY0bVLD3wUWZQg@mail.gmail.com>' },
  { id: 'fsdax-folio-order', from: [6, 15], to: [6, 15], pattern: /^6\.15\.0-rc1/, kinds: ['fsdax', 'raw-pmem'], effect: 'the order of fsdax folios is not reset: warnings and oopses in truncate', source: '<20250410091020.119116-1-david@redhat.com>' },
  { id: 'vmemmap-leak', from: [7, 0], to: null, kinds: [...RAM, 'fsdax', 'devdax', 'raw-pmem'], seen: (c) => c.machine.kernel.arch === 'x86_64' && parseRelease(c.machine.kernel.release ?? '') !== null,
    effect: 'about 16 MB of struct pages for each GiB hot-removed may be leaked ("x86/mm: use pagetable_free()", until its fix)', source: '<20260519151008.1399226-1-qkrwngud825@gmail.com>' },
  { id: 'kmem-unbind-online', from: null, to: [7, 2], kinds: ['kmem'], seen: online, effect: 'unbinding kmem with a block online burns the range until reboot, or worse', source: '<20260712154505.3564379-10-gourry@gourry.net>' },
  { id: 'virtio-pmem-write', from: [7, 2], to: [7, 2], kinds: ['fsdax', 'raw-pmem'], seen: (c) => c.machine.virtioPmem.length > 0, effect: 'a write through a stale mapping after unbinding virtio_pmem ends in a page fault in the kernel and a lost CPU', source: 'docs/kernel-truth B 6' },
  { id: 'virtio-mem-inaccessible', from: [5, 8], to: [5, 15], kinds: ['virtio-mem'], effect: 'the driver of this kernel cannot bind to a device with unplugged-inaccessible=on (QEMU\'s default)', source: 'docs/kernel-truth B 6, 5.10' },
];

/** Entries that apply to the plan's kernel and devices, in the order of the table. */
export function knownBad(c: PlanContext): { readonly effect: string; readonly source: string }[] {
  const release = c.machine.kernel.release;
  const parsed = release === null ? null : parseRelease(release);
  if (release === null || parsed === null) return [];
  const number = parsed[0] * 1000 + parsed[1];
  const kinds = new Set(c.leaves.map((l) => l.device.kind));
  return KNOWN_BAD.filter((k) => (k.from === null || k.from[0] * 1000 + k.from[1] <= number) && (k.to === null || number <= k.to[0] * 1000 + k.to[1]) &&
    (k.pattern === undefined || k.pattern.test(release)) && k.kinds.some((kind) => kinds.has(kind)) && (k.seen === undefined || k.seen(c)))
    .map(({ effect, source }) => ({ effect, source }));
}
