/**
 * Whoever moves a folio isolates it first (folio_isolate_lru) and holds a reference meanwhile: of two that want to move the
 * same folio one does, and the memory under it cannot go while the other looks. All interleavings of each pair.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLitmus, violationName } from '../src/explore/litmus/check.ts';
import { readLitmus } from '../src/explore/litmus/read.ts';
import { RELEASES as PROFILES } from '../src/profile/releases/index.ts';
import { profileByName } from '../src/profile/select.ts';

const RELEASES = ['5.10', '6.1', '6.12', '7.2'];

/** Status and what was violated, over all interleavings. */
function answer(body: string, release: string): string {
  const profile = profileByName(release);
  assert.ok(profile !== null);
  const head = `litmus: x\ntitle: Two of them at once\nclauses: [6a]\nsource: 'mm/migrate.c folio_isolate_lru; mm/gup.c __gup_longterm_locked; mm/page_alloc.c alloc_contig_range'\nexpect: { default: ok }\n`;
  const { status, verdict } = checkLitmus(readLitmus(head + body, 'x'), profile, { now: () => 0, all: true });
  return [status, ...(verdict?.violations ?? []).map(violationName)].join(' ');
}

const SHRINK = `
machine: { ram: { ram0: { by: virtio-mem } } }
processes: { h: { ram: { of: ram0 } } }
threads: { kworker: [virtio-mem ram0], host: [ask ram0 mib=0], user: [ram-pin h] }
daemons: [kworker]
`;

test('a long-term pin and a virtio-mem shrink that move the same folio: nothing is touched after it has gone', () => {
  for (const release of RELEASES) assert.equal(answer(`${SHRINK}sometimes: [plugged ram0 is 0]\n`, release), 'ok', release);
});

test('a long-term pin that has left ZONE_MOVABLE keeps no memory back; on 5.10 it stays there, and alloc_contig_range() fails each time', () => {
  const pinned = SHRINK.replace('of: ram0', 'of: ram0, pins: longterm').replace(', user: [ram-pin h]', '');
  for (const release of RELEASES) assert.equal(answer(`${pinned}never: [plugged ram0 is 0]\n`, release), release === '5.10' ? 'ok' : 'violated plugged ram0 is 0', release);
});

test('a page in a pipe: the pin cannot leave ZONE_MOVABLE and fails with -ENOMEM, offline goes on once the pipe is closed', () => {
  const body = `
machine: { ram: { ram0: {} } }
processes: { h: { ram: { of: ram0, pins: get } } }
threads: { user: [ram-pin h] }
`;
  for (const release of RELEASES) {
    assert.equal(answer(`${body}finally: [result user is -12]\n`, release), release === '5.10' ? 'violated result user is -12' : 'ok', release);
  }
});

test('a long-term pin, an offline and a writer: the data follow, whoever moves them', () => {
  const body = `
machine: { ram: { ram0: {} } }
processes: { h: { ram: { of: ram0 } } }
threads: { admin: [offline ram0], pinner: [ram-pin h], user: [ram-write h, ram-read h] }
never: [result user is 7]
`;
  for (const release of RELEASES) assert.equal(answer(body, release), release === '5.10' ? 'violated hang' : 'ok', release);
});

test('the user exits while its folio is being moved: the frame is free, once', () => {
  const body = `
machine: { ram: { ram0: {} } }
processes: { h: { ram: { of: ram0 } } }
threads: { admin: [offline ram0], user: [ram-free h] }
finally: [block-offline ram0]
`;
  for (const release of PROFILES.map((p) => p.name)) assert.equal(answer(body, release), 'ok', release);
});
