/** Plain tables: two spaces between columns, the last column wrapped to the width of the page, or below the others where the page is narrow. */
export interface TableOptions {
  /** Columns of the page. */
  readonly width: number;
  readonly indent?: number;
  /** Indexes of columns that are aligned to the right. */
  readonly right?: readonly number[];
  /** Put around cells after they are padded, so that colour does not count as width. */
  readonly style?: (text: string, row: number, column: number) => string;
}

/** Columns of text below which a last column is not worth having, and how far in it stands below the others then. */
const NARROWEST = 20;
const BELOW = 4;

/** Lines of a table; rows must have as many cells as the heading. Row -1 in `style` is the heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[], options: TableOptions): string[] {
  const indent = ' '.repeat(options.indent ?? 0);
  const last = heading.length - 1;
  const widths = heading.map((head, column) => rows.reduce((most, row) => Math.max(most, harmless(row[column]!).length), head.length));
  const before = indent.length + widths.slice(0, last).reduce((sum, w) => sum + w + 2, 0);
  const below = options.width - before < NARROWEST;
  const [left, room] = below ? [indent.length + BELOW, Math.max(NARROWEST, options.width - indent.length - BELOW)] : [before, options.width - before];
  const style = options.style ?? ((text) => text);
  const lines: string[] = [];
  for (const [index, raw] of [heading, ...rows].entries()) {
    const row = raw.map(harmless);
    const cells = row.slice(0, last).map((cell, column) => style(options.right?.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!), index - 1, column));
    const [first = '', ...rest] = wrap(row[last]!, room);
    if (below && index > 0) {
      lines.push(`${indent}${cells.join('  ')}`.trimEnd());
      if (row[last] !== '') rest.unshift(first);
    } else lines.push(`${indent}${[...cells, style(first, index - 1, last)].join('  ')}`.trimEnd());
    for (const more of rest) lines.push(' '.repeat(left) + style(more, index - 1, last));
  }
  return lines;
}

/**
 * Text of a machine or a capture may hold anything (names of resources, labels, a release): what would move the cursor or
 * turn the direction of the page is shown by its code. Colour is put on afterwards.
 */
export const harmless = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g, (c) => (c <= '\u00ff' ? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}` : `\\u${c.charCodeAt(0).toString(16)}`));

/** Breaks at blanks; a word that is longer than the line stands alone and is not cut (names are copied from here). */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of harmless(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}

/** A paragraph with a hanging indent: `  - text that goes on\n    below`. */
export const item = (text: string, width: number, mark = '- ', indent = 2): string =>
  wrap(text, Math.max(20, width - indent - mark.length)).map((line, i) => `${' '.repeat(indent)}${i === 0 ? mark : ' '.repeat(mark.length)}${line}`).join('\n');
