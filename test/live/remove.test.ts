/** The removal engine on the live machine: a loop-mounted file system is taken away from under real programs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLive } from '../../src/host/live/open.ts';
import { remove } from '../../src/remove/engine/run.ts';
import { LoopMount, Program, cannotRunLive, compile, hasProgram } from './loop.ts';
import { loopPlan } from './loop-plan.ts';

const skip = cannotRunLive();

for (const way of ['detach', 'kill'] as const) {
  test(`${way}: holders ${way === 'detach' ? 'live on' : 'end'}, the file system is unmounted and the loop device free`, { skip }, async () => {
    const fs = new LoopMount(32);
    const host = openLive();
    const holder = compile('holder', fs.directory);
    const programs = [new Program(holder, [fs.path('a'), '2']), new Program(holder, [fs.path('b'), '0']), new Program('sleep', ['1000'], fs.mountPoint)];
    try {
      await programs[0]?.line();
      await programs[1]?.line();
      const refused = loopPlan(host, fs.mountPoint, fs.device, fs.deviceNumbers(), 'graceful');
      const no = await remove(host, refused.plan, refused.way, [...fs.deviceNumbers()], { own: [process.pid], acceptUnseen: true });
      assert.equal(no.status, 'called-off');
      assert.match(no.steps.at(-1)?.says ?? '', /held by pid \d+ \(holder\)/);
      const { plan, way: wayPlan } = loopPlan(host, fs.mountPoint, fs.device, fs.deviceNumbers(), way);
      const record = await remove(host, plan, wayPlan, [...fs.deviceNumbers()], { own: [process.pid], acceptUnseen: true });
      assert.equal(record.status, 'done', JSON.stringify(record.steps.filter((s) => s.outcome !== 'done')));
      for (const program of programs.slice(0, 2)) {
        if (way === 'kill') continue;
        assert.equal(await program.ask('private'), 'intact');
        assert.equal(await program.ask('touch'), 'sigbus');
        assert.match(await program.ask('check'), /^errors 0 /);
      }
      if (way === 'detach') assert.deepEqual(programs.map((p) => p.ended), [null, null, null]);
    } finally {
      for (const program of programs) program.kill();
      host.close();
      fs.dispose();
    }
  });
}

test('a mount namespace made after the plan: its copy of the mount is taken away too', { skip: skip || (hasProgram('unshare') ? false : 'needs unshare') }, async () => {
  const fs = new LoopMount(32);
  const host = openLive();
  const program = new Program(compile('holder', fs.directory), [fs.path('f'), '0']);
  let other: Program | undefined;
  try {
    await program.line();
    const { plan, way } = loopPlan(host, fs.mountPoint, fs.device, fs.deviceNumbers(), 'detach');
    other = new Program('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', 'echo up; exec sleep 1000']);
    assert.equal(await other.line(), 'up');
    const record = await remove(host, plan, way, [...fs.deviceNumbers()], { own: [process.pid], acceptUnseen: true });
    assert.equal(record.status, 'done', JSON.stringify(record.steps.filter((s) => s.outcome !== 'done')));
    assert.match(record.steps.map((s) => s.says).join(' '), /because it came meanwhile: .*in mount namespace \d+/);
    assert.match(await program.ask('check'), /^errors 0 /);
    assert.equal(other.ended, null);
  } finally {
    program.kill();
    other?.kill();
    host.close();
    fs.dispose();
  }
});
