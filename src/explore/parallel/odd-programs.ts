/** Programs that break what a search by several threads needs: each must be told, not searched wrongly. For tests. */
import { Heap } from '../../kernel/state/heap.ts';
import { AT, type Path } from '../../kernel/state/path.ts';
import type { Program } from '../program.ts';

interface Box { readonly heap: Heap; readonly x: number }

function program(name: string, path: (c: Box) => Path): Program<Box> {
  const heap = new Heap();
  const context = { heap, x: heap.reserve(1) };
  return { name, context, threads: [0, 1].map((i) => ({ name: `t${i}`, path, args: [] })), properties: [] };
}

function* steps(c: Box): Path {
  for (let i = 0; i < 4; i += 1) {
    yield AT('add');
    c.heap.add(c.x, 1);
  }
  return 0;
}

/** Reserves memory whenever it runs. */
export const growing = (): Program<Box> => program('growing', function* grow(c: Box): Path {
  const more = c.heap.reserve(1);
  yield AT('store');
  c.heap.store(more, 1);
  return yield* steps(c);
});

/** Begins with another value each time. */
export function unlike(): Program<Box> {
  const made = program('unlike', steps);
  made.context.heap.store(made.context.x, Math.floor(Math.random() * 0x40000000));
  return made;
}
