/** When a search stops before it has seen everything. Looked at between levels, so that a rule by states stops at the same place each time. */
export interface StopRules {
  readonly maxStates?: number;
  /** Levels to expand. */
  readonly maxDepth?: number;
  readonly maxMilliseconds?: number;
  /** Bytes of the table of states and of the states that wait. */
  readonly maxBytes?: number;
  /** Somebody wants it to end now (Ctrl-C). */
  readonly interrupted?: () => boolean;
}

export interface Reached {
  readonly states: number;
  readonly depth: number;
  readonly milliseconds: number;
  readonly bytes: number;
}

/** Why to stop here; null to go on. */
export function whyStop(rules: StopRules, reached: Reached): string | null {
  const { maxStates, maxDepth, maxMilliseconds, maxBytes, interrupted } = rules;
  if (maxStates !== undefined && reached.states >= maxStates) return `the limit of ${maxStates} states was reached`;
  if (maxDepth !== undefined && reached.depth >= maxDepth) return `the limit of ${maxDepth} steps was reached`;
  if (maxMilliseconds !== undefined && reached.milliseconds >= maxMilliseconds) return `the limit of ${maxMilliseconds / 1000} s was reached`;
  if (maxBytes !== undefined && reached.bytes >= maxBytes) return `the limit of ${Math.round(maxBytes / 1048576)} MiB was reached`;
  return interrupted?.() === true ? 'it was interrupted' : null;
}
