/** From what a command returned or threw to the exit status. */
import { CODES, EXIT } from '../errors/codes.ts';
import { UnseatError } from '../errors/unseat-error.ts';
import type { Output } from './print/output.ts';

/** `foreign` may take an error that is none of ours; null: it does not know it. */
export async function outcomeOf(out: Output, work: () => Promise<number>, foreign: (error: unknown) => number | null = () => null): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const status = foreign(error);
    if (status !== null) return status;
    out.error(error);
    return error instanceof UnseatError ? CODES[error.code].exit : EXIT.failed;
  }
}
