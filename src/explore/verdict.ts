/** What a search answers. */
export interface TraceStep {
  readonly thread: string;
  /** Where the thread stood before the step. */
  readonly from: string;
  /** Where it stands after it; `done (result)` or the oops at the end. */
  readonly to: string;
  readonly calls: readonly string[];
  readonly loads: readonly { readonly word: string; readonly value: number; readonly text?: string }[];
  readonly stores: readonly { readonly word: string; readonly before: number; readonly after: number; readonly text?: string }[];
  readonly choices: readonly { readonly label: string; readonly choice: number }[];
}

export interface Violation {
  /** Name of the property; `oops: ...`, `hang` for the built-in ones. */
  readonly property: string;
  readonly kind: 'never' | 'finally' | 'oops' | 'hang';
  readonly trace: readonly TraceStep[];
  /** Threads and choices, to be replayed: `0 1 1:2 0`. */
  readonly schedule: string;
}

export interface SearchStats {
  readonly states: number;
  readonly transitions: number;
  /** Number of steps of the longest shortest way to a state. */
  readonly depth: number;
  readonly milliseconds: number;
  /** How often a generator was re-run to learn something new. */
  readonly reruns: number;
  readonly nodes: number;
  /** Words of the heap that some thread stores. */
  readonly columns: number;
  readonly bytesPerState: number;
}

export interface Verdict {
  readonly program: string;
  readonly violations: readonly Violation[];
  /** `sometimes` properties that no state fulfilled: the test is vacuous. */
  readonly neverSeen: readonly string[];
  /** `finally` properties that were asked in no state, since in each somebody can go on: the test says nothing by them. */
  readonly neverAsked: readonly string[];
  /** True when every reachable state was looked at. */
  readonly complete: boolean;
  readonly stoppedBecause: string | null;
  readonly stats: SearchStats;
}
