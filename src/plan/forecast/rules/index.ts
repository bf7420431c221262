/** The table of rules. */
import type { Rule } from '../rule.ts';
import { BUS_RULES } from './bus.ts';
import { DEVDAX_RULES } from './devdax.ts';
import { FSDAX_RULES } from './fsdax.ts';
import { DESIGN_RULES } from './designs.ts';
import { RAM_RULES } from './ram.ts';

export const RULES: readonly Rule[] = [...DESIGN_RULES, ...FSDAX_RULES, ...DEVDAX_RULES, ...RAM_RULES, ...BUS_RULES];
