import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELEASES } from '../../profile/releases/index.ts';
import { GiB, MiB } from '../../range/units.ts';
import { addPmem, createFile, mountFs } from '../setup/fsdax.ts';
import { addProcess, mapFile } from '../setup/process.ts';
import { makeMachine } from '../setup/boot-machine.ts';
import { must } from '../setup/run.ts';
import { userRead, userWrite } from './access.ts';
import { vmaStart } from './mm_struct.ts';

test('a private mapping that is read by a PMD and then written page by page makes progress', () => {
  for (const profile of RELEASES.filter((p) => p.name !== '5.2')) {
    const k = makeMachine({ profile });
    const sb = mountFs(k, addPmem(k, { start: 4 * GiB, size: 64 * MiB }), { type: 'ext4' });
    const task = addProcess(k);
    const vma = mapFile(k, task, createFile(k, sb, { pages: 512 }), { private: true });
    const at = vmaStart(k, vma);
    for (let page = 0; page < 4; page += 1) must(k, page % 2 === 0 ? userRead(k, task, at + page) : userWrite(k, task, at + page, 9), `touch of page ${page}`);
    assert.equal(must(k, userRead(k, task, at + 1), 'read of its own copy'), 9);
    assert.equal(must(k, userRead(k, task, at + 3), 'read of its own copy'), 9);
  }
});
