/** The ways of a plan and the steps of one way. */
import type { RemovalPlan, WayPlan } from '../../steps/removal-plan.ts';
import type { Step } from '../../steps/step.ts';
import { actionText } from './plan-words.ts';
import type { Page } from './scan.ts';
import { item, wrap } from './table.ts';

/** One line for each way: possible, or who blocks it. */
export function waysText(plan: RemovalPlan, page: Page): string[] {
  return plan.ways.flatMap((w) => {
    const verdict = w.possible ? page.style('green', 'possible') : page.style('red', 'blocked');
    const head = `  ${page.style('bold', w.way.padEnd(9))} ${verdict}`;
    const room = Math.max(18, page.width - 22);
    const lines = wrap(w.possible ? [`${w.steps.length} step${w.steps.length === 1 ? '' : 's'}`, ...w.consequences.slice(0, 1)].join('; ') : `by ${reasons(w)}`, room);
    return lines.map((line, i) => (i === 0 ? `${head}${w.possible ? '' : ' '}  ${line}` : `${' '.repeat(22)}${line}`));
  });
}

/** `held-by-mapping (2), protected-process`. */
function reasons(w: WayPlan): string {
  const counts = new Map<string, number>();
  for (const b of w.blockers) counts.set(b.reason, (counts.get(b.reason) ?? 0) + 1);
  return [...counts].map(([reason, n]) => (n === 1 ? reason : `${reason} (${n})`)).join(', ');
}

/** More than this of a kind are counted, not printed. */
const MOST_BLOCKERS = 16;
const MOST_ALIKE = 6;

/** Blockers of the ways given, each once with its next step. */
export function blockersText(ways: readonly WayPlan[], page: Page): string[] {
  const seen = new Map(ways.flatMap((w) => w.blockers).map((b) => [`${b.reason} ${b.text}`, b]));
  const all = [...seen.values()];
  const lines = all.slice(0, MOST_BLOCKERS).flatMap((b, i) => {
    const line = item(`${page.style('yellow', b.reason)}: ${b.text}`, page.width);
    // The hint stands once, under the last of several blockers that share it.
    return all[i + 1]?.next === b.next ? [line] : [line, item(b.next, page.width, '-> ', 4)];
  });
  return all.length > MOST_BLOCKERS ? [...lines, `  and ${all.length - MOST_BLOCKERS} more; --json lists all`] : lines;
}

/** Long runs of steps of one kind (blocks, processes) are cut in the middle: the first ones, a count, the last one. */
export function stepsText(w: WayPlan, page: Page): string[] {
  const width = String(w.steps.length).length;
  const lines = w.consequences.map((c) => item(c, page.width, '* '));
  for (let i = 0; i < w.steps.length;) {
    let end = i + 1;
    while (end < w.steps.length && w.steps[end]!.action.kind === w.steps[i]!.action.kind) end += 1;
    const cut = end - i > MOST_ALIKE * 2;
    for (let at = i; at < end; at += 1) {
      if (cut && at === i + MOST_ALIKE - 1) {
        lines.push(`${' '.repeat(width)}   ... ${end - at - 1} more of the same`);
        at = end - 1;
      }
      lines.push(...stepLines(w.steps[at]!, w.steps[at - 1], width, page));
    }
    i = end;
  }
  return lines;
}

/** The reason of a step stands once where several in a row share it. */
function stepLines(s: Step, before: Step | undefined, width: number, page: Page): string[] {
  const mark = `${s.id.padStart(width)}. `;
  const lines = [item(s.title, page.width, mark)];
  const below = [before?.why === s.why || s.action.kind === 'note' ? null : s.why, s.undo ? `undo: ${actionText(s.undo)}` : null].filter((x) => x !== null).join('; ');
  if (below !== '') lines.push(...wrap(below, Math.max(20, page.width - mark.length - 4)).map((line) => page.style('dim', `${' '.repeat(mark.length + 4)}${line}`)));
  return lines;
}
