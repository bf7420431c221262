import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { valueOf } from './build.ts';
import { RELEASES } from './releases/index.ts';
import { parseRelease, profileByName, selectProfile } from './select.ts';

test('release strings of distributions are read', () => {
  assert.deepEqual(parseRelease('6.12.107+deb13-amd64'), [6, 12]);
  assert.deepEqual(parseRelease('7.3.0-rc1'), [7, 3]);
  assert.deepEqual(parseRelease('6.1'), [6, 1]);
  assert.equal(parseRelease('Linux'), null);
  assert.equal(parseRelease(''), null);
});

test('the measured releases are exact', () => {
  for (const [release, name] of [['5.10.0-32-amd64', '5.10'], ['6.1.0-50-amd64', '6.1'], ['6.12.107+deb13-amd64', '6.12'], ['6.18.15', '6.18'], ['7.2.12+deb13-amd64', '7.2']] as const) {
    const s = selectProfile(release);
    assert.equal(s.profile.name, name);
    assert.equal(s.exact, true, release);
  }
});

test('a kernel between two profiles gets the one whose changes it already has, and says so', () => {
  for (const [release, name] of [['5.4.0', '5.10'], ['5.15.0-101-generic', '5.10'], ['5.19.7', '6.1'], ['6.6.40', '6.1'], ['6.8.0-45-generic', '6.12'], ['6.14.1', '6.12'], ['6.15.0', '6.18'], ['7.0.3', '7.2']] as const) {
    const s = selectProfile(release);
    assert.equal(s.profile.name, name, release);
    assert.equal(s.exact, false);
  }
  assert.match(selectProfile('6.6.40').says, /no profile for 6\.6; 6\.1, which stands for releases from 5\.18 to before 6\.8, is taken/);
});

test('older or newer than any, unknown and nonsense releases say what stands in', () => {
  assert.match(selectProfile('4.19.0').says, /older than any profile/);
  assert.match(selectProfile('9.0.1').says, /newer than any profile/);
  assert.match(selectProfile(null).says, /not known/);
  assert.match(selectProfile('hello').says, /no kernel release/);
  for (const r of ['4.19.0', '9.0.1', null, 'hello']) assert.equal(selectProfile(r).exact, false);
});

test('a kernel with backports is never exact', () => {
  const s = selectProfile('6.12.0-55.9.1.el10_0.x86_64');
  assert.equal(s.exact, false);
  assert.match(s.says, /Red Hat/);
});

test('a probe on the host overrides the release', () => {
  const s = selectProfile('6.12.107', [{ mechanism: 'ram.whole-device-state', value: true, evidence: 'dax0.0/state is there' }]);
  assert.equal(valueOf(s.profile, 'ram.whole-device-state'), true);
  assert.equal(s.overridden.length, 1);
  assert.match(s.says, /dax0\.0\/state is there/);
  assert.equal(valueOf(selectProfile('6.12.107').profile, 'ram.whole-device-state'), false, 'the shared profile is not changed');
});

test('a probe with a value that the mechanism does not allow is not taken', () => {
  const s = selectProfile('6.12.1', [{ mechanism: 'fsdax.kill-dax-notifies', value: 'perhaps', evidence: 'x' }]);
  assert.equal(s.overridden.length, 0);
});

test('every text gives a profile', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d+\.\d+[-.+a-z0-9]*$/)), (text) => {
    const s = selectProfile(text);
    assert.ok(RELEASES.includes(s.profile));
    assert.ok(s.says.length > 0);
  }));
});

test('profiles go by name', () => {
  assert.equal(profileByName('7.2')?.name, '7.2');
  assert.equal(profileByName('1.0'), null);
});
