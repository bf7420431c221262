/**
 * The feature bits of an XFS from its superblock, which neither mount options nor sysfs show. Source:
 * fs/xfs/libxfs/xfs_format.h, struct xfs_dsb (big endian): sb_magicnum at 0, sb_versionnum at 100, sb_features_ro_compat
 * at 212 (version 5 only).
 */
import { isMissing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Device } from '../../machine/types/device.ts';
import type { Known } from './leaf-facts.ts';
import { namespaceOf } from '../steps/unbind.ts';

const MAGIC = 0x58465342;
const RO_COMPAT_RMAPBT = 1 << 1;
const SECTOR = 512;

/** Whether the superblock in `bytes` (at least 216 of them) has the reverse-mapping btree; null where it is no XFS superblock. */
export function hasRmapbt(bytes: Uint8Array): boolean | null {
  if (bytes.length < 216) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC) return null;
  if ((view.getUint16(100) & 0xf) < 5) return false;
  return (view.getUint32(212) & RO_COMPAT_RMAPBT) !== 0;
}

/** Reads one sector of the block device of each leaf that carries a mounted XFS. By device id; `unknown` where it cannot be read. */
export function rmapbtOf(host: Host, machine: Machine, leaves: readonly Device[]): Record<string, Known> {
  const found: Record<string, Known> = {};
  for (const leaf of leaves) {
    if (!(machine.holders[leaf.id] ?? []).some((h) => h.kind === 'mount' && h.fsType === 'xfs')) continue;
    const block = namespaceOf(machine, leaf)?.block;
    const sector = new Uint8Array(SECTOR);
    const got = block ? host.files.readAt(`/dev/${block}`, 0, sector) : null;
    const has = got === null || isMissing(got) || got < 216 ? null : hasRmapbt(sector);
    found[leaf.id] = has === null ? 'unknown' : has ? 'yes' : 'no';
  }
  return found;
}
