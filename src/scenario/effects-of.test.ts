import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectsOf } from './effects-of.ts';
import type { Observation, PageCounts } from './observation.ts';
import { readScenario } from './read.ts';

const FSDAX = readScenario(`scenario: x
title: t
machine: {nvdimms: [{name: nv, size: 512M}], namespaces: [{name: data, on: nv, mode: fsdax}]}
filesystems: [{on: data, at: /mnt, type: ext4}]
processes: [{name: h, maps: [{file: /mnt/big, size: 4M}]}]
steps: [{unbind: data}]
`, 'x.yaml');
const DEVDAX = readScenario(`scenario: x
title: t
machine: {nvdimms: [{name: nv, size: 512M}], namespaces: [{name: data, on: nv, mode: devdax}]}
processes: [{name: h, maps: [{device: data, size: 8M}], pins: [{by: vmsplice}]}]
steps: [{unbind: data}]
`, 'x.yaml');

const seen = (verb: Observation['verb'], more: Partial<Observation> = {}): Observation =>
  ({ step: 0, verb, label: null, subject: ['unbind', 'bind', 'remove'].includes(verb) ? 'data' : 'h', ending: 'returned', milliseconds: 1, ...more });
const counts = (more: Partial<PageCounts>): readonly PageCounts[] =>
  [{ process: 'h', map: 'm', pages: 1024, own: 0, zero: 0, ones: 0, others: {}, unknown: 0, sigbus: 0, sigsegv: 0, codes: [], ...more }];

test('a removal after which nothing is seen is clean; without a removal nothing is', () => {
  assert.deepEqual(effectsOf(FSDAX, [seen('unbind')]), ['clean']);
  assert.deepEqual(effectsOf(FSDAX, [seen('sync')]), []);
});

test('pages read before the removal say nothing, the same pages after it are stale', () => {
  const read = seen('read', { pages: counts({ own: 1024 }) });
  assert.deepEqual(effectsOf(FSDAX, [read, seen('unbind')]), ['clean']);
  assert.deepEqual(effectsOf(FSDAX, [seen('unbind'), read]), ['stale-mapping']);
});

test('an oops is named after the step that hit it', () => {
  assert.deepEqual(effectsOf(FSDAX, [seen('unbind'), seen('kill', { ending: 'oops' })]), ['oops-at-exit']);
  assert.deepEqual(effectsOf(FSDAX, [seen('unbind'), seen('unmount', { log: { oops: 1 } })]), ['oops-at-umount']);
  assert.deepEqual(effectsOf(FSDAX, [seen('unbind'), seen('wait', { log: { bug: 1 } })]), ['kernel-bug-later']);
});

test('a pin on device pages that the unbind did not wait for outlives the memmap', () => {
  assert.deepEqual(effectsOf(DEVDAX, [seen('unbind')]), ['pin-outlives-memmap']);
  assert.deepEqual(effectsOf(DEVDAX, [seen('unbind', { ending: 'hangs' })]), ['unbind-hangs']);
  assert.deepEqual(effectsOf(DEVDAX, [seen('dropPin'), seen('unbind')]), ['clean']);
});

test("after a rebind the next owner's mark in the old mapping is an exposure", () => {
  const after = [seen('dropPin'), seen('unbind'), seen('bind'), seen('read', { pages: counts({ others: { next: 1024 } }) })];
  assert.deepEqual(effectsOf(DEVDAX, after), ['next-owner-exposed']);
});

test('what could not be done says nothing', () => {
  assert.deepEqual(effectsOf(FSDAX, [seen('unbind', { ending: 'not-available' })]), []);
});

test("unseat's own removal is a removal: what holders find after it counts", () => {
  assert.deepEqual(effectsOf(FSDAX, [seen('remove'), seen('read', { pages: counts({ sigbus: 1024 }) })]), ['sigbus']);
  assert.deepEqual(effectsOf(FSDAX, [seen('remove', { ending: 'refused' }), seen('read', { pages: counts({ own: 1024 }) })]), []);
});

test('a mapping of a neighbour of what leaves is nobody\'s business', () => {
  assert.deepEqual(effectsOf(FSDAX, [seen('unbind', { subject: 'other' }), seen('read', { pages: counts({ own: 1024 }) })]), ['clean']);
  assert.deepEqual(effectsOf(FSDAX, [seen('unbind', { subject: 'nv' }), seen('read', { pages: counts({ own: 1024 }) })]), ['stale-mapping']);
});

test('a bind that is refused after a removal tells that the device does not come back, unless it has come back by itself', () => {
  const refused = seen('bind', { ending: 'refused', errno: 'EBUSY' });
  assert.deepEqual(effectsOf(FSDAX, [seen('unbind'), refused]), ['no-rebind']);
  assert.deepEqual(effectsOf(FSDAX, [seen('unbind'), seen('bind'), refused]), ['clean']);
});
