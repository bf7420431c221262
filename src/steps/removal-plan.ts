import type { Forecast } from './forecast.ts';
import type { Blocker, Way } from './reason.ts';
import type { Step } from './step.ts';

/** A plan as data: `plan --json` prints it, `remove` carries it out. */
export interface RemovalPlan {
  /** `Device.id`. */
  readonly device: string;
  readonly deviceName: string;
  /** The kernel that it was made for, and the profile that was taken for it. */
  readonly kernel: { readonly release: string | null; readonly profile: string; readonly exact: boolean; readonly says: string };
  readonly forecasts: readonly Forecast[];
  readonly ways: readonly WayPlan[];
  /** Known defects of this kernel that bear on this removal. */
  readonly knownBad: readonly { readonly effect: string; readonly source: string }[];
  /** What this host cannot show and the plan therefore cannot know. */
  readonly unseen: readonly string[];
}

export interface WayPlan {
  readonly way: Way;
  /** True when nothing stands in the way of carrying it out. */
  readonly possible: boolean;
  readonly blockers: readonly Blocker[];
  /** What it does to holders, mounts and the machine, to be accepted with the consent. */
  readonly consequences: readonly string[];
  readonly steps: readonly Step[];
}
