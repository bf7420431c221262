/** ` (deleted)` at the end of a name: put there by the kernel for an unlinked file (d_path(), fs/d_path.c), or part of the name. */
import { isMissing } from '../../host/fact.ts';
import type { ByteString, DeviceNumber, Files } from '../../host/host.ts';

const SUFFIX = ' (deleted)';

export interface NamedFile {
  readonly name: ByteString;
  readonly dev?: DeviceNumber;
  readonly ino?: number;
}

/**
 * The file's name and whether it is deleted. A file that can be found under the whole name, with the same device and
 * inode, is really called so. Where that cannot be looked up (captures), the kernel is believed to have put it there.
 */
export function splitDeleted(files: Files, pid: number, file: NamedFile): { readonly file: ByteString; readonly deleted: boolean } {
  if (!file.name.endsWith(SUFFIX)) return { file: file.name, deleted: false };
  if (file.name.startsWith('/') && file.ino !== undefined) {
    const path = Buffer.from(file.name, 'latin1').toString('utf8');
    for (const candidate of [`/proc/${pid}/root${path}`, path]) {
      const stat = files.stat(candidate);
      if (!isMissing(stat) && stat.ino === file.ino && (file.dev === undefined || stat.dev === file.dev)) return { file: file.name, deleted: false };
    }
  }
  return { file: file.name.slice(0, -SUFFIX.length), deleted: true };
}

/** The name without the kernel's mark; for comparing names of nodes that go away. */
export const withoutDeleted = (name: ByteString): ByteString => (name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : name);
