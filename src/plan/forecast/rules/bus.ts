/** Hardware that leaves without the kernel being told, and hosts that refuse. */
import { aroundOf, behindCxl } from '../../facts/tree.ts';
import type { LeafFacts } from '../../facts/leaf-facts.ts';
import type { Rule } from '../rule.ts';

const onVirtio = (f: LeafFacts): boolean => aroundOf(f.machine, f.device).some((d) => d.kind === 'virtio-pmem');
const fixed = (f: LeafFacts): boolean => f.through === 'self' && !behindCxl(f.machine, f.device) && !onVirtio(f);

export const BUS_RULES: readonly Rule[] = [
  {
    id: 'virtio-pmem-pull-veto', events: ['pull'], kinds: ['fsdax', 'raw-pmem', 'btt', 'devdax'], needs: {}, when: onVirtio, effect: 'veto', whom: (f) => f.device.name, certainty: 'certain',
    because: 'the host refuses: "this virtio based memory devices cannot be unplugged"; nothing reaches the guest', source: 'docs/kernel-truth B 6 (QEMU 10)',
  },
  {
    id: 'virtio-pmem-name-held', events: ['unbind'], kinds: ['fsdax', 'raw-pmem'], needs: { 'bus.virtio-pmem-rebind': ['name-held'] }, when: (f) => onVirtio(f) && f.mounts.length > 0, effect: 'no-rebind', whom: (f) => f.device.name, certainty: 'certain',
    because: 'the old mount holds the name: binding virtio_pmem again succeeds and the block device does not come back', source: 'docs/kernel-truth B 6',
  },
  {
    id: 'fixed-pull', events: ['pull'], kinds: ['kmem', 'memory-block', 'fsdax', 'raw-pmem', 'btt', 'devdax'], through: 'self', needs: {}, when: (f) => fixed(f) && (f.online.length > 0 || f.mapped.length > 0 || f.mounts.length > 0 || f.swaps.length > 0), effect: 'reads-zero', whom: (f) => (f.online.length > 0 ? `every process with pages on ${f.device.name}` : `${f.device.name} and all who use it`), certainty: 'possible',
    because: 'no slot or eject stands for this device, so nothing would tell the kernel: loads are answered by the platform with zeroes, all ones or a machine check', source: 'not measured (docs/kernel-truth B, not run: surprise removal)',
  },
];
