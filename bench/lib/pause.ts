/** The pause that a holder saw, of test/programs/mapper.c, whose watching thread notes each time in which it did not run. */
import type { Program } from '../../test/live/loop.ts';

/** A time in which the holder certainly stood still: from the answer to the stop until the release was asked for. CLOCK_MONOTONIC, nanoseconds. */
export interface Still {
  readonly from: bigint;
  readonly to: bigint;
}

const LOOKS = 400;
const BETWEEN_MS = 5;

/**
 * Nanoseconds of the one time without a run that holds all of `still`. It can be no shorter than that, so a watching thread
 * that has seen nothing, or something else, is asked again and then told of: it never counts as a short pause.
 */
export async function pauseSeen(program: Pick<Program, 'ask'>, still: Still, sleep: (milliseconds: number) => Promise<void>): Promise<number> {
  for (let look = 0; look < LOOKS; look += 1) {
    // On a busy machine it takes a while until the thread runs again, and knows.
    await sleep(BETWEEN_MS);
    const seen = Number(await program.ask(`gap ${still.from} ${still.to}`));
    if (seen === 0) continue;
    if (!(seen >= Number(still.to - still.from))) throw new Error(`a pause of ${seen} ns was seen, while the holder stood still for ${still.to - still.from} ns`);
    return seen;
  }
  throw new Error(`the holder stood still for ${still.to - still.from} ns, and its watching thread has not seen that after ${LOOKS} looks`);
}
