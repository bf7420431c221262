/** The demo tells what the simulated machine did, for every measured kernel. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareUnbind, detach, exitWhileUnbound } from '../src/cli/demo/pmem-story.ts';
import { ramThatStays } from '../src/cli/demo/ram-story.ts';

for (const kernel of ['5.10', '6.1', '6.12', '6.18', '7.2']) {
  test(`on ${kernel} a bare unbind leaves 1024 pages readable, and the next owner's data with them`, async () => {
    const bare = await bareUnbind(kernel);
    assert.equal(bare.writeReturned, '0');
    assert.deepEqual([bare.whileUnbound.ok, bare.whileUnbound.sigbus], [1024, 0]);
    assert.equal(bare.afterRebind.ok, 1024);
    assert.ok(bare.foreignReads >= 1024);
  });

  test(`on ${kernel} unseat takes the device out: holders live, nothing of the next owner is read`, async () => {
    const steps: string[] = [];
    const story = await detach(kernel, (line) => steps.push(line));
    assert.equal(story.record.status, 'done');
    assert.deepEqual(story.alive, ['database', 'report', 'shell']);
    assert.deepEqual([story.database.ok, story.database.sigbus, story.database.dead], [0, 1024, false]);
    assert.deepEqual([story.report.ok, story.report.sigbus], [1024, 0]);
    assert.equal(story.foreignReads, 0);
    assert.equal(story.exitOops, null);
    assert.ok(!story.iomemAfter.some((line) => line.includes('namespace0.0')));
    assert.equal(steps.length, story.record.steps.length);
  });
}

test('the exit of a stale holder is an oops on 7.2 and none on 6.12', async () => {
  assert.match((await exitWhileUnbound('7.2')).oops ?? '', /unmap_vmas/);
  assert.equal((await exitWhileUnbound('6.12')).oops, null);
});

test('memory in zone Normal stays, and the plan says which block, why, and what a bare unbind would cost', () => {
  for (const kernel of ['5.10', '6.12', '7.2']) {
    const { plan, graceful } = ramThatStays(kernel);
    assert.equal(graceful?.possible, false);
    assert.ok(graceful?.blockers.some((b) => b.reason === 'memory-unmovable' && /memory\d+ holds/.test(b.text)));
    assert.ok(plan.forecasts.some((f) => f.event === 'unbind' && f.effects.some((e) => e.effect === 'region-leaked')));
  }
});
