/** Proposals: designs that no release has, as entries over a release. Each is a file here. */
import type { ProfileEntries } from '../build.ts';

export const PROPOSALS: readonly (ProfileEntries & { readonly over: string })[] = [];
