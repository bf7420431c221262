/** What a kernel module says of itself: the `.modinfo` section of its ELF file. Pure. */

export interface ModuleInfo {
  readonly name: string;
  /** Modules that must be loaded before it. */
  readonly depends: readonly string[];
  /** softdep "pre:" modules. */
  readonly before: readonly string[];
}

/**
 * Reads `key=value` strings between NUL bytes. The section is found through the section headers (ELF64 little endian,
 * elf(5)); null where the bytes are no such file.
 */
export function parseModinfo(bytes: Uint8Array): ModuleInfo | null {
  const section = sectionOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), '.modinfo');
  if (!section) return null;
  const fields = section.toString('latin1').split('\0').map((line) => /^([a-z_]+)=(.*)$/s.exec(line)).filter((m) => m !== null);
  const value = (key: string): string => fields.find((m) => m[1] === key)?.[2] ?? '';
  const soft = fields.filter((m) => m[1] === 'softdep').map((m) => /pre:\s*((?:[\w-]+\s*)*)(?:post:|$)/.exec(m[2] ?? '')?.[1] ?? '');
  return { name: plainName(value('name')), depends: words(value('depends'), ','), before: soft.flatMap((text) => words(text, /\s+/)) };
}

/** Module names in files use dashes and underscores; the kernel takes both as the same. */
export const plainName = (name: string): string => name.replaceAll('-', '_');

const words = (text: string, by: string | RegExp): string[] => text.split(by).map((w) => plainName(w.trim())).filter((w) => w !== '');

function sectionOf(elf: Buffer, wanted: string): Buffer | null {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1) return null;
  const table = Number(elf.readBigUInt64LE(0x28));
  const size = elf.readUInt16LE(0x3a);
  const count = elf.readUInt16LE(0x3c);
  const namesAt = elf.readUInt16LE(0x3e);
  if (size < 64 || table + size * count > elf.length || namesAt >= count) return null;
  const header = (i: number): { name: number; start: number; end: number } => {
    const at = table + i * size;
    const start = Number(elf.readBigUInt64LE(at + 0x18));
    return { name: elf.readUInt32LE(at), start, end: start + Number(elf.readBigUInt64LE(at + 0x20)) };
  };
  const names = elf.subarray(header(namesAt).start, header(namesAt).end);
  for (let i = 0; i < count; i += 1) {
    const h = header(i);
    const end = names.indexOf(0, h.name);
    if (names.toString('latin1', h.name, end < 0 ? names.length : end) === wanted) return elf.subarray(h.start, Math.min(h.end, elf.length));
  }
  return null;
}
