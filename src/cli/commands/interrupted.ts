/** What `resume` and `rollback` share: finding the journal that is meant, and telling how it ended. */
import type { Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Host } from '../../host/host.ts';
import type { RunOptions } from '../../remove/engine/run.ts';
import { findJournals, JOURNAL_DIRECTORY, journalsDenied, type FoundJournal } from '../../remove/journal/journal.ts';
import type { RemovalRecord } from '../../remove/record.ts';
import { interruptible } from '../interrupt.ts';
import { openHost } from '../open-host.ts';
import type { Output } from '../print/output.ts';
import { recordText } from '../print/removal.ts';

type Carry = (host: Host, journal: FoundJournal, options: RunOptions) => Promise<RemovalRecord>;

const STATUSES = 'Exit status: 0 done or all as before, 1 failed, 2 wrong command line, 3 refused (as a removal that is still under way), 64 partly;\nthe output says what is left.';

export function defineFor(command: Command, help: string): void {
  command.argument('[device]', 'the device, where several removals were interrupted').option('--json', 'print one JSON document').addHelpText('after', `${help}\n\n${STATUSES}`);
}

export async function carry(args: readonly string[], out: Output, what: Carry): Promise<number> {
  const host = await openHost({});
  try {
    const denied = journalsDenied(host);
    if (denied !== null) throw new UnseatError('NO_PERMISSION', 'whether a removal was interrupted is for root to see', { subject: JOURNAL_DIRECTORY, seen: denied, next: 'Run it as root.' });
    const journal = choose(findJournals(host), args[0]);
    const record = await interruptible(out, (stopAsked) => what(host, journal, {
      stopAsked,
      own: [process.pid, process.ppid],
      progress: (p) => { if (p.phase === 'end') out.note(p.text); else out.progress(p.text); },
    }));
    if (out.options.json) out.json(record);
    else out.text(recordText(record, out));
    return record.status === 'done' || record.status === 'rolled-back' ? EXIT.ok : record.status === 'partly' ? EXIT.partly : EXIT.failed;
  } finally {
    host.close();
  }
}

function choose(found: readonly FoundJournal[], name: string | undefined): FoundJournal {
  const fits = name === undefined ? found : found.filter(({ content: { header } }) => header.device === name || header.deviceName === name);
  const [journal] = fits;
  if (journal === undefined) {
    throw new UnseatError('NOT_FOUND', name === undefined ? 'no removal was interrupted' : 'no removal of this device was interrupted', {
      ...(name === undefined ? {} : { subject: name }), next: found.length === 0 ? "'unseat audit' tells what else may be left." : `Interrupted: ${found.map((f) => f.content.header.deviceName).join(', ')}.`,
    });
  }
  if (fits.length > 1) throw new UnseatError('AMBIGUOUS', 'several removals were interrupted', { next: `Name one of: ${fits.map((f) => f.content.header.deviceName).join(', ')}.` });
  return journal;
}
