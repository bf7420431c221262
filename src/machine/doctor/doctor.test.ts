import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { missing, type Fact } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import type { Check } from './check.ts';
import { examine } from './doctor.ts';

/** A machine of which only these files are there; all else is absent in the given way. */
function host(texts: Readonly<Record<string, string | Uint8Array>>, more: { readonly kind?: Host['kind']; readonly uid?: number; readonly capabilities?: readonly [number, number]; readonly release?: string; readonly arch?: string } = {}): Host {
  const kind = more.kind ?? 'live';
  const none = (path: string): never => missing(kind === 'capture' ? 'not-captured' : 'absent', path) as never;
  const bytes = (path: string): Fact<Uint8Array> => {
    const content = texts[path];
    return content === undefined ? none(path) : typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
  return {
    kind, label: 'a test', close: () => {},
    identity: { release: more.release ?? '6.12.1', version: '#1', arch: more.arch ?? 'x86_64', pageSize: 4096, uid: more.uid ?? 0, capabilities: more.capabilities ?? [0xffffffff, 0x1ff] },
    files: {
      read: bytes,
      text: (path) => { const b = bytes(path); return b instanceof Uint8Array ? new TextDecoder().decode(b) : b; },
      readAt: (path, _offset, into) => { const b = bytes(path); return b instanceof Uint8Array ? into.length : b; },
      list: (path) => { const b = bytes(path); return b instanceof Uint8Array ? new TextDecoder().decode(b).split(' ').filter((name) => name !== '') : b; },
      link: none, resolve: none,
      stat: (path) => (texts[path] === undefined ? none(path) : { kind: 'file', dev: '0:1', ino: 1, mode: 0o100644, size: 0 }),
    },
    processes: {
      pids: () => [1, 7], threads: none as never, read: none as never, mappings: () => [], openFiles: none as never, fdInfo: none as never,
      place: (pid, which) => (pid === 1 ? missing('denied', `/proc/1/${which}`, 'EACCES') : { target: '/' }), namespace: () => 1, pagemap: none as never,
    },
    mounts: { all: () => [{ id: 1, pid: 7, mountinfo: new Uint8Array() }] },
    log: { since: () => missing('denied', '/dev/kmsg', 'EPERM'), mark: () => -1 },
    time: { now: () => 0, wall: none as never, sleep: async () => {} },
    ...(kind === 'capture' ? {} : { actions: {} as never }),
  };
}

function found(machine: Host, id: string): Check {
  const all = examine(machine).areas.flatMap((area) => area.checks).filter((c) => c.id === id);
  assert.equal(all.length, 1, id);
  return all[0] as Check;
}

test('an iomem of zeros is not taken for an address map', () => {
  assert.equal(found(host({ '/proc/iomem': '00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code' }), 'iomem').state, 'limited');
  assert.equal(found(host({ '/proc/iomem': '00001000-0009fbff : System RAM' }), 'iomem').state, 'ok');
  assert.equal(found(host({ '/proc/iomem': '' }), 'iomem').state, 'limited');
});

test('capabilities that are lacking are named, those above bit 31 too', () => {
  assert.match(found(host({}, { capabilities: [0xffffffff, 0x1fb] }), 'user').fact, /without CAP_SYSLOG$/);
  assert.equal(found(host({}, { uid: 1000, capabilities: [0, 0] }), 'user').state, 'missing');
  assert.equal(found(host({}), 'user').state, 'ok');
});

test('a file that a capture lacks says nothing about its machine', () => {
  const capture = host({}, { kind: 'capture' });
  for (const id of ['lockdown', 'systemd', 'slots', 'bus-cxl', 'journal', 'memory-failure', 'memory-hotplug', 'config', 'ptrace', 'taint', 'sysfs']) assert.equal(found(capture, id).state, 'unknown', id);
  for (const id of ['systemd', 'slots', 'bus-cxl', 'memory-failure', 'memory-hotplug']) assert.match(found(capture, id).consequence, /not known/, id);
  assert.equal(found(capture, 'changes').state, 'missing');
});

test('the config is read packed, and noise is no config', () => {
  const config = (text: string): Uint8Array => gzipSync(text);
  const all = ['MEMORY_HOTREMOVE', 'MEMORY_FAILURE', 'ZONE_DEVICE', 'FS_DAX', 'PROC_PAGE_MONITOR'].map((name) => `CONFIG_${name}=y`).join('\n');
  assert.equal(found(host({ '/proc/config.gz': config(all) }), 'config').state, 'ok');
  const without = found(host({ '/proc/config.gz': config(all.replace('CONFIG_FS_DAX=y', '# CONFIG_FS_DAX is not set')) }), 'config');
  assert.deepEqual([without.state, without.fact], ['limited', 'built without FS_DAX']);
  assert.equal(found(host({ '/proc/config.gz': 'noise' }), 'config').state, 'missing');
  assert.equal(found(host({ '/proc/config.gz': config('\0'.repeat(8 << 20)) }), 'config').state, 'missing');
  assert.equal(found(host({ '/boot/config-6.12.1': all }), 'config').state, 'ok');
});

test('processes that may not be looked into are counted and named', () => {
  assert.match(found(host({}), 'processes').fact, /^1 of 2 processes may not be looked into \(1\)$/);
});

test('facilities follow the release', () => {
  assert.equal(found(host({}, { release: '5.10.0' }), 'procmap-query').state, 'limited');
  assert.equal(found(host({}, { release: '6.11.0-rc1' }), 'procmap-query').state, 'ok');
  assert.equal(found(host({}, { release: 'no release' }), 'procmap-query').state, 'unknown');
});

test('a machine that is no x86-64, a traced-by-nobody Yama, a read-only sysfs and a damaged kernel are told', () => {
  assert.equal(found(host({}, { arch: 'aarch64' }), 'detach').state, 'missing');
  assert.equal(found(host({ '/proc/sys/kernel/yama/ptrace_scope': '3\n' }), 'ptrace').state, 'missing');
  const table = '22 1 0:20 / /sys ro,nosuid - sysfs sysfs rw\n1 0 8:1 / / rw - ext4 /dev/sda1 rw';
  assert.equal(found(host({ '/proc/self/mountinfo': table }), 'sysfs').state, 'missing');
  assert.equal(found(host({ '/proc/self/mountinfo': table.replace(' ro,', ' rw,') }), 'sysfs').state, 'ok');
  assert.match(found(host({ '/proc/sys/kernel/tainted': '128' }), 'taint').fact, /an oops/);
  assert.equal(found(host({ '/proc/sys/kernel/tainted': '12288' }), 'taint').state, 'ok');
});

test('a dax device with a state file counts for more than the release', () => {
  const seen = found(host({ '/sys/bus/dax/devices': 'dax0.0', '/sys/bus/dax/devices/dax0.0/state': 'online' }), 'whole-device-state');
  assert.deepEqual([seen.state, seen.fact], ['ok', 'dax0.0 has a state file']);
  assert.equal(found(host({ '/sys/bus/dax/devices': 'dax0.0' }, { release: '7.3.0' }), 'whole-device-state').state, 'limited');
});

test('counts add up', () => {
  const { areas, counts } = examine(host({}));
  assert.equal(counts.ok + counts.limited + counts.missing + counts.unknown, areas.flatMap((area) => area.checks).length);
});

test('hard_offline_page, which can only be written, is there where it may not be read', () => {
  const machine = host({}, { kind: 'capture' });
  const denied = { ...machine, files: { ...machine.files, stat: (path: string) => missing('denied', path, 'EACCES') } } as Host;
  assert.equal(found(denied, 'memory-failure').state, 'ok');
});
