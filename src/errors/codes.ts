/**
 * Every error code, with the exit status that it leads to. Codes are for ever: once released they are not renamed.
 * `docs/errors.md` has a paragraph for each; a test holds the two together.
 */
export const EXIT = {
  ok: 0,
  /** The command could not do its work. */
  failed: 1,
  /** The command line was wrong. */
  usage: 2,
  /** Refused before anything was touched: the device is held, the removal would do damage, this user or this host may not do it. */
  refused: 3,
  /** A forbidden outcome was found (`check`), or something was left behind (`audit`). */
  found: 4,
  /** Some of it was done and some was not; the state is described in the output. */
  partly: 64,
  /** A test or lab cell was skipped for want of something that is named. */
  skipped: 77,
} as const;

export const CODES = {
  USAGE: { exit: EXIT.usage, says: 'the command line is not one that this command takes' },
  NOT_FOUND: { exit: EXIT.failed, says: 'no device, process or file goes by that name on this host' },
  AMBIGUOUS: { exit: EXIT.usage, says: 'the name fits several devices' },
  NO_PERMISSION: { exit: EXIT.refused, says: 'a step needs a privilege that this user lacks' },
  UNREADABLE: { exit: EXIT.failed, says: 'this user may not read a file that was named' },
  BAD_CAPTURE: { exit: EXIT.failed, says: 'the capture is truncated, corrupt or not a capture' },
  UNSAFE_CAPTURE: { exit: EXIT.failed, says: 'the archive would reach outside of itself or is absurdly large' },
  BAD_INPUT: { exit: EXIT.failed, says: 'a file given by the user does not have the form that it should have' },
  BAD_SCENARIO: { exit: EXIT.failed, says: 'a scenario or litmus file does not follow its schema' },
  UNSUPPORTED: { exit: EXIT.failed, says: 'this machine, kernel or host cannot do that' },
  READ_ONLY: { exit: EXIT.refused, says: 'this host cannot be changed (a capture)' },
  HELD: { exit: EXIT.refused, says: 'the device is held and the chosen way does not let the holder go' },
  REFUSED: { exit: EXIT.refused, says: 'the removal would do damage or touch what must not be touched' },
  NO_CONSENT: { exit: EXIT.refused, says: 'nothing changes without the device named as consent' },
  SHORT_WRITE: { exit: EXIT.failed, says: 'the kernel took only part of a write' },
  WRITE_FAILED: { exit: EXIT.failed, says: 'the kernel refused a write' },
  DEADLINE: { exit: EXIT.failed, says: 'a step did not end in its time' },
  VANISHED: { exit: EXIT.failed, says: 'a process or device went away while it was looked at' },
  CHANGED: { exit: EXIT.failed, says: 'the machine changed between the plan and the step' },
  STEP_FAILED: { exit: EXIT.partly, says: 'a step failed after others had been done' },
  LEFTOVER: { exit: EXIT.found, says: 'something of the device is left behind' },
  FORBIDDEN_OUTCOME: { exit: EXIT.found, says: 'an interleaving reaches a forbidden outcome' },
  LAB: { exit: EXIT.failed, says: 'the lab could not boot or run a guest' },
  MISSING_TOOL: { exit: EXIT.failed, says: 'a program that this command needs is not installed' },
  INTERNAL: { exit: EXIT.failed, says: 'a defect in unseat itself' },
} as const satisfies Record<string, { exit: number; says: string }>;

export type ErrorCode = keyof typeof CODES;
