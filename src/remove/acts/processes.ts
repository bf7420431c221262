/** Steps about processes: stopping, detaching, memory_failure, signals, going on. */
import { isMissing } from '../../host/fact.ts';
import type { Fact } from '../../host/fact.ts';
import type { Stopped } from '../../host/trace.ts';
import type { ProcessRef } from '../../host/actions.ts';
import type { StepAction } from '../../steps/step.ts';
import { protectedBecause } from '../protect.ts';
import { fullPipes } from '../ways/detach/full-pipes.ts';
import { detachStopped } from '../ways/detach/carry-out.ts';
import { holdsAny } from '../ways/detach/held.ts';
import { failPages } from '../ways/force/fail-pages.ts';
import type { Act, Acted, Look, Removal } from '../engine/removal.ts';
import { already, believed, isStopped, no, yes } from '../engine/removal.ts';
import { BINDING_UNKNOWN, bindingOf, isAlive } from './state.ts';

type Of<K extends StepAction['kind']> = Extract<StepAction, { kind: K }>;

const held = (removal: Removal, process: ProcessRef): boolean => {
  const now = holdsAny(removal.host, process.pid, removal.devices);
  return isMissing(now) ? now.missing !== 'absent' && now.missing !== 'vanished' : now;
};

export const stopProcess: Act<Of<'stop-process'>> = {
  before(removal, { process }) {
    if (!isAlive(removal.host, process)) return already('it has ended meanwhile');
    if (isStopped(removal, process.pid)) return already('it is stopped');
    if (removal.trace === null) return no('this host cannot stop processes');
    const why = protectedBecause(removal.host, process.pid, removal.own);
    // Also where it holds nothing just now: one that maps and unmaps without end holds it again a moment later (seen by lab race on 6.12).
    return why === null ? yes : no(why);
  },
  async act(removal, { process }, { deadlineMs }): Promise<Acted> {
    const stopped = await stopWithCarrier(removal, process, deadlineMs);
    if (stopped === undefined || isMissing(stopped)) {
      // Its answer may be lost, and the stop not.
      await removal.trace?.release(process);
      if (!isAlive(removal.host, process)) return { ok: true, definite: true, says: 'it has ended meanwhile' };
      return { ok: false, definite: true, says: stopped?.detail ?? stopped?.missing ?? 'no tracer' };
    }
    removal.stopped.set(process.pid, { process, stopped });
    return { ok: true, definite: true, says: `${stopped.threads.length} thread(s)${stopped.obstacle === undefined ? '' : `; ${stopped.obstacle}`}` };
  },
  after: believed,
};

/** Where no thread happens to stand on a stack that can carry a chain (Go, fibers), a moment later one may. */
const TRIES = 6;

async function stopWithCarrier(removal: Removal, process: ProcessRef, deadlineMs: number): Promise<Fact<Stopped> | undefined> {
  const { trace } = removal;
  for (let tries = 1; ; tries += 1) {
    const stopped = await trace?.stop(process, deadlineMs);
    if (stopped === undefined || isMissing(stopped) || stopped.carrier !== undefined || tries === TRIES || removal.header.way !== 'detach' || trace?.obstacle(process) !== null) return stopped;
    await trace.release(process);
    await removal.host.time.sleep(10 * tries);
  }
}

export const detachProcess: Act<Of<'detach-process'>> = {
  before(removal, { process }) {
    if (!isAlive(removal.host, process)) return already('it has ended meanwhile');
    if (!held(removal, process)) return already('it holds nothing of the device any more');
    const stopped = removal.stopped.get(process.pid)?.stopped;
    if (stopped === undefined || !isStopped(removal, process.pid)) return no('it is not stopped');
    return stopped.carrier === undefined ? no(`system calls cannot be injected: ${stopped.obstacle ?? 'no thread can carry them'}`) : yes;
  },
  async act(removal, { process, devices }): Promise<Acted> {
    if (removal.trace === null) return { ok: false, definite: true, says: 'this host cannot edit processes' };
    const outcome = await detachStopped(removal.host, removal.trace, process, new Set([...removal.devices, ...devices]), removal.header.acceptsPins === true);
    return outcome.done
      ? { ok: true, definite: true, says: `${outcome.calls} call(s) injected${outcome.copyBytes > 0 ? `, ${outcome.copyBytes} bytes copied` : ''}` }
      // What was replaced stays replaced: that is not "as before".
      : { ok: false, definite: outcome.definite && !outcome.touched, says: outcome.why };
  },
  after(removal, { process }, _step, acted) {
    return held(removal, process) ? no(acted.says ?? 'it still holds something of the device') : yes;
  },
};

export const memoryFailure: Act<Of<'memory-failure'>> = {
  before(removal, { process }) {
    const binding = bindingOf(removal);
    if (binding === 'unknown') return no(BINDING_UNKNOWN);
    if (binding === 'unbound') return already('the device is unbound: page tables must not be read any more');
    if (!isAlive(removal.host, process)) return already('it has ended meanwhile');
    const pin = removal.header.acceptsPins === true ? null : fullPipes(removal.host, removal.trace ?? undefined, process, removal.devices);
    if (pin !== null) return no(`${pin} (--accept pin-possible)`);
    return isStopped(removal, process.pid) ? yes : no('it is not stopped, and would fault the pages back in');
  },
  act: (removal, { process, range }, step) => failPages(removal, process, range, step),
  after: believed,
};

export const signalProcess: Act<Of<'signal-process'>> = {
  before(removal, { process }) {
    if (!isAlive(removal.host, process)) return already('it has ended');
    const binding = bindingOf(removal);
    if (binding === 'unknown') return no(BINDING_UNKNOWN);
    if (binding === 'unbound') return no('the device is unbound: the exit of a process that maps it can crash the kernel');
    const why = protectedBecause(removal.host, process.pid, removal.own);
    return why === null ? yes : no(why);
  },
  async act(removal, { process, signal }, { deadlineMs }): Promise<Acted> {
    const sent = await removal.actions.signal(process, signal);
    if (!sent.ok) return { ok: sent.errno === 'ESRCH', definite: sent.definite, says: sent.detail ?? sent.errno ?? 'the signal was not sent' };
    if (signal !== 'SIGKILL' && signal !== 'SIGTERM') return { ok: true, definite: true };
    const ended = await removal.actions.awaitExit(process, deadlineMs);
    return { ok: ended.ok, definite: ended.ok, says: ended.ok ? 'it has ended, its memory is gone' : (ended.detail ?? 'it did not end in time') };
  },
  after(removal, { process, signal }, _step, acted): Look {
    if (signal !== 'SIGKILL' && signal !== 'SIGTERM') return acted.ok ? yes : no(acted.says ?? 'the signal was not sent');
    return isAlive(removal.host, process) ? no(acted.says ?? 'it is still there') : yes;
  },
};

export const releaseProcess: Act<Of<'release-process'>> = {
  before: (removal, { process }) => (removal.stopped.has(process.pid) ? yes : already('it runs')),
  async act(removal, { process }): Promise<Acted> {
    const released = await removal.trace?.release(process);
    if (released?.ok !== false) removal.stopped.delete(process.pid);
    return { ok: released?.ok !== false, definite: true, ...(released?.detail === undefined ? {} : { says: released.detail }) };
  },
  after: believed,
};
