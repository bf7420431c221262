/** What came of the mutations: the form of evidence/mutations.json. Pure. */
import type { Site } from './mutation-sites.ts';

export interface Catch {
  readonly litmus: string;
  readonly profile: string;
  /** What the test said instead of its pinned verdict. */
  readonly said: string;
}

export interface MutationResult extends Site {
  /** Tests that say something else than without the mutation; after the second no more are looked for. */
  readonly caught: readonly Catch[];
  /** The second test that noticed has been taken away since; whether another one notices was not tried. */
  readonly partial?: boolean;
  /** Tests whose threads run the statement. */
  readonly ranBy: number;
}

export interface MutationRun {
  readonly profiles: readonly string[];
  /** Litmus tests that took part. */
  readonly litmus: readonly string[];
  /** Mutations of statements that no thread of the library runs, by file: they were not tried. */
  readonly notRun: Readonly<Record<string, number>>;
  readonly results: readonly MutationResult[];
}
