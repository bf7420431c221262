/** The parsers of process files, against what the kernel prints and against anything at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMaps } from '../../host/maps.ts';
import { byteString } from '../../host/names.ts';
import { containerOf, parseCgroup, unitOf } from './cgroup.ts';
import { parseFdInfo } from './fdinfo.ts';
import { isKernelThread, parseStat } from './stat.ts';
import { parseStatus } from './status.ts';

const anyText = fc.uint8Array({ maxLength: 200 }).map(byteString);
const ID = '4f'.repeat(32);

const statLine = (pid: number, comm: string, start: number): string =>
  `${pid} (${comm}) S 1 ${pid} ${pid} 0 -1 4194304 54 0 0 0 0 1 5 0 20 0 3 0 ${start} 9420800 1187 18446744073709551615 1 2 140731647030912 0 0 0 0 6 1088 1 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n`;

test('a process name may hold blanks, parentheses, newlines and any byte', () => {
  const comm = fc.uint8Array({ maxLength: 15 }).map((bytes) => byteString(bytes.filter((b) => b !== 0)));
  fc.assert(fc.property(fc.nat(4_194_304), comm, fc.nat(), (pid, name, start) => {
    const stat = parseStat(statLine(pid + 1, name, start));
    assert.deepEqual([stat?.pid, stat?.comm, stat?.startTime, stat?.threads, stat?.parent], [pid + 1, name, start, 3, 1]);
  }));
  assert.equal(parseStat(statLine(7, ') S 1 2 (', 99))?.comm, ') S 1 2 (');
});

test('kernel threads are told by their flag', () => {
  const thread = parseStat('2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 4 0 0 20 0 1 0 37 0 0 18446744073709551615 0 0 0 0 0 0\n');
  assert.ok(thread !== null && isKernelThread(thread));
  const init = parseStat('1 (init) S 0 0 0 0 -1 4194560 178 859 0 0 2 104 2 128 20 0 1 0 37 2314240 400 18446744073709551615 4198400 5785993 140730755493344 0\n');
  assert.ok(init !== null && !isKernelThread(init));
});

test('no text makes a parser throw, and nonsense is no process', () => {
  fc.assert(fc.property(anyText, (text) => {
    parseStat(text);
    parseStatus(text);
    parseFdInfo(text);
    parseCgroup(text);
    parseMaps(Buffer.from(text, 'latin1'));
  }));
  assert.equal(parseStat(''), null);
  assert.equal(parseStat('\0'.repeat(300)), null);
  assert.equal(parseStat('12 (x) S 1 2\n'), null, 'truncated');
});

test('status: real uid, state, threads and pinned bytes', () => {
  assert.deepEqual(parseStatus('Name:\ta: b\nState:\tD (disk sleep)\nUid:\t1000\t0\t0\t0\nVmPin:\t    2048 kB\nThreads:\t12\n'), { uid: 1000, state: 'D', threads: 12, pinnedBytes: 2097152 });
  assert.deepEqual(parseStatus(''), { uid: null, state: null, threads: null, pinnedBytes: null });
});

test('fdinfo: flags stay octal, registered buffers are told from registered files', () => {
  const ring = parseFdInfo('pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t2069\nUserFiles:\t2\n    0: x\n    1: <none>\nUserBufs:\t2\n    0: 0x7f0b2c400000/8388608\n    1: <none>\nPollList:\n  op=6, task_works=0\n');
  assert.deepEqual(ring, { flags: '02000002', position: 0, mountId: 15, ino: 2069, ioUring: { slots: 2, listed: 2, buffers: [{ address: 0x7f0b2c400000, bytes: 8388608 }] } });
  assert.deepEqual(parseFdInfo('UserFiles:\t1\nUserBufs:\t3\nPollList:\n').ioUring, { slots: 3, listed: 0, buffers: [] });
  assert.equal(parseFdInfo('pos:\t0\nflags:\t0100002\nmnt_id:\t31\neventfd-count:                0\n').ioUring, null);
});

test('units and containers by their cgroup', () => {
  const of = (path: string): [string | null, string | null] => [unitOf(path), containerOf(path)];
  assert.deepEqual(of('/system.slice/ssh.service'), ['ssh.service', null]);
  assert.deepEqual(of('/user.slice/user-1000.slice/user@1000.service/app.slice/app-x@1.service'), ['user@1000.service/app.slice/app-x@1.service', null]);
  assert.deepEqual(of('/user.slice/user-0.slice/session-3.scope'), ['session-3.scope', null]);
  assert.deepEqual(of(`/system.slice/docker-${ID}.scope`), [`docker-${ID}.scope`, 'docker 4f4f4f4f4f4f']);
  assert.deepEqual(of(`/docker/${ID}`), [null, 'docker 4f4f4f4f4f4f']);
  assert.deepEqual(of(`/machine.slice/libpod-${ID}.scope/container`), [`libpod-${ID}.scope`, 'podman 4f4f4f4f4f4f']);
  assert.deepEqual(of(`/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12345678_1234_1234_1234_123456789abc.slice/cri-containerd-${ID}.scope`), [`cri-containerd-${ID}.scope`, 'containerd 4f4f4f4f4f4f']);
  assert.deepEqual(of(`/kubepods/besteffort/pod12345678-1234-1234-1234-123456789abc/${ID}`), [null, 'kubernetes 4f4f4f4f4f4f']);
  assert.deepEqual(of('/kubepods/besteffort/pod12345678-1234-1234-1234-123456789abc'), [null, 'kubernetes pod 12345678-1234-1234-1234-123456789abc']);
  assert.deepEqual(of(`/kubepods.slice/crio-${ID}.scope`), [`crio-${ID}.scope`, 'cri-o 4f4f4f4f4f4f']);
  assert.deepEqual(of('/lxc.payload.web/init.scope'), ['init.scope', 'lxc web']);
  assert.deepEqual(of('/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator'), ['machine-qemu\\x2d1\\x2dvm.scope', null]);
  assert.deepEqual(of('/'), [null, null]);
});

test("a hybrid hierarchy: systemd's own names the unit, the others the container", () => {
  assert.deepEqual(parseCgroup(`12:memory:/docker/${ID}\n1:name=systemd:/system.slice/containerd.service\n0::/\n`), { unit: 'containerd.service', container: 'docker 4f4f4f4f4f4f' });
  assert.deepEqual(parseCgroup('0::/\n'), { unit: null, container: null });
});
