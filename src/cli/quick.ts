/** `scan` of this machine without a reader of options and without loading anything that it does not need (decision 0010). */
import { plainStreams } from '../host/live/standard-streams.ts';
import { run as scan } from './commands/scan.ts';
import { outcomeOf } from './outcome.ts';
import { Output, unwritten } from './print/output.ts';

/** `options` as `quickOptions` gives them. */
export function runQuickly(options: Readonly<Record<string, boolean>>): Promise<number> {
  const json = options['json'] === true;
  const plain = plainStreams(unwritten);
  const out = plain === null ? Output.forProcess(json) : Output.plain(json, plain);
  return outcomeOf(out, () => scan([], options, out));
}
