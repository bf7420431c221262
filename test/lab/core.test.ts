/**
 * The named core of the lab: cells that continuous integration runs on real kernels. Each must agree with what its
 * scenario expects and with what the simulated kernel does with the same file. A guest under emulation on a starved machine may fail to boot or miss a deadline, so a cell that does
 * not agree is run once more in a boot of its own, and that is said; what disagrees twice fails.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { matrixCell, seenCell } from '../../src/evidence/kernel-matrix.ts';
import { predict } from '../../src/evidence/prediction.ts';
import { CORE } from '../../src/lab/core.ts';
import { fetchedKernel } from '../../src/lab/kernels.ts';
import { scenarioNamed } from '../../src/lab/project.ts';
import { needsNewQemu } from '../../src/lab/qemu/command.ts';
import { availableQemus } from '../../src/lab/qemu/find.ts';
import { findProgram } from '../../src/lab/program.ts';
import { Guests, type Cell } from '../../src/lab/run/cell.ts';

const missing = ['qemu-system-x86_64', 'busybox', 'gcc', 'ndctl', 'mkfs.ext4', 'mkfs.xfs'].filter((name) => findProgram(name) === null);
const open: Guests[] = [];
after(async () => {
  for (const guests of open) await guests.close();
});

/** All of it where UNSEAT_LAB=core asks for it, as continuous integration does; else the first two of each kernel. */
const wanted = process.env['UNSEAT_LAB'] === 'core' ? Infinity : 2;

for (const [name, core] of Object.entries(CORE)) {
  const scenarios = core.slice(0, wanted);
  const kernel = fetchedKernel(name);
  const reason = process.env['UNSEAT_LAB'] === '0' ? 'switched off by UNSEAT_LAB=0' : missing.length > 0 ? `not installed: ${missing.join(', ')}`
    : kernel === null ? `not fetched (unseat lab fetch ${name})` : false;
  const newQemu = (await availableQemus()).some((q) => q.major >= 10);
  const heard: string[] = [];
  const options = { plan: true, say: (line: string): void => void heard.push(line) };
  let shared: Guests | null = null;
  for (const scenario of scenarios) {
    const tools = needsNewQemu(scenarioNamed(scenario).machine) && !newQemu ? 'QEMU 10 is not there (unseat lab fetch tools)' : false;
    test(`${scenario} on ${name} agrees with what is expected and predicted`, { skip: reason || tools, timeout: 600_000 }, async () => {
      assert.ok(kernel);
      if (shared === null) open.push((shared = new Guests(kernel, options)));
      let cell = await shared.run(scenarioNamed(scenario));
      if (cell.status !== 'agrees' || (await differing(cell)).length > 0) {
        console.log(`once more: ${told(cell)}`);
        await shared.close();
        open.push((shared = new Guests(kernel, options)));
        cell = await shared.run(scenarioNamed(scenario));
      }
      assert.equal(cell.status, 'agrees', told(cell));
      assert.deepEqual(await differing(cell), [], told(cell));
    });
  }
}

/** Where the simulated kernel says something else, listed differences apart. */
async function differing(cell: Cell): Promise<string[]> {
  const scenario = scenarioNamed(cell.scenario);
  const { differences } = matrixCell(seenCell({ key: '', date: '', cell }), scenario, await predict(scenario, cell.release));
  return differences.filter((d) => d.listed === undefined).map((d) => `${d.what}: predicted ${d.predicted}, seen ${d.seen}`);
}

const told = (cell: Cell): string => JSON.stringify({ cell: `${cell.scenario} on ${cell.kernel}`, status: cell.status, reason: cell.reason, disagreements: cell.disagreements, tail: cell.consoleTail }, null, 1);
