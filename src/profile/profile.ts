/**
 * A profile: what one kernel release, or one proposed design, *does*. It switches mechanisms (this call exists, this
 * check is made, in this order) and has no word for an outcome: outcomes follow by running the simulated kernel, and
 * forecasts are rules over mechanisms, tested equal to running it.
 *
 * Mechanisms are declared per system in `mechanisms/*.ts`, each with its default, its meaning and where it is known
 * from; a release in `releases/*.ts` is the list of values it has, each with a citation.
 */
export interface Mechanism<V extends boolean | number | string = boolean | number | string> {
  readonly value: V;
  /** Kernel source file and version, commit subject, Message-ID, or `measured: <row>`. */
  readonly source: string;
}

export type MechanismValues = Readonly<Record<string, Mechanism>>;

export interface Profile {
  /** `6.12`, `7.2`, `proposal:dev-pagemap-failure`. */
  readonly name: string;
  /** First release it stands for, as [major, minor]; null for a proposal. */
  readonly release: readonly [number, number] | null;
  readonly summary: string;
  readonly mechanisms: MechanismValues;
}
