/**
 * `node tools/stress-detach.ts [DETACHES] [KILLS] [SEED] [KINDS] [THREADS]` as root: many detaches of a busy multi-threaded program over a
 * loop-mounted ext4, then tracers killed at random moments, then whole removals with unseat, its child, or both killed.
 * KINDS: what is killed, of tracer,unseat,child,both (default: all; none: only detaches). THREADS: busy threads of the program (default 4). Ends with an error at the first sign of harm.
 */
import { openLive } from '../src/host/live/open.ts';
import { LoopMount, Program, cannotRunLive, compile } from '../test/live/loop.ts';
import { killedRemovals, killedTracers, manyDetaches } from '../test/live/stress.ts';

const [detaches = 1000, kills = 300, seed = 1] = process.argv.slice(2, 5).map(Number);
const kinds = (process.argv[5] ?? 'tracer,unseat,child,both').split(',');
const tell = (line: string): void => console.error(line);
const no = cannotRunLive();
if (no !== false) {
  console.log(`skipped: ${no}`);
  process.exit(77);
}
const fs = new LoopMount(32);
const host = openLive();
const program = new Program(compile('holder', fs.directory), [fs.path('f'), process.argv[6] ?? '4']);
try {
  await program.line();
  await manyDetaches(host, fs, program, detaches, tell);
  console.log(`${detaches} detaches: ${await program.ask('check')}`);
  await program.ask('map');
  const counts = kinds.includes('tracer') ? await killedTracers(host, fs, program, kills, seed, tell) : null;
  if (counts !== null) console.log(`${kills} tracers killed (seed ${seed}; ${counts.stillHolding} before, ${counts.letGo} after the chain was committed): ${await program.ask('check')}`);
  for (const victim of (['unseat', 'child', 'both'] as const).filter((v) => kinds.includes(v))) {
    const ends = await killedRemovals(host, fs, program, kills, seed, victim, tell);
    console.log(`${kills} removals with ${victim} killed: ${JSON.stringify(ends)}: ${await program.ask('check')}`);
  }
} finally {
  program.kill();
  host.close();
  fs.dispose();
}
