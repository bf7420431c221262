/** What a capture answers: facts of the fixtures, and the line between absent and not captured. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { isMissing, type Fact } from '../fact.ts';
import type { Host } from '../host.ts';
import { openCapture } from './open.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const fixture = (name: string): Promise<Host> => openCapture(join(REPOSITORY, 'fixtures/captures', `${name}.tar.gz`));
const directory = mkdtempSync(join(tmpdir(), 'unseat-capture-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** A capture that is a directory with these files; a value that begins with `-> ` makes a link. */
async function captureOf(name: string, files: Readonly<Record<string, string>>): Promise<Host> {
  for (const [path, content] of Object.entries(files)) {
    const full = join(directory, name, path);
    mkdirSync(dirname(full), { recursive: true });
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), full);
    else writeFileSync(full, content, 'latin1');
  }
  return openCapture(join(directory, name));
}

const kind = <T>(fact: Fact<T>): string => (isMissing(fact) ? fact.missing : 'there');

test('identity from uname.txt, proc/version and what the files say', async () => {
  const { identity } = await fixture('fsdax-6.1-ext4');
  assert.equal(identity.release, '6.1.0-50-amd64');
  assert.equal(identity.version, '#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-07-02)');
  assert.equal(identity.arch, 'x86_64');
  assert.equal(identity.pageSize, 4096);
  assert.equal(kind(identity.uid), 'not-captured');
  const arm = await captureOf('arm', { 'proc/version': 'Linux version 6.8.0-64k (b@h) (aarch64-linux-gnu-gcc-13 (x) 13) #1 SMP\n', 'proc/7/smaps': '7ff-800 rw-p 0 00:00 0 [stack]\nSize: 132 kB\nKernelPageSize:       64 kB\n' });
  assert.deepEqual([arm.identity.arch, arm.identity.pageSize, arm.identity.release], ['aarch64', 65536, '6.8.0-64k']);
});

test('what a capture lacks is absent only where it evidently holds the whole directory', async () => {
  const { files } = await fixture('cxl-region-kmem-7.2');
  assert.equal(kind(files.text('/sys/devices/system/memory/memory0/no_such_attribute')), 'absent');
  assert.equal(kind(files.list('/sys/devices/system/memory/memory9999')), 'absent');
  assert.equal(kind(files.link('/sys/bus/dax/devices/dax7.7')), 'absent');
  assert.equal(kind(files.text('/sys/bus/dax/devices/dax0.0/no_such_attribute')), 'absent', 'by way of a link');
  assert.equal(kind(files.text('/sys/bus/dax/devices/dax0.0/subsystem/no_such_attribute')), 'not-captured');
  assert.equal(kind(files.text('/proc/nfs')), 'not-captured');
  assert.equal(kind(files.list('/sys/bus/memory/devices')), 'not-captured');
  assert.equal(kind(files.text('/etc/udev/rules.d/x')), 'not-captured');
  assert.equal(kind(files.read('/proc/99999/maps')), 'absent');
  assert.equal(kind(files.link('/proc/1/cwd')), 'not-captured');
});

test('a file that existed and could not be read says why', async () => {
  const { files } = await fixture('cxl-region-fsdax-7.2');
  assert.deepEqual(files.text('/sys/bus/nd/drivers_probe'), { missing: 'denied', path: '/sys/bus/nd/drivers_probe', detail: 'EACCES' });
  const power = '/sys/devices/system/memory/memory3/power/autosuspend_delay_ms';
  assert.deepEqual(files.text(power), { missing: 'unreadable', path: power, detail: 'EIO' });
  const size = '/sys/devices/platform/ACPI0017:00/root0/nvdimm-bridge0/ndbus0/region0/pfn0.1/size';
  assert.deepEqual(files.text(size), { missing: 'absent', path: size, detail: 'ENXIO' });
});

test('a fixture that dropped unreadable files claims nothing about them', async () => {
  const { files } = await fixture('fsdax-7.2-ext4');
  assert.equal(kind(files.text('/sys/devices/system/memory/memory3/power/autosuspend_delay_ms')), 'not-captured');
  assert.equal(kind(files.text('/sys/bus/nd/drivers/nd_pmem/bind')), 'denied', 'an empty file that nobody may read');
});

test('links lead where they lead in the machine; a link to what was not taken is not captured', async () => {
  const { files } = await fixture('fsdax-7.2-ext4');
  assert.equal(files.resolve('/sys/block/pmem0'), '/sys/devices/platform/ACPI0012:00/ndbus0/region0/pfn0.0/block/pmem0');
  assert.equal(files.text('/sys/block/pmem0/dev'), '259:0');
  assert.equal(files.text('/sys/block/pmem0/../../block/./pmem0/dev'), '259:0');
  assert.equal(kind(files.text('/sys/block/vda/dev')), 'not-captured');
  assert.deepEqual(files.list('/sys/bus/dax/devices'), []);
});

test('page flags end where the kernel said end of file, and outside of them nothing is known', async () => {
  const { files } = await fixture('sysram-online-kernel-plain-7.2');
  const words = new Uint8Array(4096);
  assert.equal(files.readAt('/proc/kpageflags', 0x108000 * 8, words), 4096);
  assert.ok(words.some((byte) => byte !== 0));
  assert.equal(kind(files.readAt('/proc/kpageflags', 0x10 * 8, words)), 'not-captured');
  const { files: fsdax } = await fixture('fsdax-7.2-ext4');
  assert.equal(fsdax.readAt('/proc/kpagecount', 0x100000 * 8, words), 0);
  const made = await captureOf('kpage', { 'proc/kpageflags-0x100.bin': `${'\x01'.repeat(16)}${'\xff'.repeat(8)}${'\x02'.repeat(8)}`, 'proc/version': 'x' });
  assert.equal(made.files.readAt('/proc/kpageflags', 0x100 * 8, words), 16);
  assert.equal(made.files.readAt('/proc/kpageflags', 0x101 * 8, words), 8);
  assert.equal(made.files.readAt('/proc/kpageflags', 0x102 * 8, words), 0);
  assert.equal(made.files.readAt('/proc/kpageflags', 0x103 * 8, words.subarray(0, 4)), 4);
});

test('processes: mappings, descriptors from a listing, pagemap, namespaces put together by mount ids', async () => {
  const host = await fixture('fsdax-7.2-ext4');
  const mappings = host.processes.mappings(150, new Set(['259:0']));
  assert.deepEqual(mappings, [{ start: 0x7f560fa00000, end: 0x7f560fe00000, perms: 'rw-s', offset: 0, dev: '259:0', ino: 12, name: '/mnt/big' }]);
  const files = host.processes.openFiles(150);
  assert.ok(!isMissing(files));
  assert.deepEqual(files.map((f) => [f.fd, f.target]), [[0, '/dev/null'], [1, '/dev/console'], [2, '/dev/console'], [3, '/mnt/big'], [4, '/tmp/c.big']]);
  assert.equal(files[0]?.rdev, '1:3');
  const entries = new Uint8Array(16);
  assert.equal(host.processes.pagemap(150, 0x7f560fa01000, entries), 16);
  assert.equal(kind(host.processes.pagemap(150, 0x1000, entries)), 'not-captured');
  const spaces = host.mounts.all();
  assert.ok(!isMissing(spaces));
  assert.equal(spaces.length, 2, 'init and kdevtmpfs');
  assert.equal(host.processes.namespace(150, 'mnt'), spaces[0]?.id);
  assert.equal(host.processes.namespace(2, 'mnt'), spaces[0]?.id);
});

test('a device-dax mapping is found by the number of its node, deleted and in a container too', async () => {
  const host = await fixture('devdax-holder-u-7.2');
  const found = host.processes.mappings(147, new Set(['251:0']));
  assert.ok(!isMissing(found));
  assert.deepEqual(found.map((m) => [m.name, m.rdev]), [['/dev/dax0.0', '251:0']]);
  const made = await captureOf('dax', {
    'proc/5/maps': '1000-2000 rw-s 00000000 00:07 9 /dev/dax0.0 (deleted)\n2000-3000 rw-s 00000000 00:30 9 /var/lib/c/rootfs/dev/dax0.0\n3000-4000 rw-s 00000000 00:30 9 /srv/dax0.0\n',
    'sys/bus/dax/devices/dax0.0/dev': '251:0\n',
  });
  const both = made.processes.mappings(5, new Set(['251:0']));
  assert.deepEqual(isMissing(both) ? both : both.map((m) => m.start), [0x1000, 0x2000]);
});

test('a listing of descriptors with newlines, blanks and arrows in its names', async () => {
  const host = await captureOf('fds', { 'proc/9/fd.txt': 'total 0\nlrwx------ 1 root root 64 Jan  1 00:00 3 -> /mnt/a -> b\nlr-x------ 1 0 0 64 Nov 20 04:36 10 -> /mnt/two\nlines \nlrwx------ 1 root root 64 Jan  1 00:00 11 -> /mnt/\xff\n' });
  assert.deepEqual(host.processes.openFiles(9), [{ fd: 3, target: '/mnt/a -> b' }, { fd: 10, target: '/mnt/two\nlines ' }, { fd: 11, target: '/mnt/\xff' }]);
});

test('maps that make no sense are malformed, not a crash', async () => {
  const host = await captureOf('badmaps', { 'proc/3/maps': 'no maps at all\n', 'proc/4/maps': '\0'.repeat(4096), 'proc/4/pagemap-1000-2000.bin': 'xx' });
  assert.equal(kind(host.processes.mappings(3)), 'malformed');
  assert.equal(kind(host.processes.mappings(4)), 'malformed');
  assert.equal(kind(host.processes.pagemap(4, 0x1000, new Uint8Array(8))), 'malformed');
});

test('an unpacked sosreport: its root, its uname and dmesg; processes that it lacks are not captured', async () => {
  const host = await captureOf('sos', {
    'sosreport-x/proc/meminfo': 'MemTotal: 1 kB\n', 'sosreport-x/sys/devices/system/memory/block_size_bytes': '8000000\n',
    'sosreport-x/sos_commands/kernel/uname_-a': 'Linux h 5.14.0-427.el9.x86_64 #1 SMP PREEMPT_DYNAMIC Thu x86_64 x86_64 x86_64 GNU/Linux\n',
    'sosreport-x/sos_commands/kernel/dmesg': '[    0.000000] Linux version 5.14\n[    1.500000] nd_pmem: x\n', 'sosreport-x/uname': '-> sos_commands/kernel/uname_-a',
  });
  assert.deepEqual([host.identity.release, host.identity.arch], ['5.14.0-427.el9.x86_64', 'x86_64']);
  assert.equal(kind(host.processes.pids()), 'not-captured');
  assert.equal(kind(host.mounts.all()), 'not-captured');
  assert.equal(kind(host.files.text('/proc/iomem')), 'not-captured');
  const log = host.log.since(-1);
  assert.deepEqual(isMissing(log) ? log : log.map((l) => l.seconds), [0, 1.5]);
});

test('a link out of a directory stays inside, and what is no file is not opened', async () => {
  const host = await captureOf('out', { 'proc/version': 'x', 'proc/out': '-> ../../../../../../etc/hostname', 'sys/kernel/x': '-> /proc/version' });
  assert.equal(kind(host.files.text('/proc/out')), 'unreadable');
  assert.equal(host.files.text('/sys/kernel/x'), 'x');
  assert.equal(kind(host.files.text('/proc')), 'unreadable');
});

const peers = join(REPOSITORY, '../shared/captures/peers');
test("trees of other tools: hwloc's and util-linux's", { skip: existsSync(peers) ? false : 'third-party captures are not on this machine' }, async () => {
  const hwloc = await openCapture(join(peers, 'hwloc-32em64t-2n8c+dax+nvme+mic+dimms.tar.bz2'));
  assert.deepEqual(hwloc.files.list('/sys/bus/dax/devices'), ['dax0.0', 'dax1.3', 'dax1.4']);
  assert.equal(hwloc.identity.arch, 'x86_64');
  assert.equal(kind(hwloc.files.text('/proc/iomem')), 'not-captured');
  assert.equal(kind(hwloc.files.list('/sys/devices/system/memory/memory0')), 'not-captured');
  const lsmem = await openCapture(join(peers, 'util-linux-x86_64-16g.tar.bz2'));
  assert.equal(lsmem.files.text('/sys/devices/system/memory/memory20/valid_zones'), 'DMA32');
  assert.equal(kind(lsmem.identity.release), 'not-captured');
});
