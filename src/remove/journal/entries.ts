/** What a journal says, line by line: JSON that people can read. The first line is the header. */
import type { ProcessRef } from '../../host/actions.ts';
import type { Way } from '../../steps/reason.ts';
import type { Step } from '../../steps/step.ts';

export interface Header {
  readonly entry: 'removal';
  readonly version: 1;
  readonly device: string;
  readonly deviceName: string;
  readonly way: Way;
  /** Numbers by which processes hold the device. */
  readonly deviceNumbers: readonly string[];
  readonly kernel: string | null;
  /** /proc/sys/kernel/random/boot_id: what was stopped or changed before a reboot is no more. */
  readonly boot: string | null;
  readonly begun: string | null;
  /** It was accepted that some processes cannot be looked at. */
  readonly acceptsUnseen: boolean;
  /** It was accepted that pages may be in pipes. */
  readonly acceptsPins?: boolean;
  /** The process that carries it out; null where it is none of this host. */
  readonly by: ProcessRef | null;
  /** PCI slots that the device sits in. */
  readonly slots?: readonly string[];
  readonly steps: readonly Step[];
}

export type Entry =
  | Header
  /** Written before a setting is changed: what it was. */
  | { readonly entry: 'setting'; readonly path: string; readonly was: string }
  | { readonly entry: 'begin'; readonly step: string; readonly title: string }
  | { readonly entry: 'end'; readonly step: string; readonly outcome: StepOutcome; readonly milliseconds: number; readonly says?: string }
  | { readonly entry: 'undo'; readonly step: string; readonly title: string }
  | { readonly entry: 'undone'; readonly step: string; readonly ok: boolean; readonly says?: string }
  | { readonly entry: 'noticed'; readonly says: string }
  | { readonly entry: 'latecomer'; readonly pid: number; readonly what: string }
  /** From here on another process carries it on. */
  | { readonly entry: 'taken-over'; readonly by: ProcessRef | null }
  | { readonly entry: 'resumed' | 'rolled-back' | 'finished'; readonly at: string | null; readonly says: string };

/** `already`: the state was as wanted before anything was done. `unknown`: it is not certain what took effect. */
export type StepOutcome = 'done' | 'already' | 'failed' | 'unknown';

export interface JournalContent {
  readonly header: Header;
  readonly entries: readonly Entry[];
  /** A last line that was cut off in the middle of a write, as a crash leaves it. */
  readonly tornLine: boolean;
}

/** Null where the text has no header. Unknown entries are kept out; a torn last line is told. */
export function parseJournal(text: string): JournalContent | null {
  const entries: Entry[] = [];
  let torn = false;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const value = jsonOf(line);
    if (value === null) torn = true;
    else entries.push(value);
  }
  const header = entries[0];
  return header?.entry === 'removal' && header.version === 1 && Array.isArray(header.steps) ? { header, entries, tornLine: torn } : null;
}

function jsonOf(line: string): Entry | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'entry' in value ? (value as Entry) : null;
  } catch {
    return null;
  }
}
