/** What detach decides: complete, in an order that leaves nothing open, refused where it cannot be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { InjectedCall } from '../../../host/trace.ts';
import { decideDetach } from './decide.ts';
import type { Detach } from './decide.ts';
import { freeAddress } from './free-address.ts';
import type { Held, HeldMapping } from './held.ts';

const PAGE = 4096;
const BASE = 0x7f00_0000_0000;

const mappingOf = (page: number, pages: number, perms: string, fileSize: number | null = null): HeldMapping =>
  ({ start: BASE + page * PAGE, end: BASE + (page + pages) * PAGE, perms, offset: 0, dev: '259:0', ino: 1, name: '/mnt/f', fileSize });

const held = (part: Partial<Held>): Held => ({
  pid: 7, ownPid: 7, mappings: [], descriptors: [], cwd: false, root: false, exe: false, mayChangeExe: false, layout: (part.mappings ?? []).map(({ start, end }) => ({ start, end })),
  usedDescriptors: [0, 1, 2], descriptorLimit: 1024, pageSize: PAGE, apart: [], ...part,
});

/** `replace` as plain calls, chain by chain. */
const decided = (part: Partial<Held>): Omit<Detach, 'replace'> & { replace: (readonly InjectedCall[])[] } => {
  const result = decideDetach(held(part));
  assert.ok(typeof result !== 'string', String(result));
  return { ...result, replace: result.replace.map((chain) => chain.calls) };
};
const names = (calls: readonly InjectedCall[]): string[] => calls.map((c) => c.name);

test('a shared mapping becomes an empty memfd at the same place with the same protection', () => {
  const { copy, replace } = decided({ mappings: [mappingOf(0, 4, 'r--s')] });
  assert.equal(copy.length, 0);
  assert.deepEqual(names(replace.flat()), ['memfd_create', 'mmap', 'close']);
  assert.deepEqual(replace[0]?.[1]?.args, [BASE, 4 * PAGE, 1, 0x11, 3, 0]);
});

test('a run without a gap is replaced at once, and other protections in it are set afterwards; what is executable by itself', () => {
  const { replace } = decided({ mappings: [mappingOf(0, 4, 'rw-s'), mappingOf(4, 4, 'rw-s'), mappingOf(8, 1, 'r--s'), mappingOf(9, 1, 'rw-s'), mappingOf(10, 1, 'r-xs'), mappingOf(12, 1, 'r--s')] });
  assert.deepEqual(names(replace.flat()), ['memfd_create', 'mmap', 'mprotect', 'mmap', 'mmap', 'close']);
  assert.deepEqual(replace.flat()[1]?.args.slice(0, 3), [BASE, 10 * PAGE, 3]);
  assert.deepEqual(replace.flat()[2]?.args, [BASE + 8 * PAGE, PAGE, 1]);
});

test('a private mapping is copied and checked before anything is replaced; unreadable ones are made readable meanwhile', () => {
  const { copy, replace, abandon, copyBytes } = decided({ mappings: [mappingOf(0, 4, '---p')] });
  assert.deepEqual(names(copy), ['mmap', 'mprotect', 'process_vm_readv']);
  assert.deepEqual(names(replace.flat()), ['mprotect', 'mremap']);
  assert.deepEqual(names(abandon), ['munmap', 'mprotect']);
  assert.equal(copyBytes, 4 * PAGE);
});

test('pages behind the end of a private file raise SIGBUS as before', () => {
  const { copyBytes, replace } = decided({ mappings: [mappingOf(0, 4, 'rw-p', PAGE + 1)] });
  assert.equal(copyBytes, 2 * PAGE);
  const mmap = replace.flat().find((c) => c.name === 'mmap');
  assert.deepEqual(mmap?.args.slice(0, 2), [BASE + 2 * PAGE, 2 * PAGE]);
});

test('descriptors keep close-on-exec; the lowest free number is used and given back', () => {
  const { replace } = decided({ descriptors: [{ fd: 5, closeOnExec: true }, { fd: 6, closeOnExec: false }], usedDescriptors: [0, 1, 3, 5, 6], cwd: true });
  const calls = replace.flat();
  assert.deepEqual(names(calls), ['socket', 'dup3', 'dup3', 'close', 'chdir']);
  assert.equal(calls[0]?.expect, 2);
  assert.deepEqual(calls.slice(1, 4).map((c) => c.args), [[2, 5, 0o2000000], [2, 6, 0], [2]]);
});

test('what cannot be replaced is refused', () => {
  assert.match(String(decideDetach(held({ root: true }))), /root directory/);
  assert.match(String(decideDetach(held({ exe: true }))), /program file.*CAP_SYS_RESOURCE/);
  assert.equal(decided({ exe: true, mayChangeExe: true }).replace.flat().at(-2)?.name, 'prctl');
  assert.match(String(decideDetach(held({ descriptors: [{ fd: 1, closeOnExec: false }], descriptorLimit: 3 }))), /no descriptor number is free/);
});

test('threads with a table or a directory of their own let go themselves and first; none of them does it for the process', () => {
  const result = decideDetach(held({
    descriptors: [{ fd: 3, closeOnExec: false }], usedDescriptors: [0, 1, 2, 3],
    apart: [
      { threads: [8, 9], descriptors: [{ fd: 0, closeOnExec: true }], cwd: true, root: false, usedDescriptors: [0] },
      { threads: [10], descriptors: [], cwd: false, root: false, usedDescriptors: [0, 1, 2, 3] },
    ],
  }));
  assert.ok(typeof result !== 'string');
  assert.deepEqual(result.replace.map(({ calls, carriers }) => [names(calls), carriers]), [
    [['socket', 'dup3', 'close', 'chdir'], { only: [8, 9] }], [['socket', 'dup3', 'close'], { not: [8, 9, 10] }],
  ]);
  assert.deepEqual(result.replace[0]?.calls.map((c) => c.args.slice(0, 3))[1], [1, 0, 0o2000000], 'the lowest number that is free in their table');
  const apart = { threads: [8], descriptors: [], cwd: false, root: true, usedDescriptors: [] };
  assert.match(String(decideDetach(held({ apart: [apart] }))), /root directory/);
  assert.match(String(decideDetach(held({ apart: [{ ...apart, root: false, usedDescriptors: Array.from({ length: 1023 }, (_, fd) => fd) }] }))), /no descriptor number is free/);
});

test('many mappings: every chain is complete in itself, and every byte is replaced exactly once', () => {
  const shape = fc.array(fc.record({ pages: fc.integer({ min: 1, max: 50 }), gap: fc.integer({ min: 0, max: 3 }), perms: fc.constantFrom('rw-s', 'r--s', 'r-xs', '---s', 'rw-p', 'r-xp', '---p') }), { maxLength: 300 });
  fc.assert(fc.property(shape, fc.uniqueArray(fc.integer({ min: 3, max: 900 }), { maxLength: 200 }), (shapes, fds) => {
    let page = 0;
    const mappings = shapes.map(({ pages, gap, perms }) => {
      page += gap + pages;
      return mappingOf(page - pages, pages, perms);
    });
    const { replace, copy } = decided({ mappings, descriptors: fds.map((fd) => ({ fd, closeOnExec: false })), usedDescriptors: [0, 1, 2, ...fds].sort((a, b) => a - b) });
    const ranges: [number, number][] = [];
    for (const chain of replace) {
      assert.ok(chain.length <= 146 * 2, `${chain.length} calls in a chain`);
      const open = new Set<number>();
      for (const c of chain) {
        if (c.name === 'memfd_create' || c.name === 'socket') open.add(c.expect ?? -1);
        if (c.name === 'close') open.delete(c.args[0] as number);
        if (c.name === 'mmap') ranges.push([c.args[0] as number, c.args[1] as number]);
        if (c.name === 'mremap') ranges.push([c.args[4] as number, c.args[1] as number]);
      }
      assert.equal(open.size, 0, 'a descriptor stays open behind a chain');
    }
    assert.equal(ranges.reduce((sum, [, length]) => sum + length, 0), mappings.reduce((sum, m) => sum + m.end - m.start, 0));
    const sorted = ranges.sort((a, b) => a[0] - b[0]);
    sorted.forEach(([start], i) => { if (i > 0) assert.ok(start >= (sorted[i - 1]?.[0] ?? 0) + (sorted[i - 1]?.[1] ?? 0)); });
    const copies = copy.filter((c) => c.name === 'mmap').map((c) => [c.args[0] as number, c.args[1] as number] as const).sort((a, b) => a[0] - b[0]);
    copies.forEach(([start, length], i) => {
      assert.ok(start >= (copies[i - 1]?.[0] ?? 0) + (copies[i - 1]?.[1] ?? 0), 'copies overlap');
      assert.ok(mappings.every((m) => m.end <= start || m.start >= start + length), 'a copy lies on a mapping');
    });
    const shared = new Map<number, number>();
    for (const c of replace.flat()) {
      const [start, length, prot] = c.args as number[];
      if (c.name === 'mmap' || c.name === 'mprotect') for (let at = start ?? 0; at < (start ?? 0) + (length ?? 0); at += PAGE) if (c.name === 'mmap' || shared.has(at)) shared.set(at, prot ?? -1);
    }
    for (const m of mappings.filter((x) => x.perms[3] === 's')) for (let at = m.start; at < m.end; at += PAGE) assert.equal(shared.get(at), { 'rw-': 3, 'r--': 1, 'r-x': 5, '---': 0 }[m.perms.slice(0, 3)], `protection at ${at}`);
    assert.equal(replace.flat().filter((c) => c.name === 'dup3').length, fds.length);
  }), { numRuns: 60 });
});

test('free addresses lie in a gap and keep the offset within 2 MiB; none where there is no room', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 512, max: 2 ** 34 }), fc.integer({ min: 1, max: 2 ** 20 })), { maxLength: 30 }), fc.integer({ min: 1, max: 2 ** 20 }), (pairs, pages) => {
    const taken = pairs.map(([start, length]) => ({ start: start * PAGE, end: (start + length) * PAGE }));
    const at = freeAddress(taken, pages * PAGE, BASE + 5 * PAGE);
    if (at === null) return;
    assert.equal(at % (2 * 1024 * 1024), 5 * PAGE);
    assert.ok(taken.every((r) => r.end <= at || r.start >= at + pages * PAGE));
  }));
  assert.equal(freeAddress([{ start: 0, end: 2 ** 47 }], PAGE, BASE), null);
});
