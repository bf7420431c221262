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

/** Reserves memory when it first needs it, as a part of the kernel does: where that lies depends on what has run before. */
export function growing(): Program<Box> {
  const parts = new Map<number, number>();
  const part = (heap: Heap, value: number): number => {
    const known = parts.get(value);
    if (known !== undefined) return known;
    const made = heap.reserve(1);
    parts.set(value, made);
    return made;
  };
  return program('growing', function* grow(c: Box): Path {
    for (let i = 0; i < 3; i += 1) {
      yield AT('add');
      const value = c.heap.add(c.x, 1);
      yield AT('store in a part of its own');
      c.heap.store(part(c.heap, value), value);
    }
    return 0;
  });
}

/** Does something else each time. */
export const fickle = (): Program<Box> => program('fickle', function* fickle(c: Box): Path {
  yield* steps(c);
  c.heap.store(c.x, Math.floor(Math.random() * 0x40000000));
  return yield* steps(c);
});

/** Begins with another value each time. */
export function unlike(): Program<Box> {
  const made = program('unlike', steps);
  made.context.heap.store(made.context.x, Math.floor(Math.random() * 0x40000000));
  return made;
}
