/** `unseat rollback`: puts back what an interrupted removal had changed. */
import type { Command } from 'commander';
import { rollback } from '../../remove/engine/run.ts';
import type { Output } from '../print/output.ts';
import { carry, defineFor } from './interrupted.ts';

export function define(command: Command): void {
  defineFor(command, `
Drivers are bound again, blocks go online as they were, settings are put back, last first. What a holder has let go of
stays let go: its mappings raise SIGBUS, its files give errors.

  unseat rollback         the removal that was interrupted
  unseat rollback pmem0   where there are several`);
}

export const run = (args: readonly string[], _options: Readonly<Record<string, unknown>>, out: Output): Promise<number> =>
  carry(args, out, (host, journal, options) => rollback(host, journal.path, journal.content, options));
