import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMaps } from './maps.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** As fs/proc/task_mmu.c prints a line: the numbers, then blanks up to column 73 where there is a name. */
interface Line { start: number; pages: number; perms: string; offset: number; major: number; minor: number; ino: number; name: string }

function print(line: Line): string {
  const end = line.start + line.pages * 4096;
  const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');
  const head = `${hex(line.start, 8)}-${hex(end, 8)} ${line.perms} ${hex(line.offset, 8)} ${hex(line.major, 2)}:${hex(line.minor, 2)} ${line.ino}`;
  return `${line.name === '' ? `${head} ` : `${head.padEnd(72)} ${line.name.replaceAll('\n', '\\012')}`}\n`;
}

const anyLine: fc.Arbitrary<Line> = fc.record({
  start: fc.nat({ max: 2 ** 30 }).map((page) => page * 4096),
  pages: fc.integer({ min: 1, max: 2 ** 20 }),
  perms: fc.constantFrom('r--p', 'rw-s', '---p', 'r-xp'),
  offset: fc.nat({ max: 2 ** 30 }).map((page) => page * 4096),
  major: fc.nat({ max: 4095 }),
  minor: fc.nat({ max: 2 ** 20 - 1 }),
  ino: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  // Any byte but NUL; what would be read as an escape of the kernel is left out, for it cannot be told from one.
  name: fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 60 })
    .map((codes) => `/${String.fromCharCode(...codes)}`).filter((name) => !name.includes('\\012'))
    .chain((name) => fc.constantFrom(name, `${name} (deleted)`, '', '[heap]')),
});

test('every line that the kernel can print is read as it was meant', () => {
  fc.assert(fc.property(fc.array(anyLine, { maxLength: 8 }), (lines) => {
    const { mappings, malformed } = parseMaps(bytes(lines.map(print).join('')));
    assert.equal(malformed, undefined);
    assert.deepEqual(mappings, lines.map(({ start, pages, perms, offset, major, minor, ino, name }) =>
      ({ start, end: start + pages * 4096, perms, offset, dev: `${major}:${minor}`, ino, name })));
  }));
});

test('text cut anywhere gives the whole lines before the cut, and never throws', () => {
  fc.assert(fc.property(fc.array(anyLine, { minLength: 1, maxLength: 4 }), fc.nat(), (lines, seed) => {
    const text = bytes(lines.map(print).join(''));
    const cut = seed % text.length;
    const whole = parseMaps(text).mappings;
    const { mappings } = parseMaps(text.subarray(0, cut));
    const complete = text.subarray(0, cut).filter((byte) => byte === 0x0a).length;
    assert.deepEqual(mappings.slice(0, complete), whole.slice(0, complete));
    assert.ok(mappings.length <= complete + 1);
  }));
});

test('bytes that are no maps are malformed, never a mapping that is not there', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
    const { mappings, malformed } = parseMaps(noise);
    if (noise.length > 0 && mappings.length === 0) assert.notEqual(malformed, undefined);
  }));
  for (const text of ['\n', 'x', '1000-0 r--p 0 0:0 0 \n', '1000-2000 r--p 0 0:0 \n', '1000-2000', '1000-2000 r--p 0 0:0 5x\n', '0'.repeat(4096)]) {
    assert.match(parseMaps(bytes(text)).malformed ?? '', /^byte 0/, JSON.stringify(text));
  }
});

test('only the bytes up to the given length count', () => {
  const text = bytes('1000-2000 r--p 00000000 00:05 7\nstale bytes of an earlier file');
  assert.deepEqual(parseMaps(text, 32), { mappings: [{ start: 0x1000, end: 0x2000, perms: 'r--p', offset: 0, dev: '0:5', ino: 7, name: '' }] });
});

test('lines that are not wanted are passed over, by their numbers', () => {
  const text = bytes('1000-2000 r--p 00000000 103:00 7 /a\n3000-4000 rw-s 00001000 103:01 8 /b\n');
  const seen: number[][] = [];
  const { mappings } = parseMaps(text, text.length, (...numbers) => {
    seen.push(numbers);
    return numbers[1] === 1;
  });
  assert.deepEqual(mappings.map((m) => m.name), ['/b']);
  assert.deepEqual(seen, [[259, 0, 7, 0x1000, 0x2000], [259, 1, 8, 0x3000, 0x4000]]);
});

test('the vsyscall page and addresses of five-level tables are exact', () => {
  const { mappings } = parseMaps(bytes('ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\nff000000000000-ff000000001000 rw-p 00000000 00:00 0 \n'));
  assert.deepEqual(mappings.map((m) => m.end - m.start), [4096, 4096]);
  assert.equal(mappings[1]?.start, 0xff000000000000);
});
