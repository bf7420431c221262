/** The ranges of a machine, from its /proc/iomem: System RAM, persistent memory, and what else has struct pages. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Host } from '../../host/host.ts';
import { readMachine } from '../../machine/read.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Resource } from '../../machine/types/address-map.ts';
import { geometryOf } from '../../range/units.ts';
import type { LayoutMachine, LayoutRange } from './types.ts';

/** Throws UNSUPPORTED where the addresses are hidden or the architecture is not known here. */
export function layoutOfMachine(host: Host): { readonly machine: LayoutMachine; readonly ranges: readonly LayoutRange[] } {
  const machine = readMachine(host, { rivals: false });
  const { arch, pageSize } = machine.kernel;
  const geometry = arch === null || pageSize === null ? null : geometryOf(arch, pageSize);
  if (geometry === null) throw new UnseatError('UNSUPPORTED', 'sections of this architecture or page size are not known here', { seen: `${arch ?? '?'}, pages of ${pageSize ?? '?'} bytes`, next: 'Give the ranges on the command line.' });
  if (machine.addressMap.hidden || machine.addressMap.resources.length === 0) {
    throw new UnseatError('UNSUPPORTED', '/proc/iomem shows no addresses to this user', { next: 'Run as root, or give the ranges on the command line.' });
  }
  return { machine: { geometry, blockSize: machine.memory.blockSize ?? geometry.sectionSize }, ranges: rangesOf(machine) };
}

function rangesOf(machine: Machine): LayoutRange[] {
  return machine.addressMap.resources.flatMap((r): LayoutRange[] => {
    if (r.name.startsWith('System RAM')) return [{ start: r.start, end: r.end, kind: 'ram', text: r.name }];
    if (r.name.startsWith('Persistent Memory')) return [{ start: r.start, end: r.end, kind: 'pmem', text: r.name }];
    return ramInside(r);
  });
}

/** System RAM below a driver's range: virtio-mem, CXL windows. */
const ramInside = (r: Resource): LayoutRange[] => r.children.flatMap((child): LayoutRange[] =>
  (child.name.startsWith('System RAM') ? [{ start: child.start, end: child.end, kind: 'ram', text: child.name }] : ramInside(child)));
