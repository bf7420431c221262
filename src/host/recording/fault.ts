/** Faults that the recording proxy puts in the place of an answer. */
import type { Absence } from '../fact.ts';
import type { RecordedCall } from './record.ts';

export type Fault =
  /** A look: this kind of "no" instead of an answer. */
  | { readonly kind: 'missing'; readonly absence: Absence; readonly detail?: string }
  /**
   * An action fails with this errno. `effect: 'done'` carries it out all the same, and only the answer is lost;
   * `definite` says what the answer claims (default: true without effect, false with it).
   */
  | { readonly kind: 'errno'; readonly errno: string; readonly effect?: 'none' | 'done'; readonly definite?: boolean }
  /** An action reaches its deadline: not definite. It is carried out with `effect: 'done'`. */
  | { readonly kind: 'deadline'; readonly effect?: 'none' | 'done' }
  /** The promise of an asynchronous call never settles. The call is carried out with `effect: 'done'`. */
  | { readonly kind: 'never'; readonly effect?: 'none' | 'done' }
  /** unseat dies at this call, before it is carried out or after: from then on every call throws `Crashed`. */
  | { readonly kind: 'crash'; readonly when: 'before' | 'after' };

export interface FaultRule {
  /** Which calls it is about. A number is the index of a call, counted from 0 over all calls. */
  readonly at: number | ((call: RecordedCall) => boolean);
  /** Of the calls that `at` says yes to, only the nth, counted from 0. Without it, all of them. */
  readonly nth?: number;
  readonly fault: Fault;
}

/** Thrown by every call after a crash. Code under test must let it pass: a dead process runs no `catch` and no `finally`. */
export class Crashed extends Error {
  override readonly name = 'Crashed';
  readonly call: number;

  constructor(call: number) {
    super(`crashed at call ${call}`);
    this.call = call;
  }
}

/** Finds the rule that fits a call, and keeps the counts that `nth` needs. */
export class FaultRules {
  private readonly rules: readonly FaultRule[];
  private readonly seen: number[];

  constructor(rules: readonly FaultRule[]) {
    this.rules = rules;
    this.seen = rules.map(() => 0);
  }

  /** The fault for this call; null where it is carried out as usual. Every call is to be asked about once. */
  for(call: RecordedCall): Fault | null {
    let found: Fault | null = null;
    this.rules.forEach((rule, i) => {
      const fits = typeof rule.at === 'number' ? rule.at === call.index : rule.at(call);
      if (!fits) return;
      const count = this.seen[i] as number;
      this.seen[i] = count + 1;
      if (rule.nth === undefined || rule.nth === count) found ??= rule.fault;
    });
    return found;
  }
}
