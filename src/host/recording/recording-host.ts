/**
 * A proxy around any host, for tests: it records every call and puts faults in the place of answers. Crash tests run an
 * engine once to count its calls, then once for each call with a crash there, and look at what the inner host was left with.
 */
import { UnseatError } from '../../errors/unseat-error.ts';
import { missing } from '../fact.ts';
import type { Host } from '../host.ts';
import { Crashed, FaultRules, type Fault, type FaultRule } from './fault.ts';
import { plainArgument, summaryOf, type RecordedCall } from './record.ts';

export interface RecordingHost {
  /** To be handed to the code under test. */
  readonly host: Host;
  /** Every call so far, those after a crash not included. */
  readonly calls: readonly RecordedCall[];
  /** The crash that happened, or null. */
  readonly crashed: Crashed | null;
}

type Callable = (...args: unknown[]) => unknown;

/** How a method answers, which decides what a fault looks like. */
type Shape = 'fact' | 'fact-later' | 'act' | 'chain' | 'void-later' | 'value';

const SHAPES: Record<string, Shape> = {
  'trace.obstacle': 'fact', 'trace.stop': 'fact-later', 'trace.peek': 'fact-later', 'trace.inject': 'chain', 'trace.release': 'act', 'trace.holds': 'value', 'trace.pipeBytes': 'fact', 'trace.putBackWhenGone': 'act',
  'actions.store.append': 'void-later', 'actions.store.create': 'void-later', 'actions.store.replace': 'void-later', 'actions.store.remove': 'void-later',
  'actions.store.read': 'fact', 'actions.store.list': 'fact', 'time.now': 'value', 'time.sleep': 'void-later', 'time.within': 'void-later', 'time.wall': 'fact', 'host.close': 'value',
};

const shapeOf = (call: RecordedCall): Shape => SHAPES[`${call.facet}.${call.method}`] ?? (call.facet === 'actions' ? 'act' : 'fact');

export function recordHost(inner: Host, rules: readonly FaultRule[] = []): RecordingHost {
  const recorder = new Recorder(rules);
  const host: Host = {
    kind: inner.kind,
    label: inner.label,
    identity: inner.identity,
    files: recorder.wrap('files', inner.files),
    processes: recorder.wrap('processes', inner.processes),
    mounts: recorder.wrap('mounts', inner.mounts),
    log: recorder.wrap('log', inner.log),
    time: recorder.wrap('time', inner.time),
    ...(inner.actions === undefined ? {} : { actions: recorder.wrap('actions', inner.actions) }),
    ...(inner.trace === undefined ? {} : { trace: recorder.wrap('trace', inner.trace) }),
    close: () => { recorder.call('host', 'close', () => inner.close(), []); },
  };
  return { host, calls: recorder.calls, get crashed() { return recorder.crashed; } };
}

class Recorder {
  readonly calls: RecordedCall[] = [];
  crashed: Crashed | null = null;
  private readonly rules: FaultRules;

  constructor(rules: readonly FaultRule[]) {
    this.rules = new FaultRules(rules);
  }

  /** The facet with every method recorded; a facet inside it (`actions.store`) is wrapped as well. */
  wrap<T extends object>(facet: string, target: T): T {
    return new Proxy(target, {
      get: (object, key) => {
        const value: unknown = Reflect.get(object, key, object);
        if (typeof key === 'symbol') return value;
        if (typeof value === 'function') return (...args: unknown[]) => this.call(facet, key, () => (value as Callable).apply(object, args), args);
        return typeof value === 'object' && value !== null ? this.wrap(`${facet}.${key}`, value) : value;
      },
    });
  }

  call(facet: string, method: string, run: () => unknown, args: readonly unknown[]): unknown {
    if (this.crashed !== null) return this.refuse(facet, method, this.crashed);
    const call: RecordedCall = { index: this.calls.length, facet, method, args: args.map(plainArgument), answer: 'pending' };
    this.calls.push(call);
    const fault = this.rules.for(call);
    return fault === null ? this.carryOut(call, run) : this.inject(call, fault, run);
  }

  private carryOut(call: RecordedCall, run: () => unknown): unknown {
    const answer = run();
    if (!(answer instanceof Promise)) {
      call.answer = summaryOf(answer);
      return answer;
    }
    return answer.then(
      (value: unknown) => {
        if (this.crashed !== null) throw this.crashed;
        call.answer = summaryOf(value);
        return value;
      },
      (error: unknown) => {
        if (this.crashed !== null) throw this.crashed;
        call.answer = `threw ${error instanceof Error ? error.message : String(error)}`;
        throw error;
      },
    );
  }

  private inject(call: RecordedCall, fault: Fault, run: () => unknown): unknown {
    const shape = shapeOf(call);
    const later = !['fact', 'value'].includes(shape);
    call.answer = `fault: ${fault.kind}`;
    switch (fault.kind) {
      case 'crash': return this.crash(call, fault.when === 'after' ? run : null, later);
      case 'missing': {
        if (!shape.startsWith('fact')) throw misuse(call, fault);
        const answer = missing(fault.absence, typeof call.args[0] === 'string' ? call.args[0] : `${call.facet}.${call.method}`, fault.detail);
        return later ? Promise.resolve(answer) : answer;
      }
      case 'never': {
        if (!later) throw misuse(call, fault);
        if (fault.effect === 'done') void Promise.resolve(run()).catch(() => {});
        return new Promise<never>(() => {});
      }
      case 'errno': return failing(call, shape, fault.errno, fault.effect === 'done' ? run : null, fault.definite ?? fault.effect !== 'done');
      case 'deadline': return failing(call, shape, 'ETIMEDOUT', fault.effect === 'done' ? run : null, false);
    }
  }

  /** From here on the code under test is dead: nothing that it still calls reaches the inner host. */
  private crash(call: RecordedCall, run: (() => unknown) | null, later: boolean): unknown {
    const crash = new Crashed(call.index);
    const effect = run?.();
    this.crashed = crash;
    if (!later) throw crash;
    return Promise.resolve(effect).then(() => { throw crash; }, () => { throw crash; });
  }

  private refuse(facet: string, method: string, crash: Crashed): Promise<never> {
    const shape = shapeOf({ index: -1, facet, method, args: [], answer: '' });
    if (shape === 'fact' || shape === 'value') throw crash;
    return Promise.reject(crash);
  }
}

async function failing(call: RecordedCall, shape: Shape, errno: string, run: (() => unknown) | null, definite: boolean): Promise<unknown> {
  if (shape === 'fact' || shape === 'value') throw misuse(call, { kind: 'errno', errno });
  if (run !== null) await run();
  const failed = { ok: false, errno, definite, milliseconds: 0 };
  switch (shape) {
    case 'act': return failed;
    case 'chain': return { ...failed, results: [] };
    case 'fact-later': return missing(errno === 'ESRCH' ? 'vanished' : 'unreadable', `${call.facet}.${call.method}`, errno);
    case 'void-later': throw new UnseatError('WRITE_FAILED', 'an injected fault', { cause: errno, subject: String(call.args[0] ?? ''), definite });
  }
}

const misuse = (call: RecordedCall, fault: Fault): Error =>
  new Error(`the fault '${fault.kind}' does not fit ${call.facet}.${call.method}: the test asks for something that no host does`);
