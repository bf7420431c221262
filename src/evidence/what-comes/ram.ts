/** The trial of memory that is System RAM. */
import type { Kernel } from '../../kernel/kernel.ts';
import { userAlloc, userPagesIn, userRead as ramRead } from '../../kernel/mm/ram-user.ts';
import type { Effect } from '../../scenario/effect.ts';
import { MARK } from './holders.ts';
import type { Make } from './removals.ts';
import { nodeOf, onlineBlocks, removed } from './tried.ts';

/** Memory as System RAM: somebody has data there, and somebody asks for more afterwards. */
export function useRam(make: Make, found: Set<Effect>): void {
  const held: { user?: number } = {};
  const input = (k: Kernel, range: readonly [number, number], name: string, value: number) => ({ name, kind: 'anon' as const, nid: nodeOf(k, range), folios: 4, order: 0, thisNode: true, value });
  const t = removed(make, ({ k }, _device, range) => {
    if (onlineBlocks(k, range).length > 0) held.user = userAlloc(k, input(k, range, 'user', MARK));
  });
  if (held.user === undefined || held.user === 0 || userPagesIn(t.k, held.user, t.range[0], t.range[1]) === 0) return;
  if (ramRead(t.k, held.user, 0) !== MARK) found.add('reads-zero');
  const fresh = onlineBlocks(t.k, t.range).length === 0 ? 0 : userAlloc(t.k, input(t.k, t.range, 'fresh', MARK + 2));
  if (fresh !== 0 && userPagesIn(t.k, fresh, t.range[0], t.range[1]) > 0 && ramRead(t.k, fresh, 0) !== MARK + 2) found.add('allocator-continues');
}
