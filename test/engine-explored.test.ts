/**
 * The real removal engine on the simulated kernel, every order of its host calls with what a few processes do meanwhile.
 * UNSEAT_ENGINE_SHAPES=all takes every shape, way and release (ten minutes of processor time), =most what CI takes: the
 * oldest and the newest kind of kernel, without the shapes of three deeds and more (a minute and a half). The sample here takes seconds.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { engineCase, SHAPES, type CaseOptions } from '../src/explore/engine/engine-case.ts';
import type { RunResult } from '../src/explore/engine/one-run.ts';
import { runOnce } from '../src/explore/engine/one-run.ts';
import { searchEngine, type EngineVerdict } from '../src/explore/engine/search.ts';
import type { Profile } from '../src/profile/profile.ts';
import { profileByName } from '../src/profile/select.ts';
import type { Way } from '../src/steps/reason.ts';

const ALL = process.env['UNSEAT_ENGINE_SHAPES'] === 'all';
const MOST = process.env['UNSEAT_ENGINE_SHAPES'] === 'most';
const RELEASES = ALL ? ['5.10', '6.1', '6.12', '7.2', '7.3'] : MOST ? ['5.10', '7.2'] : ['7.2'];
const TAKEN = Object.keys(SHAPES).filter((name) => ALL || (SHAPES[name] ?? []).flatMap((actor) => actor.deeds).length < 3);
const SAMPLE: readonly (readonly [Way, readonly string[]])[] = ALL || MOST
  ? [['detach', TAKEN], ['kill', TAKEN], ['force', ['fault', 'write', 'fork', 'exit', 'die', 'roll-back', 'die-and-fault', 'roll-back-and-fault']]]
  : [['detach', ['fault', 'cwd', 'exit', 'die']], ['kill', ['fork', 'map']], ['force', ['fault', 'roll-back']]];

const caseOf = (release: string, way: Way, shape: string, options: CaseOptions = {}) => engineCase(profileByName(release) as Profile, way, SHAPES[shape] ?? [], options);
const search = (release: string, way: Way, shape: string, options: CaseOptions & { first?: boolean; reduce?: boolean; onRun?: (r: RunResult) => void } = {}): Promise<EngineVerdict> =>
  searchEngine(caseOf(release, way, shape, options), { now: () => 0, all: options.first !== true, ...(options.reduce === undefined ? {} : { reduce: options.reduce }), ...(options.onRun === undefined ? {} : { onRun: options.onRun }) });

for (const [way, shapes] of SAMPLE) {
  for (const shape of shapes) {
    test(`by ${way}, ${shape}: no order of host calls and deeds leaves anything behind`, async () => {
      for (const release of RELEASES) {
        // The plan allows no --force on kernels whose memory_failure() unmaps nothing.
        if (way === 'force' && release === '5.10') continue;
        const verdict = await search(release, way, shape);
        assert.deepEqual(verdict.failures.map((f) => f.wrong), [], release);
        assert.ok(verdict.complete);
        assert.ok((verdict.ends['done'] ?? 0) > 0, `no removal went through: ${JSON.stringify(verdict.ends)}`);
        // A search that cuts everything, or sees no place for a deed, proves nothing.
        assert.ok(verdict.runs >= 3 && verdict.runs + verdict.cut > verdict.runs, JSON.stringify(verdict));
        if (process.env['UNSEAT_TEST_OUTPUT'] === '1') console.log(`${shape} by ${way} on ${release}: ${verdict.runs} runs, ${verdict.cut} cut, ${verdict.calls} host calls, ${JSON.stringify(verdict.ends)}`);
      }
    });
  }
}

test('the same under XFS with a reverse map, whose unbind would spin', async () => {
  for (const [way, shape] of [['detach', 'fault'], ['kill', 'exit'], ...(ALL ? [['detach', 'map'], ['detach', 'fork'], ['kill', 'map']] as const : [])] as const) {
    for (const release of RELEASES) {
      const verdict = await search(release, way, shape, { filesystem: 'xfs' });
      assert.deepEqual(verdict.failures.map((f) => f.wrong), [], `${shape} by ${way} on ${release}`);
      assert.ok(verdict.complete && (verdict.ends['done'] ?? 0) > 0);
    }
  }
});

/** Everything that is left of a run: every word of the heap, and what the record says. */
const end = (r: RunResult): string => {
  const { heap } = r.built.world.k;
  return createHash('sha256').update(Buffer.from(heap.words.buffer, 0, heap.used * 4)).update(JSON.stringify(r.record?.steps.map((s) => [s.id, s.outcome, s.says]) ?? null)).digest('hex');
};

const COMPARED: readonly (readonly [Way, string])[] = [['detach', 'exit'], ['kill', 'write'], ...(ALL ? [['detach', 'fault'], ['kill', 'fork'], ['force', 'exit'], ['kill', 'map']] as const : [])];
for (const [way, shape] of COMPARED) {
  test(`by ${way}, ${shape}: runs that are cut come to no end that others do not come to`, async () => {
    const ends = async (reduce: boolean): Promise<{ all: string[]; runs: number }> => {
      const all = new Set<string>();
      const { runs } = await search('7.2', way, shape, { reduce, onRun: (r) => all.add(end(r)) });
      return { all: [...all].sort(), runs };
    };
    const reduced = await ends(true);
    const full = await ends(false);
    assert.deepEqual(reduced.all, full.all);
    assert.ok(reduced.runs < full.runs);
  });
}

test('a run with the same places is the same run', async () => {
  const engine = caseOf('7.2', 'detach', 'fork');
  const [a, b] = [await runOnce(engine, [{ at: 40, actor: 0 }], false), await runOnce(engine, [{ at: 40, actor: 0 }], false)];
  assert.deepEqual(a.story, b.story);
  assert.equal(end(a), end(b));
});

test('an engine that leaves a step of the protocol out is caught', async () => {
  const caught = async (way: Way, shape: string, options: CaseOptions): Promise<string> => {
    const verdict = await search('7.2', way, shape, { ...options, first: true });
    return verdict.failures[0]?.wrong.join('; ') ?? 'not caught';
  };
  assert.match(await caught('force', 'fault', { without: ['memory-failure'] }), /pid 100 still maps 2 pages of the device, which is gone/);
  assert.match(await caught('force', 'fault', { mutation: 'stop-nobody' }), /pid 100 still maps 1 page of the device, which is gone/);
  assert.match(await caught('force', 'die', { mutation: 'lose-the-journal' }), /memory_failure_early_kill was 0 and is 1/);
  assert.match(await caught('force', 'fork', { mutation: 'know-only-the-first' }), /pid 102 still maps 1 page of the device, which is gone/);
});

test('a step left out that another one makes good leaves nothing behind either', async () => {
  for (const without of [['signal-process'], ['confirm-no-holders']] as const) {
    assert.deepEqual((await search('7.2', 'kill', 'fork', { without })).failures.map((f) => f.wrong), [], without.join());
  }
});

/**
 * --force leaves the file system mounted, and a process may map a file between the engine's last look and the write to
 * unbind; no lock of any kernel closes this window. The look after the unbind finds it and the device is bound again.
 */
test('by force, map: a latecomer after the last look brings the device back, and without that look keeps a stale page', async () => {
  const told: string[] = [];
  const { failures, ends } = await search('7.2', 'force', 'map', { onRun: (r) => told.push(...(r.record?.steps ?? []).flatMap((s) => (s.says?.startsWith('mapped between') === true ? [`${r.status}: ${s.says}`] : []))) });
  assert.deepEqual(failures.map((f) => f.wrong), []);
  assert.ok((ends['done'] ?? 0) > 0);
  assert.match(told[0] ?? '', /^(called-off|partly): mapped between the last look and the unbind by pid 101 /);
  const blind = await search('7.2', 'force', 'map', { without: ['confirm-gone'], first: true });
  assert.deepEqual(blind.failures.map((f) => f.wrong), [['pid 101 still maps 1 page of the device, which is gone']]);
  const { story } = blind.failures[0]!;
  assert.equal(story[story.findIndex((line) => line.startsWith('actions.write') && line.endsWith('/unbind')) - 1], '  late: read');
});
