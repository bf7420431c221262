/** The tables of `unseat compare`. */
import type { DesignReport } from '../../explore/compare/compare.ts';
import type { Measured } from '../../explore/compare/measure.ts';
import type { Page } from './check.ts';
import { table } from './table.ts';

const outcome = (m: Measured): string => (m.ran.oops !== null ? `oops in ${m.ran.oops}` : m.ran.hangs !== null ? 'hangs' : m.ran.spins !== null ? 'spins' : m.ran.rc < 0 ? 'refused' : m.missed === 0 ? 'all' : m.missed === m.mapped ? 'none' : `${m.mapped - m.missed} of ${m.mapped}`);
const short = (name: string): string => name.replace('proposal:', '');

export function compareText(reports: readonly DesignReport[], page: Page): string {
  const bold = (text: string, row: number): string => (row < 0 ? page.style('bold', text) : text);
  const reach = table(['design', 'reaches: ext4', 'XFS', 'of two devices', 'healthy unmapped', 'signalled', 'litmus failed', ''], reports.map((r) => [
    short(r.design), outcome(r.base), outcome(r.xfs), outcome(r.several), String(r.several.healthyUnmapped), `${r.base.signalled} of ${r.base.scale.processes}`, `${r.fails.length} of ${r.tests}`, r.summary,
  ]), { width: page.width, right: [4, 5, 6], style: bold });
  const c = (r: DesignReport, k: keyof Measured['costs']): string => String(r.base.costs[k]);
  const costs = table(['design', 'pages', 'inodes', 'extents', 'tasks', 'VMAs', 'entries', 'taken out', 'signals', 'all'], reports.map((r) => [
    short(r.design), c(r, 'pagesVisited'), c(r, 'inodesVisited'), c(r, 'extentsVisited'), c(r, 'tasksVisited'), c(r, 'vmasVisited'), c(r, 'entriesVisited'), c(r, 'entriesZapped'), c(r, 'signalsSent'), String(r.base.operations),
  ]), { width: page.width, right: [1, 2, 3, 4, 5, 6, 7, 8, 9], style: bold });
  const curves = (reports[0]?.curves ?? []).map((curve) => table(['design', ...curve.points.map((p) => `${p.at} ${curve.against}`)], reports.map((r) => [short(r.design), ...(r.curves.find((x) => x.against === curve.against)?.points ?? []).map((p) => String(p.operations))]), { width: page.width, right: curve.points.map((_, i) => i + 1), style: bold }).join('\n'));
  const fails = reports.filter((r) => r.fails.length > 0).map((r) => `${page.style('bold', short(r.design))}: ${r.fails.map((f) => `${f.litmus} (${f.violated.join(', ')})`).join('; ')}`);
  const { scale } = reports[0]?.base ?? { scale: { pages: 0, inodes: 0, processes: 0, extents: 0 } };
  return [
    `One file of ${scale.pages} pages on the device that goes, ${scale.processes} processes map it; ${scale.inodes} idle files. "Of two devices": a file system that lies on two, of which one goes.`, '', ...reach, '',
    page.style('bold', 'What a removal looks at'), ...costs, '', page.style('bold', 'All operations against each size'), ...curves.flatMap((text) => [text, '']),
    page.style('bold', 'Litmus tests failed'), ...fails,
  ].join('\n');
}
