/** A counterexample as one HTML page with a column for each thread; nothing is loaded from elsewhere. */
import type { TraceRow } from './rows.ts';

const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

const STYLE = `body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#222;background:#fff}
table{border-collapse:collapse;width:100%}th,td{border:1px solid #ccc;padding:4px 8px;vertical-align:top;text-align:left}
th{background:#eee;position:sticky;top:0}td.n{color:#888;text-align:right}td.on{background:#eef6ff}
ul{margin:0;padding-left:1.2em;color:#555;font-size:12px}.bad{color:#b00;font-weight:bold}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#111}th{background:#222}th,td{border-color:#444}td.on{background:#123}ul{color:#aaa}.bad{color:#f66}}`;

export function html(title: string, outcome: string, schedule: string, rows: readonly TraceRow[]): string {
  const threads = [...new Set(rows.map((row) => row.thread))];
  const cell = (row: TraceRow, thread: string): string =>
    row.thread !== thread ? '<td></td>' : `<td class="on">${escape(row.does)}${row.changes.length > 0 ? `<ul>${row.changes.map((c) => `<li${c.startsWith('OOPS') ? ' class="bad"' : ''}>${escape(c.replaceAll('->', '→'))}</li>`).join('')}</ul>` : ''}</td>`;
  const body = rows.map((row) => `<tr><td class="n">${row.step}</td>${threads.map((t) => cell(row, t)).join('')}</tr>`).join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title><style>${STYLE}</style></head><body>
<h1>${escape(title)}</h1><p class="bad">${escape(outcome)}</p><p>Replay: <code>--replay "${escape(schedule)}"</code></p>
<table><thead><tr><th></th>${threads.map((t) => `<th>${escape(t)}</th>`).join('')}</tr></thead><tbody>
${body}
</tbody></table></body></html>
`;
}
