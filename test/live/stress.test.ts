/** A moderate dose of tools/stress-detach.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLive } from '../../src/host/live/open.ts';
import { LoopMount, Program, cannotRunLive, compile } from './loop.ts';
import { killedRemovals, killedTracers, manyDetaches } from './stress.ts';

const skip = cannotRunLive();
const SEED = Number(process.env['UNSEAT_SEED'] ?? 4);

test('a busy program is detached again and again, and survives tracers that are killed at any moment', { skip }, async () => {
  const fs = new LoopMount(32);
  const host = openLive();
  const program = new Program(compile('holder', fs.directory), [fs.path('f'), '1']);
  try {
    await program.line();
    await manyDetaches(host, fs, program, 10);
    await program.ask('map');
    const counts = await killedTracers(host, fs, program, 8, SEED);
    assert.equal(counts.letGo + counts.stillHolding, 8);
    for (const victim of ['unseat', 'child', 'both'] as const) await killedRemovals(host, fs, program, 1, SEED, victim);
  } finally {
    program.kill();
    host.close();
    fs.dispose();
  }
});
