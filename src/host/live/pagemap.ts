/**
 * /proc/PID/pagemap, behind the rule that keeps the machine alive: never for a process that maps a device already
 * gone. (Measured: reading it then oopses 6.1 for CXL, 6.12 and 7.2 for 2 MiB entries. `maps` is safe.)
 */
import { missing, isMissing, type Fact } from '../fact.ts';
import type { Mapping } from '../processes.ts';
import type { LiveFiles } from './files.ts';

/**
 * The first mapping whose device is gone, or undefined. A file system on a block device is gone when
 * /sys/dev/block/M:m is; its mount stays listed all the same. Number 0 as major is no device (tmpfs, overlay, memfd).
 * A character device is gone when /sys/dev/char/M:m is.
 */
export function goneMapping(files: Pick<LiveFiles, 'stat'>, mappings: readonly Mapping[]): Mapping | undefined {
  const known = new Map<string, boolean>();
  const present = (path: string): boolean => {
    let there = known.get(path);
    if (there === undefined) known.set(path, (there = !isMissing(files.stat(path))));
    return there;
  };
  return mappings.find((mapping) => {
    if (mapping.ino === 0) return false;
    if (!mapping.dev.startsWith('0:') && !present(`/sys/dev/block/${mapping.dev}`)) return true;
    return mapping.rdev !== undefined && !memoryNode(mapping.rdev) && !present(`/sys/dev/char/${mapping.rdev}`);
  });
}

/** Major 1 is mem(4): null, zero, mem. They have no driver that could be unbound. */
const memoryNode = (rdev: string): boolean => rdev.startsWith('1:');

/** How long a process that was found safe counts as safe, in milliseconds: a removal reads pagemap page by page. */
const SAFE_FOR = 100;

export class Pagemaps {
  private readonly files: LiveFiles;
  private readonly mappingsOf: (pid: number) => Fact<readonly Mapping[]>;
  private readonly pageSize: number;
  private safe = { pid: -1, until: 0 };

  /** `mappingsOf` must tell the character devices of mappings. */
  constructor(files: LiveFiles, mappingsOf: (pid: number) => Fact<readonly Mapping[]>, pageSize: number) {
    this.files = files;
    this.mappingsOf = mappingsOf;
    this.pageSize = pageSize;
  }

  read(pid: number, address: number, into: Uint8Array): Fact<number> {
    const path = `/proc/${pid}/pagemap`;
    if (this.safe.pid !== pid || performance.now() > this.safe.until) {
      const mappings = this.mappingsOf(pid);
      if (isMissing(mappings)) return mappings;
      const gone = goneMapping(this.files, mappings);
      if (gone !== undefined) return missing('unsafe', path, `maps device ${gone.rdev ?? gone.dev}, which is gone`);
      this.safe = { pid, until: performance.now() + SAFE_FOR };
    }
    return this.files.readAt(path, Math.floor(address / this.pageSize) * 8, into);
  }
}
