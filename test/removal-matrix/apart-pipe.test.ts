/** A pipe in a table of descriptors that one thread has for itself, with pages of the device in it: seen and refused as any other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PIN_KINDS, pinPages } from '../../src/kernel/mm/pin-holders.ts';
import { vmaStart } from '../../src/kernel/mm/mm_struct.ts';
import { run } from '../../src/kernel/setup/run.ts';
import { taskPid } from '../../src/kernel/task.ts';
import { cloneThread } from '../../src/kernel/thread-group.ts';
import { profileByName } from '../../src/profile/select.ts';
import { runShape } from './run-shape.ts';
import type { Shape } from './shapes.ts';

test('a page of the device in a pipe of one thread: detach is called off before anything is touched, and the thread named', async () => {
  const profile = profileByName('7.2');
  assert.ok(profile !== null);
  let tid = 0;
  const shape: Shape = {
    processes: [{ name: 'h', maps: [{ file: '/mnt/data', size: '4M' }] }],
    prepare: ({ world: { k }, processes }) => {
      const h = processes.get('h');
      assert.ok(h !== undefined);
      const thread = cloneThread(k, h.task, { files: true });
      tid = taskPid(k, thread);
      assert.ok(run(k, pinPages(k, thread, PIN_KINDS.indexOf('vmsplice'), vmaStart(k, h.maps.get('m') ?? 0), 16), thread).rc > 0);
    },
  };
  const { record, host, numbers, pids } = await runShape(shape, { type: 'ext4' }, 'detach', profile);
  assert.equal(record?.status, 'called-off');
  assert.match(record?.steps.at(-1)?.says ?? '', new RegExp(`something in its pipes fd \\d+ of thread ${tid} \\(65536 bytes\\).*--accept pin-possible`));
  const left = host.processes.mappings(pids.get('h') ?? 0, new Set(numbers));
  assert.ok(Array.isArray(left) && left.length === 1, 'it has its mapping as before');
});
