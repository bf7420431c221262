/** `unseat resume`: goes on with an interrupted removal. */
import type { Command } from 'commander';
import { resume } from '../../remove/engine/run.ts';
import type { Output } from '../print/output.ts';
import { carry, defineFor } from './interrupted.ts';

export function define(command: Command): void {
  defineFor(command, `
Every step looks first whether it is done already. The consent was given when the removal began.

  unseat resume           the removal that was interrupted
  unseat resume pmem0     where there are several`);
}

export const run = (args: readonly string[], _options: Readonly<Record<string, unknown>>, out: Output): Promise<number> =>
  carry(args, out, (host, journal, options) => resume(host, journal.path, journal.content, options));
