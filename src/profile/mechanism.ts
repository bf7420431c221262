/**
 * How a mechanism is declared: what the kernel may do at one place, which of its ways exist, and which one is taken
 * where a release says nothing. A declaration has no word for what comes of it.
 */
export type MechanismValue = boolean | number | string;

export interface Declaration<V extends MechanismValue = MechanismValue> {
  /** Every value that a release or a proposal may give. For a number: examples; any number >= 0 is taken. */
  readonly allowed: readonly V[];
  /** Taken where a release has no entry of its own: what current mainline does. */
  readonly default: V;
  /** What the values mean, in the kernel's words. */
  readonly meaning: string;
  /** Kernel file and version, commit subject, Message-ID, or `measured: <row of docs/kernel-truth>` for the default. */
  readonly source: string;
}

export type Declarations = Readonly<Record<string, Declaration>>;

/** The type of a mechanism's value: the union of what it allows (numbers and booleans widened). */
export type ValueOf<D extends Declaration> = D['allowed'][number] extends number ? number : D['allowed'][number];
