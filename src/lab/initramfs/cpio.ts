/** Writes cpio archives in the "newc" form that the kernel unpacks as initramfs (Documentation/driver-api/early-userspace/buffer-format.rst). Pure. */

export type CpioEntry =
  | { readonly path: string; readonly kind: 'directory' }
  | { readonly path: string; readonly kind: 'file'; readonly content: Uint8Array; readonly executable?: boolean }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }
  | { readonly path: string; readonly kind: 'char'; readonly major: number; readonly minor: number };

const MODES = { directory: 0o040755, file: 0o100644, link: 0o120777, char: 0o020600 } as const;

/** Paths are relative to the root, without a leading slash. Directories must come before what is in them. */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
  const parts: Buffer[] = [];
  entries.forEach((entry, i) => parts.push(...record(entry, i + 1)));
  parts.push(...record({ path: 'TRAILER!!!', kind: 'file', content: new Uint8Array() }, 0, true));
  const all = Buffer.concat(parts);
  return Buffer.concat([all, Buffer.alloc((512 - (all.length % 512)) % 512)]);
}

function record(entry: CpioEntry, ino: number, trailer = false): Buffer[] {
  const data = entry.kind === 'file' ? Buffer.from(entry.content) : entry.kind === 'link' ? Buffer.from(entry.target) : Buffer.alloc(0);
  const name = Buffer.from(`${entry.path}\0`);
  const mode = trailer ? 0 : entry.kind === 'file' && entry.executable === true ? 0o100755 : MODES[entry.kind];
  const [major, minor] = entry.kind === 'char' ? [entry.major, entry.minor] : [0, 0];
  const fields = [ino, mode, 0, 0, entry.kind === 'directory' ? 2 : 1, 0, data.length, 0, 0, major, minor, name.length, 0];
  const header = Buffer.from(`070701${fields.map((n) => n.toString(16).padStart(8, '0')).join('')}`);
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

const padding = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4);
