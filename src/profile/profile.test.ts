/** The declarations and the release data hold together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MECHANISM_NAMES } from './build.ts';
import type { MechanismValue } from './mechanism.ts';
import { MECHANISMS } from './mechanisms/index.ts';
import { PROPOSALS } from './proposals/index.ts';
import { RELEASE_ENTRIES, RELEASES } from './releases/index.ts';

const allows = (name: keyof typeof MECHANISMS, value: MechanismValue): boolean => {
  const allowed: readonly MechanismValue[] = MECHANISMS[name].allowed;
  return typeof value === 'number' ? allowed.some((v) => typeof v === 'number') && value >= 0 : allowed.includes(value);
};

test('every default is allowed, and meaning and source are said', () => {
  for (const name of MECHANISM_NAMES) {
    const d = MECHANISMS[name];
    assert.ok(allows(name, d.default), name);
    assert.ok(d.meaning.length > 20, name);
    assert.ok(d.source.length > 5, name);
    assert.match(name, /^(fsdax|dax|gup|kvm|ram|section|block|bus)\.[a-z0-9-]+$/);
  }
});

test('every entry of a release or proposal is declared, allowed and cited', () => {
  for (const data of [...RELEASE_ENTRIES, ...PROPOSALS]) {
    for (const [name, entry] of Object.entries(data.entries)) {
      assert.ok(name in MECHANISMS, `${data.name}: ${name}`);
      assert.ok(allows(name as keyof typeof MECHANISMS, entry.value), `${data.name}: ${name} = ${String(entry.value)}`);
      assert.ok(entry.source.length > 5, `${data.name}: ${name}`);
    }
  }
});

/** Words for outcomes have no place in a mechanism's name or values (DESIGN, decision 1). */
test('no mechanism names an outcome', () => {
  const outcomes = /stale|oops|hang|crash|leak|corrupt|sigbus|spin|exposed|veto/i;
  for (const name of MECHANISM_NAMES) {
    assert.doesNotMatch(name, outcomes);
    for (const value of MECHANISMS[name].allowed) assert.doesNotMatch(String(value), outcomes);
  }
});

test('releases are in order and each has every mechanism', () => {
  const keys = RELEASES.map((p) => (p.release?.[0] ?? 0) * 1000 + (p.release?.[1] ?? 0));
  assert.deepEqual(keys, [...keys].sort((a, b) => a - b));
  for (const p of RELEASES) assert.deepEqual(Object.keys(p.mechanisms), MECHANISM_NAMES);
});
