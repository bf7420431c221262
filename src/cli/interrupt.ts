/** Ctrl-C, a terminal that hangs up and `kill` while a removal is under way. */
import type { Output } from './print/output.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The first signal asks the work to call itself off after the step that it is at; what it has done is put back then. A second
 * one ends the process as if it had been killed: the holders go on by themselves, and the journal is left for `resume`.
 */
export async function interruptible<T>(out: Output, work: (stopAsked: () => boolean) => Promise<T>): Promise<T> {
  let asked = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (asked) {
      end();
      process.kill(process.pid, signal);
      return;
    }
    asked = true;
    out.note("Interrupted: it is called off after this step, and what was done is put back. Once more ends unseat at once; 'unseat resume' and 'unseat rollback' carry on from there.");
  };
  const end = (): void => { for (const signal of SIGNALS) process.removeListener(signal, onSignal); };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work(() => asked);
  } finally {
    end();
  }
}
