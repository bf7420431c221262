/** What a holder search could not see, as few notes. */
import type { Host } from '../../host/host.ts';
import type { Note } from '../machine.ts';
import type { Unread } from './candidate.ts';
import type { Portrait } from './process-holder.ts';

const SHOWN = 5;

const list = (pids: readonly number[]): string => {
  const unique = [...new Set(pids)];
  const shown = unique.slice(0, SHOWN).join(', ');
  return unique.length > SHOWN ? `${shown} and ${unique.length - SHOWN} more` : shown;
};

const WHAT: Record<Unread['what'], string> = { maps: 'mappings', fd: 'open files', cwd: 'working directories', root: 'root directories', exe: 'executables' };

const SAYS: Partial<Record<Unread['why']['missing'], string>> = {
  'denied': 'may not be read by this user',
  'unreadable': 'could not be read',
  'malformed': 'do not have the form that they should have',
  'not-captured': 'are not in the capture',
  'unsafe': 'were not read because that could crash this kernel',
};

export function searchNotes(host: Host, unread: readonly Unread[], vanished: readonly number[], holders: readonly Portrait[]): Note[] {
  const notes: Note[] = [];
  const reasons = Map.groupBy(unread.filter(({ why }) => why.missing !== 'vanished'), ({ why }) => why.missing);
  for (const items of reasons.values()) notes.push(unreadNote(items));
  if (vanished.length > 0) {
    notes.push({ code: 'vanished', text: `Processes that ended while they were looked at: ${list(vanished)}. What they held is let go.`, subject: '/proc' });
  }
  if (holders.length > 0) notes.push(unseenPins(host));
  return notes;
}

/** One note for each reason: which files, of how many processes. */
function unreadNote(items: readonly Unread[]): Note {
  const [{ why }] = items as [Unread];
  const pids = items.map((item) => item.pid);
  const what = [...new Set(items.map((item) => WHAT[item.what]))].join(', ').replace(/, ([^,]*)$/, ' and $1');
  const text = `The ${what} of ${new Set(pids).size} processes ${SAYS[why.missing] ?? why.missing} (${list(pids)}): what is held by them is not seen.`;
  return { code: why.missing, text, subject: why.path, absence: why };
}

/** Always true, and said once: the kernel shows pins of other kinds nowhere. */
function unseenPins(host: Host): Note {
  const limit = host.kind === 'capture' ? 'a capture shows none of them' : 'no kernel shows them';
  return {
    code: 'pins-unseen',
    text: `Pins by drivers, DMA and direct I/O in flight, RDMA and AF_XDP registrations and spliced pages cannot be seen as such (${limit}); they are listed as possible where a process has what they need.`,
  };
}
