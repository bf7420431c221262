/** What an errno of a look means as a kind of absence. */
import { missing, type Absence, type Missing } from '../fact.ts';

const KINDS: Readonly<Record<string, Absence>> = {
  ENOENT: 'absent', ENODEV: 'absent', ENXIO: 'absent', ENOTDIR: 'absent',
  EACCES: 'denied', EPERM: 'denied',
  ESRCH: 'vanished',
};

export const errnoOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'EIO';
};

/** For files that stand by themselves. */
export const absence = (error: unknown, path: string): Missing => {
  const errno = errnoOf(error);
  return missing(KINDS[errno] ?? 'unreadable', path, errno);
};

/**
 * node:fs throws for every errno, and the stack trace is the dearest part of that. A look that fails is no defect, so
 * traces are switched off while `look` runs.
 */
export function quietly<T>(look: () => T, failed: (error: unknown) => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return look();
  } catch (error) {
    return failed(error);
  } finally {
    Error.stackTraceLimit = limit;
  }
}
