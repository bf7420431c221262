/** Where a program comes from: programs hold functions, so each thread makes its own from this. */
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Program } from '../program.ts';

export type ProgramSource =
  | { readonly kind: 'litmus'; readonly text: string; readonly path: string; readonly profile: string }
  | { readonly kind: 'gup-removal'; readonly processes: number; readonly pages: number; readonly rightOrder: boolean }
  /** A function of a module that makes it; for tests. `module` is a URL. */
  | { readonly kind: 'module'; readonly module: string; readonly make: string; readonly argument: unknown };

/** Loads only what this program is made by. */
export async function programFrom(source: ProgramSource): Promise<Program<never>> {
  switch (source.kind) {
    case 'litmus': {
      const [{ profileByName }, { buildLitmus }, { readLitmus }] = await Promise.all([import('../../profile/select.ts'), import('../litmus/build.ts'), import('../litmus/read.ts')]);
      const profile = profileByName(source.profile);
      if (profile === null) throw new UnseatError('INTERNAL', `there is no profile ${source.profile}`);
      return buildLitmus(readLitmus(source.text, source.path), profile) as unknown as Program<never>;
    }
    case 'gup-removal':
      return (await import('../protocols/gup-removal.ts')).gupRemoval(source.processes, source.pages, source.rightOrder) as unknown as Program<never>;
    case 'module': {
      const made = await import(source.module) as Record<string, (argument: unknown) => Program<never>>;
      return (made[source.make] as (argument: unknown) => Program<never>)(source.argument);
    }
  }
}
