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
    const room = Math.max(30, page.width - 22);
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

/** Blockers of the first way that has any, each with its next step; those of further ways only where they are new. */
export function blockersText(ways: readonly WayPlan[], page: Page): string[] {
  const seen = new Set<string>();
  return ways.flatMap((w) => w.blockers.filter((b) => {
    const key = `${b.reason} ${b.text}`;
    return seen.has(key) ? false : seen.add(key) !== undefined;
  })).flatMap((b, i, all) => {
    const lines = [item(`${page.style('yellow', b.reason)}: ${b.text}`, page.width)];
    // The hint stands once, under the last of several blockers that share it.
    return all[i + 1]?.next === b.next ? lines : [...lines, item(b.next, page.width, '-> ', 4)];
  });
}

export function stepsText(w: WayPlan, page: Page): string[] {
  const width = String(w.steps.length).length;
  return [...w.consequences.map((c) => item(c, page.width, '* ')), ...w.steps.flatMap((s, i) => stepLines(s, w.steps[i - 1], width, page))];
}

/** The reason of a step stands once where several in a row share it. */
function stepLines(s: Step, before: Step | undefined, width: number, page: Page): string[] {
  const mark = `${s.id.padStart(width)}. `;
  const lines = [item(s.title, page.width, mark)];
  const below = [before?.why === s.why || s.action.kind === 'note' ? null : s.why, s.undo ? `undo: ${actionText(s.undo)}` : null].filter((x) => x !== null).join('; ');
  if (below !== '') lines.push(...wrap(below, Math.max(30, page.width - mark.length - 4)).map((line) => page.style('dim', `${' '.repeat(mark.length + 4)}${line}`)));
  return lines;
}
