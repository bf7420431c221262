/**
 * Mutations inside one line: a check left out, the branch of another kernel version, the last page of a range left out. Pure text: conditions that fit on one line.
 */

/** What happens to the words [from, to) of a line: always false, the contrary, or one less. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly becomes: 'false' | 'not' | 'less';
}

export interface ConditionSite { readonly how: 'check' | 'version' | 'range'; readonly text: string; readonly edit: Edit }

/** Where nobody would look: switches for counters and for the log, points, and whether others run at all. */
const NO_CHECK = /k\.concurrent|log\.write|costs|warn\(|printk|say\(/;

/** Index of the parenthesis that closes the one at `open`, or -1. */
function closing(line: string, open: number): number {
  let depth = 0;
  for (let at = open; at < line.length; at += 1) {
    if (line[at] === '(') depth += 1;
    if (line[at] === ')' && (depth -= 1) === 0) return at;
  }
  return -1;
}

/** Every mutation inside a line that begins a statement. */
export function conditionEdits(line: string): ConditionSite[] {
  if (NO_CHECK.test(line)) return [];
  const found: ConditionSite[] = [];
  const condition = /^\s*(?:\} else )?if \(/.exec(line);
  if (condition !== null) {
    const open = condition[0].length - 1;
    const close = closing(line, open);
    const after = close < 0 ? '' : line.slice(close + 1);
    if (/^ (return|continue|break|\{$)/.test(after)) found.push({ how: 'check', text: `if (${line.slice(open + 1, close)})${after.replace(/ \{$/, ' …')}  left out`, edit: { from: open + 1, to: close, becomes: 'false' } });
  }
  for (const match of line.matchAll(/k\.mechanism\([^()]*\) [!=]== [\w'-]+/g)) {
    found.push({ how: 'version', text: `${line.trim().slice(0, 150)}  by the other of  ${match[0]}`, edit: { from: match.index, to: match.index + match[0].length, becomes: 'not' } });
  }
  const range = /^\s*for \(let (\w+) = [^;]*; \1 < ([^;]+);/.exec(line);
  if (range !== null) {
    const from = line.indexOf(`${range[1]} < `) + `${range[1]} < `.length;
    found.push({ how: 'range', text: `${line.trim().slice(0, 150)}  one less`, edit: { from, to: from + (range[2] as string).length, becomes: 'less' } });
  }
  return found;
}

/** The line with all edits in it; `asks` is true while an edit is not in force. */
export function withEdits(line: string, edits: readonly { readonly edit: Edit; readonly asks: string }[]): string {
  const sorted = [...edits].sort((a, b) => a.edit.from - b.edit.from || b.edit.to - a.edit.to);
  const render = (from: number, to: number, among: typeof sorted): string => {
    let text = '';
    let at = from;
    for (let i = 0; i < among.length; i += 1) {
      const { edit, asks } = among[i] as (typeof sorted)[number];
      if (edit.from < at) continue;
      const inside = among.slice(i + 1).filter((e) => e.edit.from >= edit.from && e.edit.to <= edit.to);
      const inner = render(edit.from, edit.to, inside);
      // A check that never holds is asked about by nobody: leaving it out changes nothing, and it counts as not run.
      const forms = { false: `((${inner}) && ${asks})`, not: `(${asks} ? ${inner} : !(${inner}))`, less: `((${inner}) - (${asks} ? 0 : 1))` };
      text += line.slice(at, edit.from) + forms[edit.becomes];
      at = edit.to;
    }
    return text + line.slice(at, to);
  };
  return render(0, line.length, sorted);
}
