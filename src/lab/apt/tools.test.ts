import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLock } from './lock.ts';
import { installedBy } from './tools.ts';

test('the packages of a simulated installation are read', () => {
  const text = 'NOTE: This is only a simulation!\nInst gcc-14-base (14.2.0-19 Debian:13.5/stable [amd64]) []\nInst libc6 [2.36-9] (2.41-12 Debian:13.5/stable [amd64])\nConf libc6 (2.41-12 Debian:13.5/stable [amd64])\n';
  assert.deepEqual(installedBy(text), [{ name: 'gcc-14-base', version: '14.2.0-19' }, { name: 'libc6', version: '2.41-12' }]);
});

test('the committed lock file names packages by exact version and hash', () => {
  const lock = readLock();
  for (const name of ['debian:5.10', 'debian:6.1', 'debian:6.12', 'debian:6.18', 'debian:7.2', 'tools']) assert.ok((lock[name]?.packages.length ?? 0) > 0, name);
});
