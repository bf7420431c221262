/**
 * Before the first request: a stop, a chain and a release, done with a process of our own. What is done for the first
 * time takes ten times as long (code is compiled, libraries are searched for the code that a chain needs), and a
 * holder would stand still meanwhile.
 */
import { spawn } from 'node:child_process';
import type { GadgetFinder } from './arch/x86-64/gadgets.ts';
import { StoppedProcess } from './process.ts';
import type { WireCall } from './protocol.ts';
import { look, pause } from './sys.ts';

/** Nothing of it lasts in a process that is about to end. */
const CALLS: readonly WireCall[] = [
  { name: 'memfd_create', args: [{ base64: Buffer.from('unseat\0').toString('base64') }, 1] },
  { name: 'close', args: [-1] },
  { name: 'chdir', args: [{ base64: Buffer.from('/\0').toString('base64') }] },
];
/** After so many V8 has compiled nearly all of it; they take a few hundredths of a second. */
export const TIMES = 30;
/** For all of it: a machine on which it takes longer has its first holder stand still longer. */
const AT_MOST_MS = 150;

/**
 * How often it went through. The process is a shell that waits for input, and that ends by itself when we are gone.
 * Whatever fails here only leaves the first holder's pause longer.
 */
export function rehearse(finder: GadgetFinder, atMostMs: number = AT_MOST_MS): number {
  // No other registers are known (obstacle.ts).
  if (process.arch !== 'x64') return 0;
  const until = performance.now() + atMostMs;
  let done = 0;
  const shell = spawn('/bin/sh', ['-c', 'read -r line'], { stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
  shell.on('error', () => undefined);
  const { pid } = shell;
  if (pid === undefined) return 0;
  try {
    for (; done < TIMES && performance.now() < until; pause(200)) if (once(pid, finder)) done += 1;
  } catch {
    // It has ended, or may not be traced: that will be told of a holder.
  } finally {
    shell.kill('SIGKILL');
    // Its end is waited for here, not in the event loop, to which the child never comes back.
    shell.unref();
    shell.stdin.destroy();
    while (look(pid).kind === 'none' && performance.now() < until + AT_MOST_MS) pause(200);
  }
  return done;
}

/** False where it has not come as far as its libraries. */
function once(pid: number, finder: GadgetFinder): boolean {
  const stopped = new StoppedProcess(pid, AT_MOST_MS, finder);
  try {
    return stopped.describe().carrier !== undefined && stopped.inject(CALLS, AT_MOST_MS).ok;
  } finally {
    stopped.release();
  }
}
