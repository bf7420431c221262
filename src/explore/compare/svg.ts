/** The cost curves as one SVG picture: four panels, both axes logarithmic, a line for each design. */
import type { DesignReport } from './compare.ts';

const [WIDTH, HEIGHT, LEFT, TOP] = [300, 200, 60, 40];
const COLORS = ['#1b6ca8', '#c0392b', '#27ae60', '#8e44ad', '#e67e22', '#16a085', '#7f8c8d', '#2c3e50', '#d35400', '#2980b9', '#a93226', '#117a65'];
const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

export function costSvg(reports: readonly DesignReport[]): string {
  const panels = reports[0]?.curves.map((c) => c.against) ?? [];
  const most = Math.log10(Math.max(10, ...reports.flatMap((r) => r.curves.flatMap((c) => c.points.map((p) => p.operations)))));
  const parts = panels.flatMap((against, i) => panel(reports, against, LEFT + (i % 2) * (WIDTH + 80), TOP + Math.floor(i / 2) * (HEIGHT + 70), most));
  const legendY = TOP + Math.ceil(panels.length / 2) * (HEIGHT + 70);
  const legend = reports.map((r, i) => `<g transform="translate(${LEFT + (i % 2) * 380},${legendY + Math.floor(i / 2) * 18})"><rect width="12" height="12" fill="${COLORS[i % COLORS.length]}"/><text x="18" y="11">${escape(r.design)}</text></g>`);
  const height = legendY + Math.ceil(reports.length / 2) * 18 + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + 2 * WIDTH + 120}" height="${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/><text x="${LEFT}" y="20" font-size="15">Operations of a removal (looked at, visited, taken out), by design</text>
${[...parts, ...legend].join('\n')}
</svg>
`;
}

function panel(reports: readonly DesignReport[], against: string, x: number, y: number, most: number): string[] {
  const points = reports[0]?.curves.find((c) => c.against === against)?.points ?? [];
  const [low, high] = [Math.log10(points[0]?.at ?? 1), Math.log10(points.at(-1)?.at ?? 10)];
  const px = (at: number): number => x + ((Math.log10(at) - low) / (high - low || 1)) * WIDTH;
  const py = (n: number): number => y + HEIGHT - (Math.log10(Math.max(1, n)) / most) * HEIGHT;
  const frame = `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" fill="none" stroke="#999"/><text x="${x + WIDTH / 2}" y="${y + HEIGHT + 34}" text-anchor="middle">${against}</text>`;
  const ticksX = points.map((p) => `<text x="${px(p.at).toFixed(1)}" y="${y + HEIGHT + 16}" text-anchor="middle" fill="#666">${p.at}</text>`);
  const ticksY = Array.from({ length: Math.floor(most) + 1 }, (_, i) => `<text x="${x - 6}" y="${(py(10 ** i) + 4).toFixed(1)}" text-anchor="end" fill="#666">1e${i}</text>`);
  const lines = reports.map((r, i) => {
    const curve = r.curves.find((c) => c.against === against)?.points ?? [];
    return `<polyline fill="none" stroke="${COLORS[i % COLORS.length]}" stroke-width="2" points="${curve.map((p) => `${px(p.at).toFixed(1)},${py(p.operations).toFixed(1)}`).join(' ')}"><title>${escape(r.design)}</title></polyline>`;
  });
  return [frame, ...ticksX, ...ticksY, ...lines];
}
