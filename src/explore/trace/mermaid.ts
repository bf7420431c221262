/** A counterexample as a Mermaid sequence diagram. */
import type { TraceRow } from './rows.ts';

/** Signs that end a line or begin markup in a diagram. */
const clean = (text: string): string => text.replaceAll('->', '→').replace(/[;#<>"`]/g, ' ');

export function mermaid(title: string, rows: readonly TraceRow[]): string {
  const threads = [...new Set(rows.map((row) => row.thread))];
  const id = (thread: string): string => `T${threads.indexOf(thread)}`;
  const lines = ['sequenceDiagram', `    title ${clean(title).replace(/: BUG: unable to handle page fault.*/, '')}`, ...threads.map((t) => `    participant ${id(t)} as ${clean(t)}`), '    participant K as kernel state'];
  for (const row of rows) {
    lines.push(`    ${id(row.thread)}->>K: ${row.step}. ${clean(row.does)}`);
    if (row.changes.length > 0) lines.push(`    Note over K: ${row.changes.map(clean).join('<br/>')}`);
  }
  return `${lines.join('\n')}\n`;
}
