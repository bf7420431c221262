/** mountinfo and swaps (Documentation/filesystems/proc.rst, 3.5). */
import { PMEM } from '../drivers/nvdimm/pmem-words.ts';
import { pmemData, pmemEnd, SWAP_LOST } from '../drivers/nvdimm/pmem.ts';
import { isPlain } from '../fs/super.ts';
import { FS_XFS, SB, SB_RDONLY, SB_SHUTDOWN, sbHas } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import type { MountView } from './mount-table.ts';
import { blockPlaces, type World } from './world.ts';

const escape = (text: string): string => text.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
const STANDING = [
  '2 1 0:2 / / rw - rootfs rootfs rw', '26 2 0:22 / /proc rw,relatime - proc proc rw', '27 2 0:23 / /sys rw,relatime - sysfs sys rw',
  '28 2 0:5 / /dev rw,relatime - devtmpfs dev rw,mode=755', '29 2 0:24 / /tmp rw,relatime - tmpfs tmp rw',
];

const superOptions = (k: Kernel, sb: number): string =>
  [sbHas(k, sb, SB_RDONLY) ? 'ro' : 'rw', ...(isPlain(k, sb) ? [] : ['dax=always']), ...(sbHas(k, sb, SB_SHUTDOWN) && k.heap.load(sb + SB.type) !== FS_XFS ? ['shutdown'] : [])].join(',');

function line(world: World, mount: MountView): string {
  const { k } = world;
  const disk = k.heap.load(mount.sb + SB.disk);
  const pmem = blockPlaces(world).find((p) => p.record === disk);
  const type = k.heap.load(mount.sb + SB.type) === FS_XFS ? 'xfs' : 'ext4';
  return `${mount.id} 2 ${pmem?.dev ?? '0:0'} / ${escape(mount.point)} ${mount.options} - ${type} ${escape(`/dev/${pmem?.block ?? 'none'}`)} ${superOptions(k, mount.sb)}`;
}

export const mountinfo = (world: World, namespace: number): string =>
  `${[...STANDING, ...world.mounts.all().filter((m) => m.namespace === namespace).map((m) => line(world, m))].join('\n')}\n`;


/** /proc/swaps (mm/swapfile.c, swap_show()): an area whose disk has gone is named `(deleted)`. */
export function swapsText(world: World): string {
  const { heap } = world.k;
  const lines = blockPlaces(world).filter(({ record }) => heap.load(record + PMEM.swap) !== 0).map(({ record, block }) => {
    const pages = pmemEnd(world.k, record) - pmemData(world.k, record);
    return `/dev/${block}${heap.load(record + PMEM.swap) === SWAP_LOST ? '\\040(deleted)' : ''}`.padEnd(40) + `partition\t${pages * 4 - 4}\t\t${heap.load(record + PMEM.used)}\t\t-2\n`;
  });
  return `Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n${lines.join('')}`;
}
