import type { DeviceNumber, ByteString } from '../../host/host.ts';

/** A block device and what is stacked on it. */
export interface BlockDevice {
  /** `pmem0`, `dm-0`. */
  readonly name: string;
  readonly dev: DeviceNumber;
  readonly kind: 'pmem' | 'partition' | 'dm' | 'md' | 'loop' | 'zram' | 'other';
  /** For people: dm name, loop backing file, md level. */
  readonly label: string | null;
  /** Names of the devices directly on top (sysfs `holders`, partitions). */
  readonly above: readonly string[];
  /** Names of the devices directly below (sysfs `slaves`, the disk of a partition). */
  readonly below: readonly string[];
  /** The file behind a loop device. */
  readonly backingFile: string | null;
  readonly sizeBytes: number | null;
  readonly dax: boolean | null;
}

/** One mount in one mount namespace. Source: /proc/PID/mountinfo (Documentation/filesystems/proc.rst, 3.5). */
export interface Mount {
  readonly namespaceId: number;
  /** A process whose mountinfo showed it; null for a namespace kept only by a file. */
  readonly seenBy: number | null;
  readonly id: number;
  readonly parent: number;
  readonly dev: DeviceNumber;
  /** Root of the mount within the file system (bind mounts). */
  readonly root: ByteString;
  readonly mountPoint: ByteString;
  readonly fsType: string;
  readonly source: ByteString;
  readonly options: readonly string[];
  readonly superOptions: readonly string[];
  /** `always`, `inode`, `never`; null for a file system that has no DAX option or does not say. */
  readonly dax: string | null;
  readonly shutdown: boolean;
}

export interface SwapArea {
  readonly path: ByteString;
  readonly type: 'partition' | 'file';
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly dev: DeviceNumber | null;
  /** True when the kernel appended ` (deleted)`: its device is gone. */
  readonly deleted: boolean;
}

/** A directory of a mounted file system that an overlay uses: the overlay holds the file system below as a mount does. */
export interface OverlayLayer {
  readonly namespaceId: number;
  /** Mount point of the overlay. */
  readonly mountPoint: ByteString;
  readonly role: 'lower' | 'upper' | 'work';
  readonly directory: ByteString;
  /** Device number of the overlay itself: files opened through it carry it. */
  readonly overlayDev: DeviceNumber;
  /** Device number of the file system that the layer lies on; null where it cannot be told. */
  readonly onDev: DeviceNumber | null;
}

/** A directory exported over NFS. Source: /proc/fs/nfsd/exports (fs/nfsd/export.c) or /var/lib/nfs/etab (exportfs). */
export interface NfsExport {
  readonly directory: ByteString;
  readonly clients: readonly string[];
  readonly onDev: DeviceNumber | null;
  readonly file: string;
}
