import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell } from '../lab/run/cell.ts';
import { readScenario } from '../scenario/read.ts';
import { compareRuns } from './compare-runs.ts';
import { matrixCell, matrixFiles, seenCell } from './kernel-matrix.ts';
import { standing } from './kernel-matrix-page.ts';
import type { Prediction } from './prediction.ts';

const SCENARIO = readScenario(`
scenario: s
title: first
machine: {nvdimms: [{name: nvdimm0, size: 512M}], namespaces: [{name: data, on: nvdimm0, mode: fsdax}]}
filesystems: [{on: data, at: /mnt, type: ext4}]
processes: [{name: h, maps: [{file: /mnt/a, size: 8K}]}]
steps: [{unbind: data, as: u}, {read: h, as: r}]
`, 's.yaml');

const UNBOUND = { step: 0, verb: 'unbind', label: 'u', subject: 'data', ending: 'returned', milliseconds: 5 } as const;
const read = (own: number, sigbus: number) => ({ step: 1, verb: 'read', label: 'r', subject: 'h', ending: 'returned', milliseconds: 1,
  pages: [{ process: 'h', map: 'm', pages: 2, own, zero: 0, ones: 0, others: {}, unknown: 0, sigbus, sigsegv: 0, codes: sigbus > 0 ? [2] : [] }] }) as const;

const stored = (more: Partial<Cell>) => ({ key: 'k', date: '2026-01-02T03:04:05.000Z', cell: { scenario: 's', kernel: 'debian:6.1', release: '6.1.0-1-amd64', version: '6.1.1-1', qemu: '7.2.0',
  status: 'agrees', effects: ['stale-mapping'], observations: [UNBOUND, read(2, 0)], disagreements: [], bootSeconds: 1, seconds: 2, log: {}, logLines: [], ...more } as Cell });
const predicted = (own: number, sigbus: number): Prediction => ({ effects: ['stale-mapping'], observations: [UNBOUND, read(own, sigbus)], profile: '6.1' });

test('a cell keeps facts and drops times; what was seen and not forecast is marked', () => {
  const c = seenCell(stored({ forecast: { device: 'pmem0', event: 'unbind', effects: ['fs-shutdown'] } }));
  assert.deepEqual(c.missed, ['stale-mapping']);
  assert.deepEqual(c.observations[0], { step: 0, verb: 'unbind', label: 'u', subject: 'data', ending: 'returned' });
  assert.equal(c.date, '2026-01-02');
});

test('a refusal of another step than the removal is not missed by its forecast', () => {
  const forecast = { device: 'pmem0', event: 'unbind' as const, effects: [] };
  assert.deepEqual(seenCell(stored({ effects: ['veto'], forecast })).missed, []);
  const refused = [{ step: 0, verb: 'unbind', label: null, subject: 'data', ending: 'refused', milliseconds: 1 }] as Cell['observations'];
  assert.deepEqual(seenCell(stored({ effects: ['veto'], forecast, observations: refused })).missed, ['veto']);
});

test('prediction and observation are compared in effects, endings and every counted page', () => {
  assert.deepEqual(compareRuns(SCENARIO, [UNBOUND, read(2, 0)], [UNBOUND, read(2, 0)]), []);
  const differences = compareRuns(SCENARIO, [UNBOUND, read(2, 0)], [{ ...UNBOUND, ending: 'refused', errno: 'EBUSY' }, read(1, 1)]);
  assert.deepEqual(differences.map((d) => d.what), ['effects', 'ending of u', 'errno of u', 'pages of h at r']);
  assert.deepEqual(differences.at(-1), { step: 1, what: 'pages of h at r', predicted: '2 own', seen: '1 own, 1 SIGBUS, codes 2' });
});

test('after the death of a guest nothing more is compared', () => {
  const dead = { step: 0, verb: 'unbind', label: 'u', subject: 'the whole guest', ending: 'oops', milliseconds: 0 } as const;
  const differences = compareRuns(SCENARIO, [{ ...UNBOUND, ending: 'oops' }, read(2, 0)], [dead]);
  assert.deepEqual(differences.filter((d) => d.step !== null), []);
});

test('the page shows prediction beside observation, each difference, and what was not run', () => {
  const good = matrixCell(seenCell(stored({})), SCENARIO, predicted(2, 0));
  const bad = matrixCell(seenCell(stored({ kernel: 'debian:7.2' })), SCENARIO, predicted(0, 2));
  const other = matrixCell(seenCell(stored({ scenario: 't' })), SCENARIO, { not: 'there is | no such thing' });
  assert.deepEqual([good, bad, other].map(standing), ['agree', 'DISAGREE', 'not predicted']);
  const files = matrixFiles([bad, other, good], new Map([['s', 'first'], ['t', 'second']]));
  const page = files.find((f) => f.path === 'docs/kernel-matrix.md')?.text ?? '';
  assert.match(page, /\| s: first \| stale-mapping \| \*\*stale-mapping\*\* \|/);
  assert.match(page, /\| t: second \| stale-mapping \| not run \|/);
  assert.match(page, /s on 6\.1\.0-1-amd64, step 1: pages of h at r: predicted 2 SIGBUS, codes 2, seen 2 own/);
  assert.match(page, /not modelled: there is \/ no such thing/);
  assert.deepEqual((JSON.parse(files[0]?.text ?? '') as { cells: { kernel: string }[] }).cells.map((c) => c.kernel), ['debian:6.1', 'debian:7.2', 'debian:6.1']);
});
