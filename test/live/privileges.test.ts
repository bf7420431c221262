/** An ordinary user, and a root without capabilities, at a file system that a program holds: nothing changes, and it is said why. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { journalPath } from '../../src/remove/journal/journal.ts';
import { LoopMount, Program, cannotRunLive, compile, hasProgram } from './loop.ts';

const skip = cannotRunLive() || (hasProgram('setpriv') ? false : 'needs setpriv');
const LIVES = /State:\s*[RSD]/;
const USERS: Readonly<Record<string, readonly string[]>> = {
  'an ordinary user': ['--reuid=65534', '--regid=65534', '--clear-groups'],
  'root without CAP_SYS_PTRACE': ['--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace'],
  'root without CAP_SYS_ADMIN': ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin'],
};

/** Each step that lacks something, with what it lacks. */
const SAYS: Readonly<Record<string, RegExp>> = {
  'an ordinary user': /CAP_SYS_PTRACE for step \d+ \(.*CAP_SYS_ADMIN for step \d+ \(umount .*Run it as root\./,
  'root without CAP_SYS_PTRACE': /"seen":"CAP_SYS_PTRACE for step \d+ \([^"]*".*run it where root has it/,
  'root without CAP_SYS_ADMIN': /"seen":"CAP_SYS_ADMIN for step \d+ \(umount [^"]*".*run it where root has it/,
};

let fs: LoopMount;
let program: Program;
before(async () => {
  if (skip !== false) return;
  fs = new LoopMount(32);
  // An ordinary user may look at the mount point.
  chmodSync(fs.directory, 0o755);
  program = new Program(compile('holder', fs.directory), [fs.path('f'), '0']);
  assert.match(await program.line(), /^mapped/);
});
after(() => {
  if (skip !== false) return;
  program.kill();
  fs.dispose();
});

const as = (user: string, script: string, args: readonly string[]): { status: number | null; out: string; err: string } => {
  const ran = spawnSync('setpriv', [...(USERS[user] ?? []), process.execPath, resolve(import.meta.dirname, script), ...args], { encoding: 'utf8', input: 'go\n', timeout: 60_000 });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
};

async function untouched(what: string): Promise<void> {
  assert.match(readFileSync('/proc/self/mounts', 'utf8'), new RegExp(`${fs.device} ${fs.mountPoint} ext4 rw`), what);
  assert.match(readFileSync(`/proc/${program.pid}/status`, 'utf8'), LIVES, what);
  assert.match(readFileSync(`/proc/${program.pid}/status`, 'utf8'), /TracerPid:\s*0/, what);
  assert.notEqual(await program.ask('touch'), 'sigbus', what);
  assert.match(await program.ask('check'), /^errors 0 /, what);
}

for (const user of Object.keys(USERS)) {
  for (const way of ['graceful', 'detach', 'kill']) {
    test(`${user}, ${way}: the file system and its holder stay as they are`, { skip }, async () => {
      const { out, err } = as(user, 'remove-loop.ts', [fs.mountPoint, fs.device, [...fs.numbers].join(','), way, 'as-command']);
      assert.match(out, /"status":"refused","code":"NO_PERMISSION"/, `${out}${err}`);
      assert.match(out, SAYS[user] ?? /^$/, out);
      await untouched(`${user}, ${way}`);
      assert.equal(existsSync(journalPath(`loop:${basename(fs.device)}`)), false);
    });
  }
}

const MEMORY = '/sys/devices/system/memory';
const block = existsSync(MEMORY) ? readdirSync(MEMORY).filter((name) => /^memory\d+$/.test(name)).at(-1) : undefined;

test('an ordinary user: journals of removals are not taken for none, and a file that may not be read is no defect', { skip }, () => {
  const secret = join(fs.directory, 'secret.yaml');
  writeFileSync(secret, 'x', { mode: 0o600 });
  mkdirSync('/run/unseat', { recursive: true, mode: 0o700 });
  for (const command of ['resume', 'rollback']) {
    const { status, err } = as('an ordinary user', '../../src/cli/main.ts', [command]);
    assert.deepEqual([status, /NO_PERMISSION[^]*Run it as root/.test(err)], [3, true], err);
  }
  const { status, err } = as('an ordinary user', '../../src/cli/main.ts', ['scan', '--simulate', secret]);
  assert.deepEqual([status, /\[UNREADABLE\]\n  cause: EACCES/.test(err)], [1, true], err);
});

test('unseat remove without consent or privileges: refused, the step and what it needs, the block as before', { skip: skip || (block === undefined ? 'needs memory blocks' : false) }, () => {
  const state = join(MEMORY, block ?? '', 'state');
  const now = readFileSync(state, 'utf8');
  for (const yes of [[], ['--yes', block ?? '']]) {
    const { status, err } = as('an ordinary user', '../../src/cli/main.ts', ['remove', block ?? '', ...yes]);
    assert.equal(status, 3, err);
    assert.match(err, /CAP_DAC_OVERRIDE for step 1 .*\n.*Run it as root|\[REFUSED\]/, err);
    assert.equal(readFileSync(state, 'utf8'), now);
  }
});
