/**
 * The named core of the lab: cells that continuous integration runs on real kernels. Each must agree with what its
 * scenario expects. A guest under emulation on a starved machine may fail to boot or miss a deadline, so a cell that does
 * not agree is run once more in a boot of its own, and that is said; what disagrees twice fails.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fetchedKernel } from '../../src/lab/kernels.ts';
import { scenarioNamed } from '../../src/lab/project.ts';
import { findProgram } from '../../src/lab/program.ts';
import { Guests, type Cell } from '../../src/lab/run/cell.ts';

const CORE: Readonly<Record<string, readonly string[]>> = {
  'debian:5.10': ['fsdax-ext4-unbind', 'fsdax-ext4-detach'],
  'debian:6.1': ['fsdax-ext4-detach', 'remove-graceful-ext4'],
  'debian:6.12': ['fsdax-ext4-unmount-first', 'fsdax-ext4-detach', 'fsdax-xfs-detach', 'devdax-unbind'],
  'debian:6.18': ['fsdax-ext4-detach'],
  'debian:7.2': ['fsdax-ext4-unbind', 'fsdax-ext4-detach', 'devdax-unbind', 'remove-detach-devdax', 'kmem-online-unbind', 'remove-kmem', 'fsdax-ext4-exit-unbound'],
};

const missing = ['qemu-system-x86_64', 'busybox', 'gcc', 'ndctl', 'mkfs.ext4', 'mkfs.xfs'].filter((name) => findProgram(name) === null);
const open: Guests[] = [];
after(async () => {
  for (const guests of open) await guests.close();
});

for (const [name, scenarios] of Object.entries(CORE)) {
  const kernel = fetchedKernel(name);
  const reason = process.env['UNSEAT_LAB'] === '0' ? 'switched off by UNSEAT_LAB=0' : missing.length > 0 ? `not installed: ${missing.join(', ')}`
    : kernel === null ? `not fetched (unseat lab fetch ${name})` : false;
  const heard: string[] = [];
  const options = { plan: true, say: (line: string): void => void heard.push(line) };
  let shared: Guests | null = null;
  for (const scenario of scenarios) {
    test(`${scenario} on ${name} agrees with what is expected`, { skip: reason, timeout: 600_000 }, async () => {
      assert.ok(kernel);
      if (shared === null) open.push((shared = new Guests(kernel, options)));
      let cell = await shared.run(scenarioNamed(scenario));
      if (cell.status !== 'agrees') {
        console.log(`once more: ${told(cell)}`);
        await shared.close();
        open.push((shared = new Guests(kernel, options)));
        cell = await shared.run(scenarioNamed(scenario));
      }
      assert.equal(cell.status, 'agrees', told(cell));
    });
  }
}

const told = (cell: Cell): string => JSON.stringify({ cell: `${cell.scenario} on ${cell.kernel}`, status: cell.status, reason: cell.reason, disagreements: cell.disagreements, tail: cell.consoleTail }, null, 1);
