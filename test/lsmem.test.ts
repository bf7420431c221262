/** A simulated machine written out as a capture is read by the system's own lsmem, which says what the kernel holds. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { profileByName } from '../src/profile/select.ts';
import { validZones } from '../src/kernel/drivers/base/block-state.ts';
import { blockNodes, blockState, MEM_NAMES, memoryBlocks } from '../src/kernel/drivers/base/memory.ts';
import { buildScenario } from '../src/kernel/scenario/build.ts';
import { readScenario } from '../src/scenario/read.ts';

const ROOT = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'unseat-lsmem-'));
after(() => rmSync(folder, { recursive: true }));

const help = spawnSync('lsmem', ['--help'], { encoding: 'utf8' });
const skip = help.error !== undefined ? 'lsmem is not installed' : help.stdout.includes('--sysroot') ? false : 'this lsmem has no --sysroot';

interface Row {
  readonly range: string;
  readonly size: number;
  readonly state: string;
  readonly removable: boolean;
  readonly block: string;
  readonly node: string;
  readonly zones: string;
}

/** Plain RAM, a hole, two nodes in one block, pmem inside a block, kmem in each zone, DIMMs, virtio-mem in part, CXL. */
const LAYOUTS: readonly (readonly [string, string])[] = [
  ['fsdax-ext4-detach', '6.12'], ['block-two-nodes', '7.2'], ['mixed-section', '5.10'], ['kmem-online-unbind', '6.1'], ['kmem-normal-unmovable', '7.2'],
  ['dimm-eject-used', '6.12'], ['virtio-mem-unbind', '7.2'], ['cxl-ram-unbind', '6.18'],
];

for (const [name, release] of LAYOUTS) {
  test(`lsmem --sysroot on ${name} under ${release}`, { skip }, () => {
    const text = readFileSync(join(ROOT, 'scenarios', `${name}.yaml`), 'utf8');
    const profile = profileByName(release);
    assert.ok(profile !== null);
    const { k } = buildScenario(readScenario(text, name), profile).world;
    const archive = join(folder, `${name}.tar.gz`);
    execFileSync(process.execPath, ['--no-warnings', join(ROOT, 'src/cli/main.ts'), 'capture', '--simulate', name, '--profile', release, '--output', archive], { stdio: 'pipe' });
    const tree = join(folder, name);
    execFileSync('mkdir', [tree]);
    execFileSync('tar', ['-xzf', archive, '-C', tree]);
    const printed = execFileSync('lsmem', ['--sysroot', join(tree, 'root'), '--all', '--bytes', '--json', '--output', 'RANGE,SIZE,STATE,REMOVABLE,BLOCK,NODE,ZONES'], { encoding: 'utf8' });
    const rows = (JSON.parse(printed) as { memory: Row[] }).memory;
    const size = k.geo.memoryBlockSize;
    const hex = (n: number): string => `0x${n.toString(16).padStart(16, '0')}`;
    const expected = [...memoryBlocks(k).all()].sort((a, b) => a - b).map((id) => ({
      range: `${hex(id * size)}-${hex((id + 1) * size - 1)}`, size, state: MEM_NAMES[blockState(k, id)], removable: true, block: id,
      // lsmem prints one node, whichever its directory shows first.
      nodes: blockNodes(k, memoryBlocks(k).find(id)), zones: validZones(k, id).split(' ').join('/'),
    }));
    assert.equal(rows.length, expected.length);
    rows.forEach((row, i) => {
      const wanted = expected[i];
      assert.ok(wanted !== undefined);
      assert.equal(row.range, wanted.range);
      assert.equal(Number(row.size), wanted.size);
      assert.equal(row.state, wanted.state, row.range);
      assert.equal(Boolean(row.removable), wanted.removable);
      assert.equal(Number(row.block), wanted.block);
      assert.ok(wanted.nodes.includes(Number(row.node)), `${row.range}: node ${row.node}`);
      assert.equal(row.zones.toLowerCase(), wanted.zones.toLowerCase(), row.range);
    });
    assert.ok(rows.length >= 15);
  });
}
