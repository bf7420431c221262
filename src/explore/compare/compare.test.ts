import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Profile } from '../../profile/profile.ts';
import { profileByName } from '../../profile/select.ts';
import { compareDesign } from './compare.ts';
import { measure } from './measure.ts';
import { costSvg } from './svg.ts';

const named = (name: string): Profile => profileByName(name) as Profile;
const SMALL = { pages: 512, inodes: 4, processes: 2, extents: 1 };

test('releases miss every mapping of ext4, the walks miss none', () => {
  for (const name of ['5.10', '6.12', '7.2']) assert.equal(measure(named(name), 'ext4', SMALL).missed, 1024);
  for (const name of ['inode-walk', 'page-walk', 'page-table-walk', 'corrupt-range']) assert.equal(measure(named(`proposal:${name}`), 'ext4', SMALL).missed, 0, name);
});

test('only the inode walk unmaps healthy pages of the other device', () => {
  assert.ok(measure(named('proposal:inode-walk'), 'multi', SMALL).healthyUnmapped > 0);
  assert.equal(measure(named('proposal:page-walk'), 'multi', SMALL).healthyUnmapped, 0);
});

test('the inode walk costs by inodes and not by pages of the device, the page walk the other way round', () => {
  const cost = (name: string, scale: object): number => measure(named(name), 'ext4', { ...SMALL, ...scale }).operations;
  const inodes = (name: string): number => cost(name, { inodes: 1004 }) - cost(name, { inodes: 4 });
  const pages = (name: string): number => cost(name, { pages: 512 * 512 }) - cost(name, {});
  assert.equal(inodes('proposal:inode-walk'), 1000);
  assert.equal(inodes('proposal:page-walk'), 0);
  assert.ok(pages('proposal:page-walk') > 10 * pages('proposal:inode-walk'));
});

test('a report has its curves, and they are drawn', () => {
  const report = compareDesign(named('proposal:inode-walk'), [], { now: () => 0 });
  assert.deepEqual(report.curves.map((c) => c.against), ['pages', 'inodes', 'processes', 'extents']);
  const svg = costSvg([report]);
  assert.equal(svg.match(/<title>inode-walk: /g)?.length, 4);
  assert.ok(!svg.includes('NaN'));
});
