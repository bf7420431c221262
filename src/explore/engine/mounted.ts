/** Super blocks that a mount of the simulated machine leads to. */
import type { BuiltScenario } from '../../kernel/scenario/built.ts';

export const mountsOf = (built: BuiltScenario): number[] => [...new Set(built.world.mounts.all().map((mount) => mount.sb))];
