import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseModinfo } from './modinfo.ts';

/** A minimal ELF64 file with one .modinfo section. */
function elfWith(modinfo: string): Buffer {
  const names = Buffer.from('\0.modinfo\0.shstrtab\0');
  const info = Buffer.from(modinfo, 'latin1');
  const header = Buffer.alloc(64);
  header.writeUInt32BE(0x7f454c46, 0);
  header[4] = 2;
  header[5] = 1;
  const table = 64 + names.length + info.length;
  header.writeBigUInt64LE(BigInt(table), 0x28);
  header.writeUInt16LE(64, 0x3a);
  header.writeUInt16LE(3, 0x3c);
  header.writeUInt16LE(2, 0x3e);
  const section = (name: number, at: number, size: number): Buffer => {
    const s = Buffer.alloc(64);
    s.writeUInt32LE(name, 0);
    s.writeBigUInt64LE(BigInt(at), 0x18);
    s.writeBigUInt64LE(BigInt(size), 0x20);
    return s;
  };
  return Buffer.concat([header, names, info, Buffer.alloc(64), section(1, 64 + names.length, info.length), section(10, 64, names.length)]);
}

test('name, dependencies and soft dependencies are read', () => {
  const info = parseModinfo(elfWith('license=GPL\0depends=libnvdimm,nd-btt\0name=nd_pmem\0softdep=pre: dax_pmem crc32c post: x\0'));
  assert.deepEqual(info, { name: 'nd_pmem', depends: ['libnvdimm', 'nd_btt'], before: ['dax_pmem', 'crc32c'] });
});

test('what is no ELF file, or a broken one, is null or empty, never a crash', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(200), (noise, at) => {
    parseModinfo(noise);
    const broken = elfWith('depends=a\0name=b\0');
    broken.set(noise.subarray(0, Math.max(0, broken.length - at)), Math.min(at, broken.length));
    parseModinfo(broken);
  }));
});
