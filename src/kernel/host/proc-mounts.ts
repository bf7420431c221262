/** mountinfo and swaps (Documentation/filesystems/proc.rst, 3.5). */
import { deviceData } from '../drivers/base/bus.ts';
import { FS_XFS, SB, SB_RDONLY, SB_SHUTDOWN, sbHas } from '../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import type { MountView } from './mount-table.ts';
import type { World } from './world.ts';

const escape = (text: string): string => text.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
const STANDING = [
  '2 1 0:2 / / rw - rootfs rootfs rw', '26 2 0:22 / /proc rw,relatime - proc proc rw', '27 2 0:23 / /sys rw,relatime - sysfs sys rw',
  '28 2 0:5 / /dev rw,relatime - devtmpfs dev rw,mode=755', '29 2 0:24 / /tmp rw,relatime - tmpfs tmp rw',
];

const superOptions = (k: Kernel, sb: number): string =>
  [sbHas(k, sb, SB_RDONLY) ? 'ro' : 'rw', 'dax=always', ...(sbHas(k, sb, SB_SHUTDOWN) && k.heap.load(sb + SB.type) !== FS_XFS ? ['shutdown'] : [])].join(',');

function line(world: World, mount: MountView): string {
  const { k } = world;
  const disk = k.heap.load(mount.sb + SB.disk);
  const pmem = world.pmems.find((p) => deviceData(k, p.device) === disk);
  const type = k.heap.load(mount.sb + SB.type) === FS_XFS ? 'xfs' : 'ext4';
  return `${mount.id} 2 ${pmem?.dev ?? '0:0'} / ${escape(mount.point)} ${mount.options} - ${type} ${escape(`/dev/${pmem?.block ?? 'none'}`)} ${superOptions(k, mount.sb)}`;
}

export const mountinfo = (world: World, namespace: number): string =>
  `${[...STANDING, ...world.mounts.all().filter((m) => m.namespace === namespace).map((m) => line(world, m))].join('\n')}\n`;

