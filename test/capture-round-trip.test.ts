/** `unseat capture` taken from a machine and read back gives the same machine; anonymized, the same but for the names. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { isMissing } from '../src/host/fact.ts';
import type { Host } from '../src/host/host.ts';
import { captureJsonSchema, captureResult } from '../src/host/capture/json-schema.ts';
import { openCapture } from '../src/host/capture/open.ts';
import { writeCapture } from '../src/host/capture/taking/write-capture.ts';
import { recordHost } from '../src/host/recording/recording-host.ts';
import type { Machine } from '../src/machine/machine.ts';
import { readMachine } from '../src/machine/read.ts';
import { withHolders } from '../src/machine/with-holders.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const fixture = (name: string): string => join(REPOSITORY, 'fixtures/captures', `${name}.tar.gz`);
const directory = mkdtempSync(join(tmpdir(), 'unseat-round-trip-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const OPTIONS = { tool: 'unseat test', command: 'unseat capture', anonymize: false };

async function again(host: Host, name: string, anonymize = false): Promise<{ host: Host; path: string }> {
  const path = join(directory, `${name}.tar.gz`);
  await writeCapture(host, path, { ...OPTIONS, anonymize });
  return { host: await openCapture(path), path };
}

const inventory = (host: Host): Machine => withHolders(host, readMachine(host, { pages: true }));

/** The machine without what is said about the capture itself. */
const facts = ({ host: _, notes, ...machine }: Machine): unknown => ({ ...machine, notes: notes.map((note) => note.code).sort() });

const NAMES = [
  'fsdax-6.1-ext4', 'fsdax-6.12-xfs', 'devdax-holder-u-7.2', 'sysram-online-kernel-plain-7.2', 'many-namespaces-7.2',
  'mixed-ram-pmem-6.12', 'virtio-mem-7.2', 'cxl-region-kmem-7.2', 'cxl-region-fsdax-7.2',
];

for (const name of NAMES) {
  test(`read back, the machine is the same: ${name}`, async () => {
    const original = await openCapture(fixture(name));
    const copy = await again(original, name);
    const before = inventory(original);
    assert.ok(before.devices.length > 0);
    assert.deepEqual(facts(inventory(copy.host)), facts(before));
    assert.deepEqual(copy.host.identity, { ...original.identity, uid: copy.host.identity.uid, capabilities: copy.host.identity.capabilities });
    const [log, logCopy] = [original.log.since(-1), copy.host.log.since(-1)];
    assert.deepEqual(isMissing(logCopy) ? logCopy.missing : logCopy, isMissing(log) ? log.missing : log);
  });
}

test('every file that the inventory asks for answers alike, absent or not captured included', async () => {
  const original = recordHost(await openCapture(fixture('cxl-region-kmem-7.2')));
  inventory(original.host);
  const copy = (await again(await openCapture(fixture('cxl-region-kmem-7.2')), 'answers')).host;
  const differing: string[] = [];
  for (const call of original.calls.filter((c) => c.facet === 'files' && ['text', 'list', 'link', 'resolve'].includes(c.method))) {
    const path = String(call.args[0]);
    const [is, was] = [copy.files[call.method as 'text'](path), (await openedOnce()).files[call.method as 'text'](path)];
    if (JSON.stringify(is) !== JSON.stringify(was)) differing.push(`${call.method} ${path}: ${JSON.stringify(was)?.slice(0, 80)} became ${JSON.stringify(is)?.slice(0, 80)}`);
  }
  assert.deepEqual(differing, []);
});

let opened: Promise<Host> | undefined;
const openedOnce = (): Promise<Host> => (opened ??= openCapture(fixture('cxl-region-kmem-7.2')));

test('neither smaps nor pagemap of any process is read', async () => {
  const recorded = recordHost(await openCapture(fixture('fsdax-7.2-ext4')));
  await writeCapture(recorded.host, join(directory, 'unsafe.tar.gz'), OPTIONS);
  const calls = recorded.calls.map((call) => `${call.method} ${String(call.args[0])}`);
  assert.ok(calls.length > 1000);
  assert.deepEqual(calls.filter((call) => /pagemap|smaps|environ|numa_maps/.test(call)), []);
});

test('page table entries are taken where they are asked for, and what the host refuses is said', async () => {
  const original = await openCapture(fixture('fsdax-7.2-ext4'));
  const path = join(directory, 'pagemap.tar.gz');
  const range = { pid: 150, start: 0x7f560fa00000, end: 0x7f560fe00000 };
  const refused = { pid: 153, start: 0x1000, end: 0x2000 };
  const { manifest } = await writeCapture(original, path, { ...OPTIONS, pagemaps: [range, refused] });
  const copy = await openCapture(path);
  const [was, is] = [new Uint8Array(8192), new Uint8Array(8192)];
  assert.equal(original.processes.pagemap(150, range.start, was), 8192);
  assert.equal(copy.processes.pagemap(150, range.start, is), 8192);
  assert.deepEqual(is, was);
  assert.deepEqual(manifest.leftOut.filter((l) => l.what.includes('153')).map((l) => l.why), ['not-captured']);
});

test('anonymized: names are gone, and the holders, mounts and namespaces still fit together', async () => {
  const original = await openCapture(fixture('fsdax-7.2-ext4'));
  const { host, path } = await again(original, 'anonymous', true);
  const raw = gunzipSync(readFileSync(path)).toString('latin1');
  const uuid = original.files.text('/sys/bus/nd/devices/pfn0.0/uuid');
  assert.ok(typeof uuid === 'string' && uuid.length === 36);
  for (const secret of ['/mnt/big', '/mnt/small', '/tmp/c.big', '4194304\0w', uuid]) assert.ok(!raw.includes(secret), secret);
  const [before, now] = [inventory(original), inventory(host)];
  const shape = (machine: Machine): unknown => Object.entries(machine.holders).map(([id, holders]) => [id, holders.map((h) => (h.kind === 'process' ? [h.pid, h.mappings.map((m) => [m.start, m.ino]), h.files.map((f) => f.fd)] : h.kind))]);
  assert.deepEqual(shape(now), shape(before));
  assert.deepEqual(now.devices.map((d) => [d.id, d.ranges]), before.devices.map((d) => [d.id, d.ranges]));
  const holder = Object.values(now.holders).flat().find((h) => h.kind === 'process');
  assert.match(holder?.kind === 'process' ? holder.mappings[0]?.file ?? '' : '', /^\/mnt\/n\d+$/);
});

test('an archive that exists is not overwritten, and a failed one is not left behind', async () => {
  const host = await openCapture(fixture('devdax-holder-none-7.2'));
  const taken = (await again(host, 'there')).path;
  const before = readFileSync(taken);
  await assert.rejects(writeCapture(host, taken, OPTIONS), { code: 'WRITE_FAILED' });
  assert.deepEqual(readFileSync(taken), before);
  await assert.rejects(writeCapture(host, join(directory, 'no/such/place.tar.gz'), OPTIONS), { code: 'WRITE_FAILED' });
  const broken = recordHost(host, [{ at: 500, fault: { kind: 'crash', when: 'before' } }]);
  await assert.rejects(writeCapture(broken.host, join(directory, 'half.tar.gz'), OPTIONS), { name: 'Crashed' });
  assert.equal(existsSync(join(directory, 'half.tar.gz')), false);
});

test('capture --json follows schema/capture.json, which is what tools/schema.ts writes', async () => {
  const host = await openCapture(fixture('devdax-holder-none-7.2'));
  const written = await writeCapture(host, join(directory, 'json.tar.gz'), OPTIONS);
  captureResult.parse(JSON.parse(JSON.stringify(written)));
  assert.deepEqual(JSON.parse(readFileSync(join(REPOSITORY, 'schema/capture.json'), 'utf8')), JSON.parse(JSON.stringify(captureJsonSchema())), 'node tools/schema.ts writes it anew');
});
