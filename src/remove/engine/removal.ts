/** What the steps of one removal share while it runs. */
import type { Actions, ProcessRef } from '../../host/actions.ts';
import type { Host } from '../../host/host.ts';
import type { Stopped, Trace } from '../../host/trace.ts';
import type { Step, StepAction } from '../../steps/step.ts';
import type { Header } from '../journal/entries.ts';
import type { Journal } from '../journal/journal.ts';

/** For progress lines; `text` is ready to be shown. */
export interface Progress {
  readonly step: string;
  readonly phase: 'begin' | 'going' | 'end';
  readonly text: string;
}

export interface Removal {
  readonly host: Host;
  readonly actions: Actions;
  readonly trace: Trace | null;
  readonly header: Header;
  readonly devices: ReadonlySet<string>;
  readonly journal: Journal;
  /** Processes that we hold stopped, by pid. */
  readonly stopped: Map<number, { readonly process: ProcessRef; readonly stopped: Stopped }>;
  /** Steps that an interrupted run of this removal had begun, by id; none where this is the first. */
  readonly begunBefore: ReadonlySet<string>;
  /** Sequence number of the kernel log when the removal began; null where the log cannot be read. */
  readonly logMark: number | null;
  /** Process ids that are us: our own first, then our children. */
  readonly own: readonly number[];
  readonly progress: (step: Step, text: string) => void;
  /** Whether somebody wants it called off: looked at between steps, and while holders are waited for. */
  readonly stopAsked: () => boolean;
  /** Processes that came to hold the device meanwhile and were let go: they stay so. */
  readonly latecomers: { letGo: number };
  /** What happened around us meanwhile and must be told. */
  readonly noticed: string[];
}

/** True while the process stands still for us; false also after the child that held it has died. */
export function isStopped(removal: Removal, pid: number): boolean {
  const entry = removal.stopped.get(pid);
  return entry !== undefined && removal.trace?.holds?.(entry.process) !== false;
}

/** How a look at the state before or after an action ended. */
export type Look = { readonly is: 'yes' } | { readonly is: 'no'; readonly why: string } | { readonly is: 'already'; readonly why: string; readonly gone?: boolean };

export interface Acted {
  readonly ok: boolean;
  readonly definite: boolean;
  /** What happened, for the journal and for people. */
  readonly says?: string;
  /** Errno name where one call failed with it. */
  readonly errno?: string;
}

/** One kind of step: what must hold before, what is done, and how it is known that it worked. */
export interface Act<A extends StepAction> {
  /** `already` skips the action, `no` fails the step before anything was done. */
  before(removal: Removal, action: A, step: Step): Look | Promise<Look>;
  act(removal: Removal, action: A, step: Step): Promise<Acted>;
  /** Reads the state again: what it says counts, not what the action returned. */
  after(removal: Removal, action: A, step: Step, acted: Acted): Look | Promise<Look>;
}

export const yes: Look = { is: 'yes' };
export const no = (why: string): Look => ({ is: 'no', why });
export const already = (why: string): Look => ({ is: 'already', why });
/** Nothing can be done because what it would be done to is not there (any more). */
export const gone = (why: string): Look => ({ is: 'already', why, gone: true });
export const believed = (_removal: Removal, _action: StepAction, _step: Step, acted: Acted): Look => (acted.ok ? yes : no(acted.says ?? 'it failed'));
