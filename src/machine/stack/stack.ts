/** What stands on block devices: mounts of every namespace, stacked devices, swap, overlays, exports. */
import type { Machine } from '../machine.ts';
import type { Reader } from '../reader.ts';
import { readBlockDevices } from './block-devices.ts';
import { readExports, readOverlays, tieLoops } from './layers.ts';
import { readMounts } from './mounts.ts';
import { readSwaps } from './swaps.ts';

export type Stack = Pick<Machine, 'blockDevices' | 'mounts' | 'swaps'> & Required<Pick<Machine, 'overlays' | 'exports'>>;

/** For a machine on which nobody asks. */
export const NO_STACK: Stack = { blockDevices: [], mounts: [], swaps: [], overlays: [], exports: [] };

export function readStack(reader: Reader): Stack {
  const blocks = readBlockDevices(reader);
  const mounts = readMounts(reader, blocks);
  return {
    mounts,
    blockDevices: tieLoops(blocks, mounts),
    swaps: readSwaps(reader, blocks, mounts),
    overlays: readOverlays(mounts),
    exports: readExports(reader, mounts),
  };
}
