/** Designs side by side: reach, misses, collateral, litmus tests that they fail, and costs against four sizes. */
import type { Profile } from '../../profile/profile.ts';
import { checkLitmus } from '../litmus/check.ts';
import type { Litmus } from '../litmus/schema.ts';
import { measure, type Measured, type Scale } from './measure.ts';

export const BASE: Scale = { pages: 4096, inodes: 16, processes: 4, extents: 1 };
export const SWEEPS: Readonly<Record<keyof Scale, readonly number[]>> = {
  pages: [512, 4096, 32_768, 262_144],
  inodes: [1, 16, 256, 4096],
  processes: [1, 4, 16, 64],
  extents: [1, 8, 64, 512],
};

export interface Curve {
  readonly against: keyof Scale;
  readonly points: readonly { readonly at: number; readonly operations: number }[];
}

export interface DesignReport {
  readonly design: string;
  readonly summary: string;
  /** ext4, which no release asks; costs and curves are of this. */
  readonly base: Measured;
  /** XFS with rmapbt, which releases from 6.0 on ask. */
  readonly xfs: Measured;
  /** A file system over two namespaces, of which one goes: collateral. */
  readonly several: Measured;
  readonly curves: readonly Curve[];
  /** Litmus tests with what is violated. */
  readonly fails: readonly { readonly litmus: string; readonly violated: readonly string[] }[];
  readonly tests: number;
}

/** Tests about a removal of fsdax memory that set no mechanism themselves: those that a design can pass or fail. */
export const isAboutRemoval = (test: Litmus): boolean =>
  Object.keys(test.machine.mechanisms).length === 0 && Object.values(test.machine.pmem).some((p) => p.fs !== undefined)
  && Object.values(test.threads).some((lines) => lines.some((line) => /(^| )unbind /.test(line))) && !/^(removal|force|subsection|fsdax-umount)-/.test(test.litmus);

export function compareDesign(profile: Profile, tests: readonly Litmus[], options: { readonly now: () => number; readonly onProgress?: (what: string) => void }): DesignReport {
  const say = options.onProgress ?? ((): void => undefined);
  say(`${profile.name}: reach`);
  const base = measure(profile, 'ext4', BASE);
  const curves = (Object.keys(SWEEPS) as (keyof Scale)[]).map((against) => {
    say(`${profile.name}: cost against ${against}`);
    return { against, points: SWEEPS[against].map((at) => ({ at, operations: measure(profile, 'ext4', { ...BASE, [against]: at }).operations })) };
  });
  const chosen = tests.filter(isAboutRemoval);
  const fails = chosen.flatMap((test) => {
    say(`${profile.name}: ${test.litmus}`);
    const { violated } = checkLitmus(test, profile, { now: options.now, all: true, maxStates: 500_000 });
    return violated.length === 0 ? [] : [{ litmus: test.litmus, violated }];
  });
  return { design: profile.name, summary: profile.summary, base, xfs: measure(profile, 'xfs', BASE), several: measure(profile, 'multi', BASE), curves, fails, tests: chosen.length };
}

