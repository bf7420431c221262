/** One real boot: the core of the lab, end to end. Skips with its reason where QEMU, BusyBox or a kernel is not there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchedKernels } from '../../src/lab/kernels.ts';
import { scenarioNamed } from '../../src/lab/project.ts';
import { findProgram } from '../../src/lab/program.ts';
import { runCell } from '../../src/lab/run/cell.ts';

const kernel = fetchedKernels().find((k) => k.series.major === 6) ?? fetchedKernels()[0];
const missing = ['qemu-system-x86_64', 'busybox', 'gcc', 'ndctl', 'mkfs.ext4'].filter((name) => findProgram(name) === null);
const reason = missing.length > 0 ? `not installed: ${missing.join(', ')}` : kernel === undefined ? 'no kernel was fetched (unseat lab fetch debian:6.12)'
  : process.env['UNSEAT_LAB'] === '0' ? 'switched off by UNSEAT_LAB=0' : false;

test('a bare unbind under a mapped ext4-DAX file leaves the mapping stale on a real kernel', { skip: reason, timeout: 400_000 }, async () => {
  assert.ok(kernel);
  const cell = await runCell(kernel, scenarioNamed('fsdax-ext4-unbind'), { say: () => { /* the result tells */ } });
  assert.equal(cell.status, 'agrees', JSON.stringify({ reason: cell.reason, disagreements: cell.disagreements, tail: cell.consoleTail }));
  assert.ok(cell.effects.includes('stale-mapping'));
  const read = cell.observations.find((o) => o.label === 'unbound')?.pages?.[0];
  assert.deepEqual([read?.pages, read?.own], [1024, 1024]);
});
