/**
 * The rows of docs/kernel-truth.md, read off the page itself: table rows, list items and paragraphs under each heading,
 * with the kernels that they name. A table names kernels in its head; a cell that says nothing was seen there names none.
 */
export interface PageRow {
  /** `A 2 | holder without a SIGBUS handler`: section, and the beginning of the row. Unique. */
  readonly key: string;
  readonly text: string;
  /** Profiled kernels that it names, in order. */
  readonly kernels: readonly string[];
}

const KERNELS = ['5.10', '6.1', '6.12', '6.18', '7.2'];
/** What a cell says where nobody looked, or where there is nothing to look at. */
const NOT_SEEN = /^(-|no driver|not run|not reached|)$/;

const named = (text: string): string[] => KERNELS.filter((kernel) => new RegExp(`(?<![\\d.])${kernel.replace('.', '\\.')}(?![\\d.]*\\d)`).test(text));
const cellsOf = (line: string): string[] => line.split('|').slice(1, -1).map((cell) => cell.trim());

/** Kernels of a table row: those of the heads of cells that say something, and those named in the row itself. */
function kernelsOf(head: readonly string[], cells: readonly string[]): string[] {
  const found = new Set(cells.flatMap((cell, i) => (i > 0 && !NOT_SEEN.test(cell) ? named(head[i] ?? '') : [])));
  if (found.size === 0) for (const kernel of named(cells.join(' '))) found.add(kernel);
  return KERNELS.filter((kernel) => found.has(kernel));
}

/** All rows of the page, in order, without its introduction and its list of what was not run. */
export function pageRows(page: string): PageRow[] {
  const rows: PageRow[] = [];
  for (const part of page.split(/^### /m).slice(1)) {
    const [title = '', ...lines] = part.replace(/^# Part.*$/m, '').split('\n');
    const section = /^[AB] (?:matrix|surprises|\d+b?)/.exec(title)?.[0];
    if (section === undefined) continue;
    let head: string[] | null = null;
    for (const block of blocksOf(lines)) {
      if (!block.startsWith('|')) {
        head = null;
        rows.push({ key: `${section} | ${block.replace(/^(- |\d+\. )/, '').slice(0, 60).trimEnd()}`, text: block, kernels: named(block) });
      } else if (head === null) head = cellsOf(block);
      else if (!block.startsWith('|---') && !block.startsWith('| ---')) {
        const cells = cellsOf(block);
        // Rows that begin alike (a row number, one use of a device) are told apart by their second cell.
        const alone = lines.filter((line) => cellsOf(line)[0] === cells[0]).length === 1;
        rows.push({ key: `${section} | ${(alone ? cells[0] : `${cells[0]} ${cells[1]}`)?.slice(0, 60).trimEnd()}`, text: block, kernels: kernelsOf(head, cells) });
      }
    }
  }
  return rows;
}

/** Table rows, list items (with their continued lines) and paragraphs. */
function blocksOf(lines: readonly string[]): string[] {
  const blocks: string[] = [];
  let open = false;
  for (const line of lines) {
    const starts = /^(\||- |\d+\. )/.test(line);
    if (line.trim() === '') open = false;
    else if (starts || !open) {
      blocks.push(line.trim());
      open = !line.startsWith('|');
    } else blocks[blocks.length - 1] += ` ${line.trim()}`;
  }
  return blocks;
}
