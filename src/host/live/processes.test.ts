import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, closeSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isMissing, missing } from '../fact.ts';
import { deviceNumber, LiveFiles, rawDeviceNumber } from './files.ts';
import { LiveIdentity } from './identity.ts';
import { goneMapping, Pagemaps } from './pagemap.ts';
import { LiveProcesses } from './processes.ts';

const live = (): LiveProcesses => new LiveProcesses(new LiveFiles(), 4096);

test('our own mappings are those that the kernel prints', () => {
  const mappings = live().mappings(process.pid);
  assert.ok(!isMissing(mappings));
  const program = mappings.find((m) => m.name === process.execPath);
  const stat = statSync(process.execPath);
  assert.deepEqual([program?.dev, program?.ino], [deviceNumber(stat.dev), stat.ino]);
});

test('with devices, only their mappings, the same as of all', () => {
  const dev = deviceNumber(statSync(process.execPath).dev);
  const processes = live();
  const all = processes.mappings(process.pid);
  const some = processes.mappings(process.pid, new Set([dev]));
  assert.ok(!isMissing(all) && !isMissing(some));
  const named = some.filter((m) => m.dev === dev && m.name === process.execPath);
  assert.deepEqual(named, all.filter((m) => m.name === process.execPath));
  assert.ok(named.length > 0 && some.every((m) => m.dev === dev || m.name.startsWith('socket:[') || m.name.startsWith('/[aio]')));
});

test('a process that is not there has vanished, whatever is asked of it', () => {
  const processes = live();
  const pid = 5_000_000;
  for (const answer of [processes.read(pid, 'stat'), processes.mappings(pid), processes.openFiles(pid), processes.place(pid, 'cwd'), processes.threads(pid), processes.namespace(pid, 'mnt')]) {
    assert.equal(isMissing(answer) && answer.missing, 'vanished');
  }
});

test('open files with their target, inode and node number', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'unseat-fd-'));
  const file = join(directory, 'a b (deleted)');
  writeFileSync(file, '');
  const fds = [openSync(file, 'r'), openSync('/dev/null', 'r')];
  t.after(() => {
    for (const fd of fds) closeSync(fd);
    rmSync(directory, { recursive: true });
  });
  const open = live().openFiles(process.pid);
  assert.ok(!isMissing(open));
  assert.deepEqual(open.find(({ fd }) => fd === fds[0]), { fd: fds[0], target: file, dev: deviceNumber(statSync(file).dev), ino: statSync(file).ino });
  assert.equal(open.find(({ fd }) => fd === fds[1])?.rdev, '1:3');
});

test('pipes and sockets have the names that the kernel gives them, the second of a kind too', (t) => {
  const child = spawn('sleep', ['60'], { stdio: ['pipe', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  for (const pid of [process.pid, child.pid ?? 0]) {
    for (let round = 0; round < 2; round += 1) {
      const open = live().openFiles(pid);
      assert.ok(!isMissing(open));
      const nameless = open.filter(({ target }) => /^(pipe|socket):/.test(target));
      for (const { fd, target, dev } of nameless) assert.deepEqual([readlinkSync(`/proc/${pid}/fd/${fd}`), dev], [target, undefined]);
      assert.ok(nameless.length > 0);
    }
  }
});

for (const many of [false, true]) {
  test(`suspects, ${many ? 'on two threads' : 'alone'}: who has something of the devices; what was read on the way is what would have been read, each answer once`, async (t) => {
    const processes = live();
    t.after(() => processes.close());
    const holder = spawn('sleep', ['60'], { stdio: 'ignore' });
    t.after(() => holder.kill('SIGKILL'));
    const pid = holder.pid ?? 0;
    // Asleep: before, its libraries are still on their way in.
    while (readFileSync(`/proc/${pid}/comm`, 'utf8') !== 'sleep\n' || !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') S ')) await new Promise((done) => { setTimeout(done, 1); });
    const devices = new Set([deviceNumber(statSync(`/proc/${pid}/exe`).dev)]);
    // Those that are not there come as suspects too: what could not be looked at is for the search to tell.
    const gone = Array.from({ length: many ? 400 : 3 }, (_, i) => 5_000_000 + i);
    const plain = live();
    for (let search = 0; search < 2; search += 1) {
      const seen: number[] = [];
      for (const suspect of processes.suspects([2, ...gone, pid], devices, true)) {
        seen.push(suspect);
        for (let round = 0; suspect === pid && round < 2; round += 1) {
          assert.deepEqual(processes.mappings(pid, devices), plain.mappings(pid, devices));
          assert.deepEqual(processes.openFiles(pid), plain.openFiles(pid));
          for (const place of ['cwd', 'root', 'exe'] as const) assert.deepEqual(processes.place(pid, place), plain.place(pid, place));
          assert.equal(processes.namespace(pid, 'mnt'), plain.namespace(pid, 'mnt'));
          assert.deepEqual([processes.read(pid, 'cmdline'), plain.read(pid, 'cmdline')].map((bytes) => isMissing(bytes) || Buffer.from(bytes).toString()), ['sleep\x0060\0', 'sleep\x0060\0']);
        }
        const stat = processes.read(5_000_002, 'stat');
        assert.equal(isMissing(stat) && stat.missing, 'vanished');
      }
      assert.deepEqual(seen.filter((suspect) => suspect !== 2).sort((a, b) => a - b), [pid, ...gone].sort((a, b) => a - b));
      assert.deepEqual([...processes.suspects([pid], new Set(['4095:1048575']), true)], [], 'a process that has nothing of the device');
    }
    // A search that is given up half way does not disturb the next.
    for (const suspect of processes.suspects([...gone, pid], devices, true)) if (suspect >= 5_000_000) break;
    assert.ok([...processes.suspects([...gone, pid], devices, true)].includes(pid));
  });
}

test('asked by number, the same is found, and processes without the device are passed over', async (t) => {
  // Of another process, that sleeps: our own mappings change while we look.
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.after(() => sleeper.kill('SIGKILL'));
  const pid = sleeper.pid ?? 0;
  while (readFileSync(`/proc/${pid}/comm`, 'utf8') !== 'sleep\n' || !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') S ')) await new Promise((done) => { setTimeout(done, 1); });
  const dev = deviceNumber(statSync(`/proc/${pid}/exe`).dev);
  const [asked, plain] = [live(), live()];
  asked.askByNumber();
  const found = plain.mappings(pid, new Set([dev]));
  assert.ok(!isMissing(found) && found.length > 2);
  assert.deepEqual(asked.mappings(pid, new Set([dev])), found);
  for (let round = 0; round < 2; round += 1) assert.deepEqual(asked.mappings(pid, new Set(['4095:1048575'])), plain.mappings(pid, new Set(['4095:1048575'])));
  const gone = asked.mappings(5_000_000, new Set([dev]));
  assert.equal(isMissing(gone) && gone.missing, 'vanished');
});

test('processes with one address space are told from forked ones', (t) => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  const spaces = live().addressSpaces([process.pid, pid, 5_000_000]);
  assert.equal(spaces.get(process.pid), process.pid);
  assert.equal(spaces.get(pid), pid);
  assert.equal(spaces.has(5_000_000), false);
});

test('whoever shares an address space is told under its lowest number, in whatever order they are given', (t) => {
  const children = Array.from({ length: 3 }, () => spawn('sleep', ['60'], { stdio: 'ignore' }));
  t.after(() => children.forEach((child) => child.kill('SIGKILL')));
  const pids = children.map(({ pid }) => pid ?? 0);
  const threads = readdirSync('/proc/self/task').map(Number);
  assert.ok(threads.length > 3);
  const lowest = Math.min(...threads);
  for (const order of [[...pids, ...threads], [...threads, ...pids], [threads[0] ?? 0, ...pids, ...threads.slice(1).reverse()]]) {
    const expected = order.map((id) => [id, threads.includes(id) ? lowest : id]);
    for (const gone of [[], [5_000_000]]) {
      const spaces = live().addressSpaces([...gone, ...order]);
      assert.deepEqual(order.map((id) => [id, spaces.get(id)]), expected);
      assert.equal(spaces.size, order.length);
    }
  }
});

test('a mapping of a device that is gone makes pagemap unsafe', () => {
  const present = new Set(['/sys/dev/block/8:1', '/sys/dev/char/250:0']);
  const files = { stat: (path: string) => (present.has(path) ? { kind: 'directory' as const, dev: '0:1', ino: 1, mode: 0, size: 0 } : missing('absent', path)) };
  const mapping = (dev: string, rdev?: string) => ({ start: 4096, end: 8192, perms: 'rw-s', offset: 0, dev, ino: 5, name: '/mnt/f', ...(rdev === undefined ? {} : { rdev }) });
  assert.equal(goneMapping(files, [mapping('8:1'), mapping('0:25'), mapping('0:6', '250:0'), mapping('0:6', '1:5')]), undefined);
  assert.equal(goneMapping(files, [mapping('8:1'), mapping('259:0')])?.dev, '259:0');
  assert.equal(goneMapping(files, [mapping('0:6', '250:1')])?.rdev, '250:1');
  assert.equal(goneMapping(files, [{ ...mapping('259:0'), ino: 0 }]), undefined);
  let opened = 0;
  const counting = { ...files, readAt: () => { opened += 1; return 0; } } as unknown as LiveFiles;
  const answer = new Pagemaps(counting, () => [mapping('259:0')], 4096).read(1, 4096, new Uint8Array(8));
  assert.equal(isMissing(answer) && answer.missing, 'unsafe');
  assert.equal(opened, 0, 'the file was not touched');
});

test('device numbers of every size, as glibc packs them', () => {
  assert.equal(deviceNumber(0x801), '8:1');
  assert.equal(deviceNumber(259 * 256), '259:0');
  assert.equal(deviceNumber(Number((0xfffn << 8n) | 0xffn | (0xfff00n << 12n))), '4095:1048575');
  for (const number of ['8:1', '0:25', '259:0', '4095:1048575', '511:65791']) assert.equal(deviceNumber(rawDeviceNumber(number)), number);
});

test('who we are is what the kernel says', () => {
  const identity = new LiveIdentity(new LiveFiles());
  assert.equal(identity.release, readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
  assert.ok(typeof identity.pageSize === 'number' && identity.pageSize >= 4096);
  assert.ok(Array.isArray(identity.capabilities));
});
