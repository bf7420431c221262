/** Memory as System RAM: kmem, virtio-mem, DIMMs, single blocks. */
import type { LeafFacts } from '../../facts/leaf-facts.ts';
import { blocksUnknown } from '../../facts/sight.ts';
import type { Rule } from '../rule.ts';

const online = (f: LeafFacts): boolean => f.online.length > 0;
const blocks = (list: LeafFacts['online']): string => {
  const names = list.map((b) => `memory${b.index}`);
  return names.length > 4 ? `${names[0]} to ${names.at(-1)} (${names.length} blocks)` : names.join(', ');
};
const range = (f: LeafFacts): string => `${f.device.name}, ${blocks(f.online)}`;
const B3 = 'docs/kernel-truth B 3 (a)';

const KMEM: readonly Rule[] = [
  {
    id: 'kmem-leaks', events: ['unbind'], kinds: ['kmem'], needs: { 'ram.kmem-remove': ['if-offline'], 'ram.kmem-keeps-request-when-online': [true] }, when: online, effect: 'region-leaked', whom: range, certainty: 'certain',
    because: 'the unbind write returns 0, remove_memory() fails on an online block, and the range "cannot be hotremoved until the next reboot"; offlining it afterwards does not help; no data is lost, the blocks stay in use', source: B3,
  },
  {
    id: 'kmem-perhaps-leaks', events: ['unbind'], kinds: ['kmem'], needs: { 'ram.kmem-remove': ['if-offline'], 'ram.kmem-keeps-request-when-online': [true] }, when: (f) => blocksUnknown(f.machine, f.device), effect: 'region-leaked', whom: (f) => f.device.name, certainty: 'possible',
    because: 'its memory blocks cannot be seen; if one of them is online, the range "cannot be hotremoved until the next reboot"', source: B3,
  },
  {
    id: 'kmem-no-remove', events: ['unbind'], kinds: ['kmem'], needs: { 'ram.kmem-remove': ['none'] }, when: () => true, effect: 'region-leaked', whom: range, certainty: 'certain',
    because: 'kmem\'s remove does nothing on this kernel: the range stays claimed, online or not', source: 'drivers/dax/kmem.c 5.2',
  },
  {
    id: 'kmem-no-rebind', events: ['unbind'], kinds: ['kmem'], needs: {}, when: online, effect: 'no-rebind', whom: (f) => f.device.name, certainty: 'certain',
    because: 'the resource stays busy: every later bind to kmem or device_dax ends with EBUSY', source: B3,
  },
  {
    id: 'kmem-cxl-zero', events: ['unbind', 'pull'], kinds: ['kmem'], through: 'cxl', needs: { 'bus.cxl-teardown-asks-memory': [false] }, when: online, effect: 'reads-zero', whom: (f) => `every process with pages on ${range(f)}`, certainty: 'certain',
    because: 'nothing refuses: the decoder is torn down under online blocks and processes read zeroes instead of their data, without a signal (zeroes under QEMU; real hardware may differ)', source: 'docs/kernel-truth B 8, System RAM online',
  },
  {
    id: 'kmem-cxl-perhaps-zero', events: ['unbind', 'pull'], kinds: ['kmem'], through: 'cxl', needs: { 'bus.cxl-teardown-asks-memory': [false] }, when: (f) => blocksUnknown(f.machine, f.device), effect: 'reads-zero', whom: (f) => `every process with pages on ${f.device.name}`, certainty: 'possible',
    because: 'its memory blocks cannot be seen; if one of them is online, nothing refuses: the decoder is torn down under it and processes read zeroes instead of their data, without a signal', source: 'docs/kernel-truth B 8, System RAM online',
  },
  {
    id: 'kmem-cxl-allocator', events: ['unbind', 'pull'], kinds: ['kmem'], through: 'cxl', needs: { 'bus.cxl-teardown-asks-memory': [false] }, when: online, effect: 'allocator-continues', whom: range, certainty: 'certain',
    because: 'the blocks stay online and new allocations keep landing in memory that is gone', source: 'docs/kernel-truth B 8, System RAM online',
  },
  {
    id: 'kmem-cxl-pull-leaks', events: ['pull'], kinds: ['kmem'], through: 'cxl', needs: { 'ram.kmem-keeps-request-when-online': [true] }, when: online, effect: 'region-leaked', whom: range, certainty: 'certain',
    because: '"removing memory fails, because memory is onlined": the range cannot be used again until reboot', source: 'docs/kernel-truth B 8, PCIe hot-unplug',
  },
  {
    id: 'kmem-cxl-pull-no-rebind', events: ['pull'], kinds: ['kmem'], through: 'cxl', needs: {}, when: online, effect: 'no-rebind', whom: (f) => `the next card at the addresses of ${f.device.name}`, certainty: 'certain',
    because: 'the resource stays busy: a region that is made over the same addresses cannot give its memory to kmem', source: 'docs/kernel-truth B 8, PCIe hot-unplug, with B 3 (a), bind again',
  },
];

const VIRTIO: readonly Rule[] = [
  {
    id: 'virtio-mem-no-rebind', events: ['unbind'], kinds: ['virtio-mem'], needs: { 'bus.virtio-mem-rebind': ['refused'] }, when: (f) => f.device.blocks.length > 0, effect: 'no-rebind', whom: (f) => `${f.device.name}: the host can neither grow nor shrink it until reboot`, certainty: 'certain',
    because: '"device still has system memory added": the write returns 0 and the memory stays in use, no data is lost; the next bind says "could not reserve device region", "reloading the driver is not supported"', source: 'docs/kernel-truth B 6',
  },
  {
    id: 'virtio-mem-pull-veto', events: ['pull'], kinds: ['virtio-mem'], needs: {}, when: (f) => f.device.blocks.length > 0, effect: 'veto', whom: (f) => f.device.name, certainty: 'certain',
    because: 'the host refuses: "virtio-mem device cannot get unplugged while some of its memory is still plugged"', source: 'docs/kernel-truth B 6 (QEMU 10)',
  },
];

const EJECT: readonly Rule[] = [
  {
    id: 'dimm-unmovable', events: ['unbind', 'pull'], kinds: ['dimm'], needs: { 'bus.acpi-eject-offlines': [true], 'bus.acpi-eject-on-unmovable': ['busy'] }, when: (f) => f.unmovable.length > 0, effect: 'veto', whom: (f) => blocks(f.unmovable), certainty: 'certain',
    because: 'the kernel offlines the blocks itself, meets a page that cannot move, and answers the eject with device busy (_OST 0x82)', source: 'docs/kernel-truth B 7',
  },
  {
    id: 'dimm-maybe-unmovable', events: ['unbind', 'pull'], kinds: ['dimm'], needs: { 'bus.acpi-eject-offlines': [true] }, when: (f) => f.unmovable.length === 0 && f.maybeUnmovable.length > 0, effect: 'veto', whom: (f) => blocks(f.maybeUnmovable), certainty: 'likely',
    because: 'blocks outside ZONE_MOVABLE get slab and page-table pages within a second of being onlined; the eject then says device busy (_OST 0x82)', source: 'docs/kernel-truth B 7 and B 3 (c)',
  },
  {
    id: 'dimm-pinned', events: ['unbind', 'pull'], kinds: ['dimm'], needs: { 'ram.offline-retries': ['until-signal'] }, when: online, effect: 'never-ends', whom: (f) => blocks(f.online), certainty: 'possible',
    because: 'a page in a pipe or in I/O keeps its block in going-offline for ever, without a veto; the eject completes when the pin goes. Such pins cannot be seen', source: 'docs/kernel-truth B 7',
  },
];

const BLOCK: readonly Rule[] = [
  {
    id: 'block-foreign', events: ['unbind'], kinds: ['memory-block'], needs: { 'block.hole-check': ['resource-walk', 'pg-reserved'] }, when: (f) => f.obstacles.some((o) => o.reason === 'block-has-hole' || o.reason === 'block-has-pmem'), effect: 'veto', whom: (f) => blocks(f.online), certainty: 'certain',
    because: 'the block holds a hole or other than System RAM: offline says EINVAL at once and logs nothing', source: 'docs/kernel-truth B 4 and B 5',
  },
  {
    id: 'block-zones', events: ['unbind'], kinds: ['memory-block'], needs: {}, when: (f) => f.obstacles.some((o) => o.reason === 'block-spans-zones' || o.reason === 'block-spans-nodes'), effect: 'veto', whom: (f) => blocks(f.online), certainty: 'certain',
    because: 'the block spans two zones or two nodes: offline says EINVAL and logs nothing', source: 'docs/kernel-truth B 5',
  },
  {
    id: 'block-unmovable', events: ['unbind'], kinds: ['memory-block'], needs: { 'ram.unmovable-page-fails-offline': [true] }, when: (f) => f.unmovable.length > 0, effect: 'veto', whom: (f) => blocks(f.unmovable), certainty: 'certain',
    because: 'it holds pages that cannot move: offline says EBUSY at once ("page dumped because: unmovable page")', source: 'docs/kernel-truth B 3 (c)',
  },
  {
    id: 'block-maybe-unmovable', events: ['unbind'], kinds: ['memory-block'], needs: { 'ram.unmovable-page-fails-offline': [true] }, when: (f) => f.unmovable.length === 0 && f.maybeUnmovable.length > 0, effect: 'veto', whom: (f) => blocks(f.maybeUnmovable), certainty: 'possible',
    because: 'a block outside ZONE_MOVABLE may hold kernel pages; offline then says EBUSY', source: 'docs/kernel-truth B 5',
  },
  {
    id: 'block-pinned', events: ['unbind'], kinds: ['memory-block'], needs: { 'ram.offline-retries': ['until-signal'] }, when: (f) => online(f) && f.obstacles.length === 0, effect: 'never-ends', whom: (f) => blocks(f.online), certainty: 'possible',
    because: 'a page in a pipe or in I/O makes the write to state retry until a signal comes; such pins cannot be seen', source: 'docs/kernel-truth B 3 (c), vmsplice row',
  },
];

export const RAM_RULES: readonly Rule[] = [...KMEM, ...VIRTIO, ...EJECT, ...BLOCK];
