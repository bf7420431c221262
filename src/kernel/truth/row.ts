/**
 * Rows of docs/kernel-truth as data: what was seen on a real kernel, and the code that does the same on the simulated
 * one. What comes of it is read off the machine afterwards; nothing here looks at the profile.
 */
import type { Profile } from '../../profile/profile.ts';
import type { Effect } from '../../steps/forecast.ts';

/** What was seen: effects, and figures where the row has some. */
export interface Seen {
  readonly effects: readonly Effect[];
  readonly figures?: Readonly<Record<string, number | string | boolean>>;
}

export interface TruthRow {
  /** `A matrix 1`, `A 1 c`, `B 2 x`: part, section, row. */
  readonly id: string;
  readonly says: string;
  /** Kernel, with the file system where there is one (`7.2 xfs`): what was seen there, or why it is not modelled. */
  readonly seen: Readonly<Record<string, Seen | { readonly notModelled: string }>>;
  /** Where the lab saw something else since: what it saw, which the simulated kernel follows (docs/kernel-truth-confirmed.md has the cells). */
  readonly corrected?: Readonly<Record<string, Seen>>;
  /** Does it on the simulated kernel. `column` is the key of `seen`. */
  readonly run: (profile: Profile, column: string) => Seen;
}

export const kernelOf = (column: string): string => column.split(' ')[0] as string;
export const fsOf = (column: string): 'ext4' | 'xfs' => (column.includes('xfs') ? 'xfs' : 'ext4');

/** The same observation for several columns. */
export function columns(names: string, seen: Seen): Record<string, Seen> {
  return Object.fromEntries(names.split(',').map((name) => [name.trim(), seen]));
}

export const effects = (...list: readonly Effect[]): Seen => ({ effects: list });
export const sorted = (list: Iterable<Effect>): Effect[] => [...new Set(list)].sort();
/** `clean` stands for none of the others. */
export const orClean = (list: readonly Effect[]): Effect[] => (list.length === 0 ? ['clean'] : sorted(list));
