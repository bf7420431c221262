/** A device while it is put together: what its own reader knows; relations and unions come after (nesting.ts). */
import { rangeSize, type PhysRange } from '../../range/phys-range.ts';
import type { Machine } from '../machine.ts';
import type { Device, DeviceKind } from '../types/device.ts';

/** The parts of the inventory that devices are made from. */
export type Parts = Pick<Machine, 'memory' | 'nvdimm' | 'dax' | 'cxl' | 'virtioMem' | 'virtioPmem' | 'dimms' | 'slots' | 'blockDevices' | 'mounts' | 'swaps' | 'overlays' | 'exports'>;

export interface DraftFacts {
  readonly aliases?: readonly (string | null)[];
  readonly ranges?: readonly PhysRange[];
  readonly size?: number | null;
  readonly use: string;
  readonly deviceNumbers?: readonly (string | null)[];
  readonly blocks?: readonly number[];
  readonly nodes?: readonly (number | null)[];
  readonly contains?: readonly string[];
  readonly driver?: string | null;
  readonly path: string;
}

const present = <T>(values: readonly (T | null)[] | undefined): T[] => [...new Set((values ?? []).filter((v): v is T => v !== null))];

export function draft(kind: DeviceKind, name: string, facts: DraftFacts, idName = name): Device {
  const ranges = facts.ranges ?? [];
  return {
    id: `${kind}:${idName}`,
    kind,
    name,
    aliases: present(facts.aliases).filter((alias) => alias !== name),
    ranges,
    size: facts.size ?? ranges.reduce((sum, r) => sum + rangeSize(r), 0),
    use: facts.use,
    deviceNumbers: present(facts.deviceNumbers),
    blocks: facts.blocks ?? [],
    // sysfs prints -1 for a device without a node.
    nodes: present(facts.nodes).filter((node) => node >= 0),
    contains: facts.contains ?? [],
    partOf: [],
    driver: facts.driver ?? null,
    path: facts.path,
  };
}
