/** What removing a device would do. One vocabulary for forecasts (plan/), outcomes of the simulated kernel and of the lab. */

/** How the device goes. `unbind`: driver unbind by sysfs; `pull`: the hardware leaves (unplug, eject, surprise). */
export type RemovalEvent = 'unbind' | 'pull';

// The words for what can come of it are shared with scenarios, which stand above this room.
import type { Effect } from '../scenario/effect.ts';
export type { Effect };

export interface Forecast {
  readonly event: RemovalEvent;
  readonly effects: readonly {
    readonly effect: Effect;
    /** Whom it hits: a holder, a mount, the device; for people. */
    readonly whom: string;
    /** Why, one sentence, in the kernel's words. */
    readonly because: string;
    /** Where that is known from: a kernel file and version, or a row of docs/kernel-truth. */
    readonly source: string;
    /** `certain` where the profile's mechanisms decide it, `likely` where it hangs on timing or on what is unseen. */
    readonly certainty: 'certain' | 'likely' | 'possible';
  }[];
}
