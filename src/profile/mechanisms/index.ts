/** Every mechanism there is. Add a new one to the file of its system; nothing else needs to change. */
import type { ValueOf } from '../mechanism.ts';
import { BLOCK } from './block.ts';
import { BUS } from './bus.ts';
import { DAX } from './dax.ts';
import { FSDAX } from './fsdax.ts';
import { FSDAX_DESIGNS } from './fsdax-designs.ts';
import { GUP } from './gup.ts';
import { KVM } from './kvm.ts';
import { RAM } from './ram.ts';
import { SECTION } from './section.ts';

export const MECHANISMS = { ...FSDAX, ...FSDAX_DESIGNS, ...DAX, ...GUP, ...KVM, ...RAM, ...SECTION, ...BLOCK, ...BUS } as const;

export type MechanismName = keyof typeof MECHANISMS;
export type MechanismValueOf<N extends MechanismName> = ValueOf<(typeof MECHANISMS)[N]>;
/** What a release or a proposal says: values for the mechanisms in which it differs from the defaults. */
export type Entries = { readonly [N in MechanismName]?: { readonly value: MechanismValueOf<N>; readonly source: string } };
