/** The journal of one removal under /run/unseat: appended and synced before and after each step. */
import type { Store } from '../../host/actions.ts';
import { isMissing } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Entry, Header, JournalContent } from './entries.ts';
import { parseJournal } from './entries.ts';

export const JOURNAL_DIRECTORY = '/run/unseat';

export const journalPath = (device: string): string => `${JOURNAL_DIRECTORY}/${device.replace(/[^A-Za-z0-9._-]/g, '_')}.journal`;

export class Journal {
  readonly path: string;
  private readonly store: Store;
  /** What settings were before this removal, by path. */
  readonly settings: Map<string, string>;
  /** Why the last line could not be written; null where all is well. */
  broken: string | null = null;
  private lenient = false;

  private constructor(store: Store, path: string, settings: Map<string, string>) {
    this.store = store;
    this.path = path;
    this.settings = settings;
  }

  /** Begins a new one. Refuses where an earlier removal of the device was not brought to an end. */
  static async begin(store: Store, header: Header): Promise<Journal> {
    const path = journalPath(header.device);
    const left = store.read(path);
    // Killed while it wrote the header, an earlier removal had touched nothing, and nobody could resume it.
    if (!isMissing(left) && !left.includes('\n')) await store.remove(path);
    else if (!isMissing(left)) throw interrupted(header, path);
    const journal = new Journal(store, path, new Map());
    try {
      if (store.create === undefined) await journal.write(header);
      else await store.create(path, `${JSON.stringify(header)}\n`);
    } catch (error) {
      if (!(error instanceof UnseatError)) throw error;
      // Somebody else has begun since we looked.
      if (error.facts.seen === 'EEXIST') throw interrupted(header, path);
      // Nothing was touched: half a header must not stand in the way of the next try.
      await journal.remove().catch(() => undefined);
      throw new UnseatError('WRITE_FAILED', 'the journal cannot be begun; nothing was touched', {
        subject: path, ...(error.facts.seen === undefined ? {} : { seen: error.facts.seen }), next: `Without its journal a removal could be neither resumed nor rolled back: make ${JOURNAL_DIRECTORY} writable, with room in it.`,
      });
    }
    return journal;
  }

  static continued(store: Store, path: string, content: JournalContent): Journal {
    const settings = new Map<string, string>();
    for (const e of content.entries) if (e.entry === 'setting' && !settings.has(e.path)) settings.set(e.path, e.was);
    return new Journal(store, path, settings);
  }

  /** Throws WRITE_FAILED: what is not in the journal must not be done. */
  async write(entry: Entry): Promise<void> {
    // A line that was cut off must not take the next one with it.
    const text = `${this.broken === null ? '' : '\n'}${JSON.stringify(entry)}\n`;
    try {
      await this.store.append(this.path, text);
    } catch (error) {
      if (!(error instanceof UnseatError)) throw error;
      this.broken = error.facts.seen ?? error.facts.cause ?? error.message;
      if (!this.lenient) throw error;
    }
  }

  /** What is done already is told where it can be; that it cannot is no reason to stop. */
  async tell(entry: Entry): Promise<void> {
    const before = this.lenient;
    this.lenient = true;
    try {
      await this.write(entry);
    } finally {
      this.lenient = before;
    }
  }

  /** From here on everything is put back or brought to its end, whether or not it can be written down. */
  goOnWithout(): void {
    this.lenient = true;
  }

  /** Keeps the first value: a second removal of our own must not take our value for the original. */
  async keepSetting(path: string, was: string): Promise<void> {
    if (this.settings.has(path)) return;
    this.settings.set(path, was);
    await this.write({ entry: 'setting', path, was });
  }

  /** When everything has come to an end that needs no `resume`. */
  remove(): Promise<void> {
    return this.store.remove(this.path);
  }
}

const interrupted = (header: Header, path: string): UnseatError => new UnseatError('REFUSED', 'an earlier removal of this device was interrupted', {
  subject: header.deviceName, seen: path, next: `Run 'unseat resume ${header.deviceName}' to go on with it, or 'unseat rollback ${header.deviceName}' to put everything back.`,
});

export interface FoundJournal {
  readonly path: string;
  readonly content: JournalContent;
}

/** Why this user cannot know whether a removal was interrupted: journals are for root alone. Null where it can be seen. */
export function journalsDenied(host: Host): string | null {
  const names = host.actions?.store.list(JOURNAL_DIRECTORY) ?? host.files.list(JOURNAL_DIRECTORY);
  return isMissing(names) && names.missing === 'denied' ? (names.detail ?? names.missing) : null;
}

/** Journals of removals that did not come to an end. */
export function findJournals(host: Host): FoundJournal[] {
  const store = host.actions?.store;
  const names = store === undefined ? host.files.list(JOURNAL_DIRECTORY) : store.list(JOURNAL_DIRECTORY);
  if (isMissing(names)) return [];
  return names.filter((name) => name.endsWith('.journal')).flatMap((name) => {
    const path = `${JOURNAL_DIRECTORY}/${name}`;
    const text = store === undefined ? host.files.text(path) : store.read(path);
    const content = isMissing(text) ? null : parseJournal(text);
    return content === null ? [] : [{ path, content }];
  });
}
