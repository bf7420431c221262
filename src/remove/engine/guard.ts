/**
 * Acts that always come back. A host keeps its own deadlines; should one fail to, the engine must not wait for ever with
 * processes stopped: after the deadline and a grace the act counts as indefinite, and the state is read again.
 */
import type { Actions, ActResult, Store } from '../../host/actions.ts';
import { missing } from '../../host/fact.ts';
import type { Host, Time } from '../../host/host.ts';
import type { Trace } from '../../host/trace.ts';
import { UnseatError } from '../../errors/unseat-error.ts';

/** On top of a deadline that the host is to keep itself: a helper child is ended and replaced in it. */
const GRACE_MS = 15_000;
/** For acts without a deadline of their own. */
const QUICK_MS = 30_000;
/** The host gives a shutdown ioctl a minute. */
const SHUTDOWN_MS = 60_000;

const late = (milliseconds: number): ActResult => ({ ok: false, errno: 'ETIMEDOUT', definite: false, milliseconds, detail: `no answer within ${milliseconds} ms` });

async function act<T extends ActResult>(time: Time, work: Promise<T>, deadlineMs: number, more: object = {}): Promise<T> {
  const end = await within(time, work, deadlineMs + GRACE_MS);
  return end === null ? ({ ...late(deadlineMs + GRACE_MS), ...more } as T) : end.value;
}

async function within<T>(time: Time, work: Promise<T>, milliseconds: number): Promise<{ readonly value: T } | null> {
  if (time.within === undefined) return { value: await work };
  // Who is not waited for any more may still fail, and nobody is there to hear it.
  work.catch(() => undefined);
  return time.within(work, milliseconds);
}

export function guardedActions({ time }: Host, inner: Actions): Actions {
  return {
    write: (path, text, ms) => act(time, inner.write(path, text, ms), ms),
    signal: (process, signal) => act(time, inner.signal(process, signal), QUICK_MS),
    awaitExit: (process, ms) => act(time, inner.awaitExit(process, ms), ms),
    unmount: (id, place, ms) => act(time, inner.unmount(id, place, ms), ms),
    sync: (id, place, ms) => act(time, inner.sync(id, place, ms), ms),
    shutdownFilesystem: (id, place, flag) => act(time, inner.shutdownFilesystem(id, place, flag), SHUTDOWN_MS),
    swapOff: (path, ms) => act(time, inner.swapOff(path, ms), ms),
    run: (program, args, ms) => act(time, inner.run(program, args, ms), ms),
    store: guardedStore(time, inner.store),
  };
}

function guardedStore(time: Time, inner: Store): Store {
  const failed = (path: string, seen: string): UnseatError => new UnseatError('WRITE_FAILED', 'a file of unseat could not be written', { subject: path, seen, definite: false });
  const kept = async (path: string, work: Promise<void>): Promise<void> => {
    try {
      if ((await within(time, work, QUICK_MS)) === null) throw failed(path, `no answer within ${QUICK_MS} ms`);
    } catch (error) {
      const { code } = error as { code?: unknown };
      throw error instanceof UnseatError || typeof code !== 'string' ? error : failed(path, code);
    }
  };
  return {
    ...(inner.create === undefined ? {} : { create: (path: string, text: string) => kept(path, (inner.create as NonNullable<Store['create']>)(path, text)) }),
    append: (path, text) => kept(path, inner.append(path, text)),
    replace: (path, text) => kept(path, inner.replace(path, text)),
    remove: (path) => kept(path, inner.remove(path)),
    read: (path) => inner.read(path),
    list: (directory) => inner.list(directory),
  };
}

export function guardedTrace({ time }: Host, inner: Trace): Trace {
  return {
    obstacle: (process) => inner.obstacle(process),
    async stop(process, ms) {
      const end = await within(time, inner.stop(process, ms), ms + GRACE_MS);
      return end === null ? missing('unreadable', `/proc/${process.pid}`, `the tracer gave no answer within ${ms + GRACE_MS} ms`) : end.value;
    },
    inject: (process, chain, ms, carriers) => act(time, inner.inject(process, chain, ms, carriers), ms, { results: [] }),
    async peek(process, address, into) {
      const end = await within(time, inner.peek(process, address, into), QUICK_MS);
      return end === null ? missing('unreadable', `/proc/${process.pid}/mem`, 'ETIMEDOUT') : end.value;
    },
    /** Idempotent, and nobody may stay stopped: an answer that is lost or bad is asked for once more. */
    async release(process) {
      const first = await act(time, inner.release(process), QUICK_MS);
      return first.ok ? first : act(time, inner.release(process), QUICK_MS);
    },
    ...(inner.pipeBytes === undefined ? {} : { pipeBytes: (process, fd, thread) => inner.pipeBytes?.(process, fd, thread) ?? 0 }),
    ...(inner.holds === undefined ? {} : { holds: (process) => inner.holds?.(process) === true }),
    ...(inner.putBackWhenGone === undefined ? {} : { putBackWhenGone: (settings) => act(time, inner.putBackWhenGone?.(settings) ?? Promise.resolve(late(0)), QUICK_MS) }),
  };
}
