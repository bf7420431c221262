/** What a step acts on, in one word for the table of observations: the argument itself, or what it names. */
import type { Step } from './step.ts';

export function subjectOf(step: Step): string {
  const a: unknown = step.argument;
  if (typeof a === 'string') return a;
  if (Array.isArray(a)) return a.join(' ');
  if (typeof a !== 'object' || a === null) return String(a);
  const o = a as Record<string, unknown>;
  return String(o['process'] ?? o['device'] ?? o['at'] ?? (typeof o['block'] === 'number' ? `block at 0x${o['block'].toString(16)}` : ''));
}
