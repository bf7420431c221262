/** The designs that are measured, and what each promises. */
import type { Axis } from './design-growth.ts';
import type { Cell } from './designs.ts';

export interface Design {
  readonly name: string;
  readonly profile: string;
  readonly fs: Cell['fs'];
  /** Mappings left behind. */
  readonly leaves: 'none' | 'all';
  /** Operations are a straight line in these, and constant in the others. */
  readonly grows: readonly Axis[];
}

export const DESIGNS: readonly Design[] = [
  { name: 'bare unbind, 5.10', profile: '5.10', fs: 'ext4', leaves: 'all', grows: [] },
  { name: 'bare unbind, 6.12', profile: '6.12', fs: 'ext4', leaves: 'all', grows: [] },
  { name: 'bare unbind, 7.2', profile: '7.2', fs: 'ext4', leaves: 'all', grows: [] },
  { name: 'dev_pagemap_failure, as posted', profile: 'proposal:dev-pagemap-failure', fs: 'ext4', leaves: 'all', grows: ['device', 'mapped', 'processes'] },
  { name: 'dev_pagemap_failure, all procs', profile: 'proposal:dev-pagemap-failure-all', fs: 'ext4', leaves: 'none', grows: ['device', 'mapped', 'processes'] },
  { name: 'XFS rmap notify, 6.12', profile: '6.12', fs: 'xfs', leaves: 'none', grows: ['mapped', 'inodes', 'processes'] },
  { name: 'XFS rmap notify, 7.2 clamped', profile: 'proposal:xfs-count-clamped', fs: 'xfs', leaves: 'none', grows: ['mapped', 'inodes', 'processes'] },
  { name: 'corrupt_range', profile: 'proposal:corrupt-range', fs: 'ext4', leaves: 'none', grows: ['mapped', 'inodes', 'processes'] },
  { name: 'inode walk', profile: 'proposal:inode-walk', fs: 'ext4', leaves: 'none', grows: ['mapped', 'inodes', 'processes'] },
  { name: 'page walk', profile: 'proposal:page-walk', fs: 'ext4', leaves: 'none', grows: ['device', 'mapped', 'processes'] },
  { name: 'page-table walk', profile: 'proposal:page-table-walk', fs: 'ext4', leaves: 'none', grows: ['mapped', 'processes'] },
];
