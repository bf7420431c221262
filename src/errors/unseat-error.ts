/**
 * The one error type of the project. An error is data first: a code from the registry (`codes.ts`), one line, and
 * the facts that a reader needs to act. Text is made last, by the one module that prints (`cli/print/`).
 */
import type { ErrorCode } from './codes.ts';

export interface ErrorFacts {
  /** Why it happened, as far as it is known: an errno name with its meaning for this very file, or a parser's reason. */
  readonly cause?: string;
  /** The file, device, holder or argument concerned. */
  readonly subject?: string;
  /** The value that was seen, quoted for people (never raw bytes). */
  readonly seen?: string;
  /** What the reader can do next; a full sentence. */
  readonly next?: string;
  /**
   * For an action: true when it is certain whether the action took effect, false when the state must be read again.
   * Absent for errors that did not act.
   */
  readonly definite?: boolean;
  /** Further facts for `--json`; plain data only. */
  readonly data?: Readonly<Record<string, unknown>>;
}

export class UnseatError extends Error {
  override readonly name = 'UnseatError';
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, line: string, facts: ErrorFacts = {}) {
    super(line);
    this.code = code;
    this.facts = facts;
  }

  /** The form that `--json` prints under the key `error`. */
  toJSON(): Record<string, unknown> {
    return { code: this.code, message: this.message, ...this.facts };
  }
}
