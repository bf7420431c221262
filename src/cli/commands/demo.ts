/** `unseat demo`: the problem and the answer in a minute, on a simulated machine. */
import type { Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import type { Output } from '../print/output.ts';
import { demoBare, demoDetach, demoHead, demoRam } from '../print/demo.ts';
import { ramThatStays } from '../demo/ram-story.ts';
import { bareUnbind, detach, exitWhileUnbound } from '../demo/pmem-story.ts';

export function define(command: Command): void {
  command
    .option('--kernel <release>', 'which kernel to simulate: 5.10, 6.1, 6.12, 6.18, 7.2', '7.2')
    .option('--json', 'print what happened as one JSON document')
    .addHelpText('after', `
Needs no root and no hardware, and touches nothing on this computer: the machine is simulated, the inventory, the plan
and the removal engine are those of the other commands. What the simulated kernel does is what real ones did when they
were measured (docs/kernel-truth.md).

  unseat demo                  a recent kernel
  unseat demo --kernel 5.10    an older one: other holes, the same answer

Exit status: 0 shown, 1 failed, 2 wrong command line.`);
}

export async function run(_args: readonly string[], options: Readonly<Record<string, unknown>>, out: Output): Promise<number> {
  const kernel = String(options['kernel']);
  const bare = await bareUnbind(kernel);
  const exit = await exitWhileUnbound(kernel);
  if (!out.options.json) out.text(`${demoHead(kernel, out)}\n${demoBare(bare, exit, out)}`);
  const steps: string[] = [];
  const withUnseat = await detach(kernel, (line) => steps.push(line));
  if (!out.options.json) out.text(demoDetach(withUnseat, steps, out));
  const ram = ramThatStays(kernel);
  if (out.options.json) out.json({ kernel, bareUnbind: bare, exitWhileUnbound: exit, detach: { record: withUnseat.record, foreignReads: withUnseat.foreignReads, alive: withUnseat.alive, database: withUnseat.database }, ram: ram.plan });
  else out.text(demoRam(ram, out));
  return EXIT.ok;
}
