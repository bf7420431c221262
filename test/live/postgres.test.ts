/** A database with its files on the device: all of its processes are made to let go, and live on. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openLive } from '../../src/host/live/open.ts';
import { holdersNow } from '../../src/remove/acts/holders.ts';
import { remove } from '../../src/remove/engine/run.ts';
import { LoopMount, cannotRunLive, hasProgram } from './loop.ts';
import { loopPlan } from './loop-plan.ts';

const asPostgres = (...command: string[]): string => execFileSync('runuser', ['-u', 'postgres', '--', ...command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

function cannotRun(): string | false {
  const no = cannotRunLive();
  if (no !== false) return no;
  for (const program of ['postgres', 'initdb', 'pg_ctl', 'runuser']) if (!hasProgram(program)) return `needs ${program}`;
  return spawnSync('id', ['postgres']).status === 0 ? false : 'needs a user postgres';
}

test('postgres', { skip: cannotRun() }, async () => {
  const fs = new LoopMount(256);
  const host = openLive();
  const data = fs.path('data');
  let pids: number[] = [];
  try {
    chmodSync(fs.directory, 0o755);
    mkdirSync(data);
    execFileSync('chown', ['postgres', data]);
    asPostgres('initdb', '--no-sync', '-D', data);
    asPostgres('pg_ctl', '-D', data, '-w', '-o', `-c listen_addresses= -c unix_socket_directories=/tmp -p 54${process.pid % 1000}`, '-l', '/dev/null', 'start');
    const { holders } = holdersNow(host, fs.deviceNumbers());
    pids = holders.map((h) => h.pid);
    assert.ok(pids.length >= 4, `${pids.length} processes hold the data`);
    const { plan, way } = loopPlan(host, fs.mountPoint, fs.device, fs.deviceNumbers(), 'detach');
    const record = await remove(host, plan, way, [...fs.deviceNumbers()], { own: [process.pid], acceptUnseen: true });
    assert.equal(record.status, 'done', JSON.stringify(record.steps.filter((s) => s.outcome !== 'done')));
    const alive = pids.filter((pid) => existsSync(`/proc/${pid}`) && !/State:\s*[Zt]/.test(readFileSync(`/proc/${pid}/status`, 'latin1')));
    assert.deepEqual(alive, pids);
  } finally {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Its postmaster has ended it.
      }
    }
    host.close();
    fs.dispose();
  }
});
