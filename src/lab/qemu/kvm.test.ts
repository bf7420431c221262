import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Qemu } from './find.ts';
import { knownAnswer } from './kvm.ts';

const qemu: Qemu = { program: '/q', prefix: [], version: '0.0.0-never', major: 0, from: 'system' };

test('what the user asks for is taken without a trial', () => {
  assert.equal(knownAnswer(qemu, { UNSEAT_LAB_ACCEL: 'tcg' })?.accel, 'tcg');
  assert.equal(knownAnswer(qemu, { UNSEAT_LAB_ACCEL: 'kvm' })?.accel, 'kvm');
});

test('a /dev/kvm alone is no answer, its absence is', () => {
  const known = knownAnswer(qemu, {});
  if (existsSync('/dev/kvm')) assert.notEqual(known?.accel, 'kvm');
  else assert.equal(known?.accel, 'tcg');
});
