/** A capture of this machine has the holders that the machine has: threads with tables of their own, a first thread that has ended, processes in one memory. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { openCapture } from '../../src/host/capture/open.ts';
import { writeCapture } from '../../src/host/capture/taking/write-capture.ts';
import { isMissing } from '../../src/host/fact.ts';
import type { Host } from '../../src/host/host.ts';
import { openLive } from '../../src/host/live/open.ts';
import { findHolders } from '../../src/machine/holders/find-holders.ts';
import type { Device } from '../../src/machine/types/device.ts';
import type { Holder } from '../../src/machine/types/holder.ts';
import { LoopMount, Program, cannotRunLive, compile, temporary } from './loop.ts';

const skip = cannotRunLive();
let fs: LoopMount;
let host: Host;
let directory: string;

before(() => {
  if (skip !== false) return;
  fs = new LoopMount(32);
  host = openLive();
  directory = temporary();
});
after(() => {
  if (skip !== false) return;
  host.close();
  fs.dispose();
  rmSync(directory, { recursive: true, force: true });
});

async function started(t: TestContext, name: string, ...args: string[]): Promise<Program> {
  const program = new Program(compile(name, directory), args);
  t.after(() => program.kill());
  await program.line();
  return program;
}

/** What holds the file system, as the inventory finds it. */
function holdersOn(on: Host): readonly Holder[] {
  const device: Device = {
    id: 'loop', kind: 'unbound', name: 'loop', aliases: [], ranges: [], size: 0, use: '', deviceNumbers: [...fs.deviceNumbers()], blocks: [], nodes: [], contains: [], partOf: [], driver: null, path: '',
  };
  const notes: Parameters<typeof findHolders>[3] = [];
  const found = findHolders(on, [device], [], notes)['loop'] ?? [];
  // A process that runs meanwhile is no other holder.
  return found.map((h) => (h.kind === 'process' ? { ...h, state: null } : h));
}

test('a search on the capture finds what a search on the machine finds', { skip }, async (t) => {
  const apart = await started(t, 'apart', fs.path('f'));
  const headless = await started(t, 'odd', 'headless', fs.path('g'));
  const twins = await started(t, 'odd', 'twins', fs.path('h'));
  while (!readFileSync(`/proc/${headless.pid}/stat`, 'latin1').includes(') Z ')) await new Promise((done) => { setTimeout(done, 1); });
  const live = holdersOn(host);
  assert.deepEqual(live.flatMap((h) => (h.kind === 'process' ? [h.pid] : [])).filter((pid) => [apart, headless, twins].some((p) => p.pid === pid)).length, 3);
  const path = join(directory, 'machine.tar.gz');
  await writeCapture(host, path, { tool: 'unseat test', command: 'unseat capture', anonymize: false });
  const capture = await openCapture(path);
  assert.deepEqual(holdersOn(capture), live);
  // Taken once more from the capture, it is the same.
  const copy = join(directory, 'copy.tar.gz');
  await writeCapture(capture, copy, { tool: 'unseat test', command: 'unseat capture', anonymize: false });
  assert.deepEqual(holdersOn(await openCapture(copy)), live);
  const found = capture.processes.threadsApart?.(apart.pid);
  assert.deepEqual(found, host.processes.threadsApart?.(apart.pid));
  assert.ok(found !== undefined && !isMissing(found) && found.length === 3);
});

test('anonymized, the names of what threads have are gone, and it is held as before', { skip }, async (t) => {
  const apart = await started(t, 'apart', fs.path('secretive-name'));
  const path = join(directory, 'anonymous.tar.gz');
  await writeCapture(host, path, { tool: 'unseat test', command: 'unseat capture', anonymize: true });
  assert.ok(!gunzipSync(readFileSync(path)).toString('latin1').includes('secretive-name'));
  const shape = (holders: readonly Holder[]): unknown => holders.flatMap((h) => (h.kind === 'process' && h.pid === apart.pid ? [[h.files.map((f) => [f.fd, f.thread]), h.mappings.length, h.cwd !== null]] : []));
  const live = shape(holdersOn(host));
  assert.deepEqual(shape(holdersOn(await openCapture(path))), live);
});
