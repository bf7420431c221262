import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell } from '../lab/run/cell.ts';
import { matrixCell, matrixFiles } from './kernel-matrix.ts';

const stored = (more: Partial<Cell>) => ({ key: 'k', date: '2026-01-02T03:04:05.000Z', cell: { scenario: 's', kernel: 'debian:6.1', release: '6.1.0-1-amd64', version: '6.1.1-1', qemu: '7.2.0',
  status: 'agrees', effects: ['stale-mapping'], observations: [{ step: 0, verb: 'unbind', label: 'u', subject: 'data', ending: 'returned', milliseconds: 5 }], disagreements: [],
  bootSeconds: 1, seconds: 2, log: {}, logLines: [], ...more } as Cell });

test('a cell keeps facts and drops times; what was seen and not forecast is marked', () => {
  const c = matrixCell(stored({ forecast: { device: 'pmem0', event: 'unbind', effects: ['fs-shutdown'] } }));
  assert.deepEqual(c.missed, ['stale-mapping']);
  assert.deepEqual(c.observations, [{ step: 0, verb: 'unbind', label: 'u', subject: 'data', ending: 'returned' }]);
  assert.equal(c.date, '2026-01-02');
});

test('a refusal of another step than the removal is not missed by its forecast', () => {
  const forecast = { device: 'pmem0', event: 'unbind' as const, effects: [] };
  assert.deepEqual(matrixCell(stored({ effects: ['veto'], forecast })).missed, []);
  const refused = [{ step: 0, verb: 'unbind', label: null, subject: 'data', ending: 'refused', milliseconds: 1 }] as Cell['observations'];
  assert.deepEqual(matrixCell(stored({ effects: ['veto'], forecast, observations: refused })).missed, ['veto']);
});

test('the page shows each kernel, each disagreement, and what was not run', () => {
  const files = matrixFiles([
    stored({}), stored({ scenario: 't', kernel: 'debian:7.2', status: 'disagrees', disagreements: [{ expectation: 0, what: 'effects', expected: 'clean', seen: 'stale-mapping' }] }),
  ], new Map([['s', 'first'], ['t', 'second']]));
  const page = files.find((f) => f.path === 'docs/kernel-matrix.md')?.text ?? '';
  assert.match(page, /\| s: first \| stale-mapping \| not run \|/);
  assert.match(page, /\| t: second \| not run \| \*\*stale-mapping\*\* \|/);
  assert.match(page, /t on 6\.1\.0-1-amd64: effects: expected clean, seen stale-mapping/);
  assert.equal((JSON.parse(files[0]?.text ?? '') as { cells: unknown[] }).cells.length, 2);
});
