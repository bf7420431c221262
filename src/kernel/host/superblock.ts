/** The first sector of a block device: the superblock of an XFS with its feature bits (fs/xfs/libxfs/xfs_format.h), else zeroes. */
import { deviceData } from '../drivers/base/bus.ts';
import { FEATURE_REFLINK, FEATURE_RMAPBT, FS_XFS, SB } from '../fs/inode.ts';
import type { World } from './world.ts';

const SECTOR = 512;
const VERSION_5 = 0xb4b5;

/** Bytes read; 0 from the second sector on. */
export function readBlock(world: World, dev: string, offset: number, into: Uint8Array): number {
  const { k, mounts } = world;
  const pmem = world.pmems.find((p) => p.dev === dev);
  const sector = new DataView(new ArrayBuffer(SECTOR));
  const mount = mounts.all().find((m) => pmem !== undefined && k.heap.load(m.sb + SB.disk) === deviceData(k, pmem.device));
  if (mount !== undefined && k.heap.load(mount.sb + SB.type) === FS_XFS) {
    const features = k.heap.load(mount.sb + SB.features);
    sector.setUint32(0, 0x58465342);
    sector.setUint16(100, VERSION_5);
    sector.setUint32(212, ((features & FEATURE_RMAPBT) !== 0 ? 2 : 0) | ((features & FEATURE_REFLINK) !== 0 ? 4 : 0));
  }
  const part = new Uint8Array(sector.buffer).subarray(offset, offset + into.length);
  into.set(part);
  return part.length;
}
