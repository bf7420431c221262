/** The findings of an audit for people. */
import type { Audit } from '../../remove/audit/audit.ts';
import type { Output } from './output.ts';
import { item } from './table.ts';

export function auditText(audit: Audit, out: Output): string {
  const { width } = out.options;
  const left = audit.findings.filter((f) => f.weight === 'left');
  const notices = audit.findings.filter((f) => f.weight === 'notice');
  const lines = [left.length === 0 ? out.style('green', 'No removal has left anything behind that can be seen.') : out.style('red', `${left.length} thing(s) left behind:`)];
  for (const f of [...left, ...notices]) {
    if (f === notices[0]) lines.push('', 'Worth knowing:');
    lines.push(item(`${out.style('bold', f.subject)}: ${f.text}`, width));
    if (f.warning !== null) lines.push(item(out.style('yellow', f.warning), width, '!! ', 4));
    lines.push(item(f.next, width, '-> ', 4));
  }
  if (audit.unseen.length > 0) lines.push('', `Not seen: ${audit.unseen.join('; ')}.`);
  return lines.join('\n');
}
