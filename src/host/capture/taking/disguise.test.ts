import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMaps } from '../../maps.ts';
import { byteString } from '../../names.ts';
import { Disguise } from './disguise.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const through = (disguise: Disguise, path: string, text: string): string => byteString(disguise.content(path, bytes(text)));

test('without --anonymize nothing changes', () => {
  const plain = new Disguise(false, 'myhost');
  fc.assert(fc.property(fc.uint8Array(), (content) => assert.deepEqual(plain.content('/proc/1/cmdline', content), content)));
  assert.equal(plain.name('/home/ann/x'), '/home/ann/x');
});

test('system paths stay, all others are replaced part by part, the same part always alike', () => {
  const d = new Disguise(true, null);
  assert.equal(d.name('/usr/bin/postgres'), '/usr/bin/postgres');
  assert.equal(d.name('/dev/dax0.0'), '/dev/dax0.0');
  assert.equal(d.name('socket:[12]'), 'socket:[12]');
  assert.equal(d.name('/home/ann/db/data (deleted)'), '/home/n1/n2/n3 (deleted)');
  assert.equal(d.name('/home/ann/other'), '/home/n1/n4');
  assert.equal(d.name('/memfd:secret (deleted)'), '/memfd:n5 (deleted)');
  assert.equal(d.name('/pmem/ann'), '/n6/n1');
});

test('a path still lies below its mount point', () => {
  const part = fc.string({ minLength: 1, maxLength: 6 }).filter((s) => !/[/\0]/.test(s) && s !== '.' && s !== '..');
  fc.assert(fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), fc.array(part, { maxLength: 3 }), (mount, rest) => {
    const d = new Disguise(true, null);
    const point = d.name(`/mnt/${mount.join('/')}`);
    assert.ok(`${d.name(['/mnt', ...mount, ...rest].join('/'))}/`.startsWith(`${point}/`) || mount.at(-1)?.endsWith(' (deleted)') || rest.at(-1)?.endsWith(' (deleted)'));
  }));
});

test('command lines keep options, and lose what was typed', () => {
  const d = new Disguise(true, null);
  assert.equal(through(d, '/proc/5/cmdline', '/usr/bin/qemu-system-x86_64\0-m\x004G\0--password=hunter2\0/home/ann/disk\0'), '/usr/bin/qemu-system-x86_64\0-m\0a1\0--password=a2\0/home/n1/n2\0');
});

test('maps and mountinfo stay readable, with hostile names too', () => {
  const d = new Disguise(true, null);
  const maps = through(d, '/proc/5/maps', '1000-2000 rw-s 00000000 103:00 12 /mnt/se\\012cret file\n2000-3000 rw-p 00000000 00:00 0 [heap]\n3000-4000 rw-p 00000000 00:00 0 \n');
  assert.deepEqual(parseMaps(bytes(maps)).mappings.map((m) => m.name), ['/mnt/n1', '[heap]', '']);
  const info = through(d, '/proc/5/mountinfo', '31 2 259:0 / /mnt/my\\040data rw,relatime shared:1 - ext4 /dev/pmem0 rw,dax=always\n32 2 0:40 / /merged rw - overlay overlay rw,lowerdir=/home/ann/a:/home/ann/b\n');
  assert.equal(info, '31 2 259:0 / /mnt/n2 rw,relatime shared:1 - ext4 /dev/pmem0 rw,dax=always\n32 2 0:40 / /n3 rw - overlay overlay rw,lowerdir=/home/n4/n5:/home/n4/n6\n');
});

test('serials, UUIDs, hardware addresses and the host name, each by one substitute', () => {
  const d = new Disguise(true, 'db-host-7');
  assert.equal(through(d, '/sys/devices/x/mem0/serial', '0xdeadbeef\n'), '0x1\n');
  assert.equal(through(d, '/sys/bus/nd/devices/nmem0/nfit/id', '8089-a2-1838-00001234\n'), 'serial1\n');
  assert.equal(through(d, '/dev/kmsg', '6,1,1,-;nmem 8089-a2-1838-00001234 found\n'), '6,1,1,-;nmem serial1 found\n');
  const uuid = '9f4c6a2e-1234-4abc-9def-0123456789ab';
  assert.equal(through(d, '/proc/cmdline', `root=UUID=${uuid} host=db-host-7\n`), 'root=UUID=00000000-0000-4000-8000-000000000001 host=host\n');
  assert.equal(through(d, '/sys/x/uuid', `${uuid.toUpperCase()}\n`), '00000000-0000-4000-8000-000000000001\n');
  assert.equal(through(d, '/dev/kmsg', '6,1,1,-;e1000 52:54:00:12:34:56\n'), '6,1,1,-;e1000 02:00:00:00:00:01\n');
  assert.equal(through(d, '/proc/iomem', '00001000-0009fbff : System RAM\n'), '00001000-0009fbff : System RAM\n');
  assert.equal(through(d, '/sys/bus/pci/devices/0000:0d:00.0/vpd', 'xxSN\x04A123PN\x02ab'), 'xxSN\x040000PN\x02ab');
});

test('no content makes it throw', () => {
  const path = fc.constantFrom('/proc/1/maps', '/proc/1/cmdline', '/proc/1/mountinfo', '/proc/swaps', '/var/lib/nfs/etab', '/sys/x/vpd', '/sys/x/serial', '/proc/1/fdinfo/3');
  fc.assert(fc.property(path, fc.uint8Array(), (where, content) => { new Disguise(true, 'host-x').content(where, content); }));
});
