import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KillRound, RaceRound } from '../lab/channel/protocol.ts';
import { addRace, type StoredRace } from '../lab/race/store.ts';
import { faultsOf, racePage, verdictOf } from './race-page.ts';

const round = (more: Partial<RaceRound> = {}): RaceRound => ({ n: 1, status: 'done', why: null, milliseconds: 10, stale: 0, sigbus: 1088, pages: 1088, churned: 5, opensAt: 1000, opened: true, intact: true, exposed: 0, ...more });
const killed = (more: Partial<KillRound> = {}): KillRound => ({ n: 1, killed: 'both', at: 5, inTime: true, harmed: [], mended: 'resume', mendedStatus: 0, state: 'removed', stale: 0, intact: true, says: '', ...more });
const race = (more: Partial<StoredRace> = {}): StoredRace => ({ what: 'churn', kernel: 'debian:6.12', release: '6.12.1', version: '1', qemu: '7', fs: 'ext4', seed: 1, rounds: [round()], reason: null, log: {}, logLines: [], date: '2026-01-01', ...more });

test('a race is lost by each thing that must not be', () => {
  assert.deepEqual(faultsOf(race()), []);
  for (const bad of [{ stale: 1 }, { exposed: 1 }, { intact: false }, { status: 'partly' }]) assert.equal(faultsOf(race({ rounds: [round(bad)] })).length, 1, JSON.stringify(bad));
  assert.equal(faultsOf(race({ log: { oops: 1 } })).length, 1);
  assert.equal(faultsOf(race({ reason: 'the guest fell silent' })).length, 1);
  for (const bad of [{ harmed: ['faults: T'] }, { state: 'other' }, { mendedStatus: 64 }, { stale: 2 }] as const) assert.equal(faultsOf(race({ what: 'kill', rounds: [killed(bad)] })).length, 1, JSON.stringify(bad));
});

test('a removal that was called off is no fault, and is counted', () => {
  const r = race({ rounds: [round(), round({ status: 'called-off', why: 'held' })] });
  assert.match(verdictOf(r).text, /1 of 2 removals done; nothing stale, nothing lost/);
  assert.equal(verdictOf(r).good, true);
});

test('the page adds up races of one kernel and file system; the same seed again takes the place of the first', () => {
  const all = addRace(addRace([race()], race({ seed: 2, rounds: [round(), round()] }), '2026-01-02'), race({ rounds: [round(), round(), round()] }), '2026-01-03');
  assert.deepEqual(all.map((r) => r.rounds.length), [3, 2]);
  assert.match(racePage(all), /\| 6\.12\.1 \(1\) \| ext4 \| 1, 2 \| 5 \| 5 \| 0 \| 5440 \| 0 \| 0 \| 5 \| 25 \| 5 of 5 \| none \|/);
  const kills = racePage([race({ what: 'kill', rounds: [killed(), killed({ killed: 'child', mended: 'rollback', state: 'as before' }), killed({ inTime: false })] })]);
  assert.match(kills, /\| 0, 1, 1 \| 0 \| 1 \| 1 \| 0 \| 1, 1, 0 \| 0 \| 2 of 2 \| none \|/);
});
