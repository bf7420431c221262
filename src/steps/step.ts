/**
 * The steps of a removal, as data: what would be written, injected or signalled, where, in order. `plan/` makes them,
 * the dry run prints them, `remove/` carries them out; neither of the two imports the other.
 */
import type { ProcessRef, Signal } from '../host/actions.ts';
import type { PhysRange } from '../range/phys-range.ts';

export type StepAction =
  /** syncfs on a mount. */
  | { readonly kind: 'sync'; readonly namespaceId: number; readonly mountPoint: string }
  | { readonly kind: 'stop-unit'; readonly unit: string }
  | { readonly kind: 'wait-for-holders'; readonly deadlineMs: number }
  | { readonly kind: 'stop-process'; readonly process: ProcessRef }
  /** Which calls is decided when the process is stopped: its mappings are final only then. */
  | { readonly kind: 'detach-process'; readonly process: ProcessRef; readonly devices: readonly string[] }
  | { readonly kind: 'memory-failure'; readonly process: ProcessRef; readonly range: PhysRange }
  | { readonly kind: 'signal-process'; readonly process: ProcessRef; readonly signal: Signal }
  | { readonly kind: 'release-process'; readonly process: ProcessRef }
  /** No process may hold the device any more; latecomers send the engine back to the stop. */
  | { readonly kind: 'confirm-no-holders'; readonly devices: readonly string[]; readonly allowMounts: boolean }
  | { readonly kind: 'unmount'; readonly namespaceId: number; readonly mountPoint: string }
  | { readonly kind: 'shutdown-filesystem'; readonly namespaceId: number; readonly mountPoint: string; readonly flag: 0 | 1 | 2 }
  | { readonly kind: 'swap-off'; readonly path: string }
  | { readonly kind: 'deactivate'; readonly block: string; readonly program: string; readonly args: readonly string[] }
  /** `was` is empty where it was not known when the plan was made: it is read, and kept in the journal, before the write. */
  | { readonly kind: 'set'; readonly path: string; readonly to: string; readonly was: string }
  | { readonly kind: 'offline-block'; readonly index: number; readonly path: string; readonly was: string; readonly zone: string | null }
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'unbind'; readonly driverPath: string; readonly device: string }
  | { readonly kind: 'confirm-gone'; readonly ranges: readonly PhysRange[]; readonly paths: readonly string[] }
  | { readonly kind: 'confirm-slot-off'; readonly slotPath: string }
  | { readonly kind: 'note'; readonly text: string };

export interface Step {
  /** Stable within a plan: `1`, `2`, ... in order. */
  readonly id: string;
  readonly action: StepAction;
  /** One line for people: what is done, to what. */
  readonly title: string;
  /** Why at this place in the order. */
  readonly why: string;
  /** What puts it back; null where nothing can or needs to. */
  readonly undo: StepAction | null;
  /** The privilege it needs, as a capability name; null for none. */
  readonly needs: string | null;
  /** Milliseconds after which the step counts as hanging. */
  readonly deadlineMs: number;
}
