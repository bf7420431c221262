/** The cost curves as one SVG picture: a panel for each size, both axes logarithmic, a line for each design that costs something. */
import type { DesignReport } from './compare.ts';

const [WIDTH, HEIGHT, LEFT, TOP, ACROSS, DOWN] = [330, 220, 64, 64, 96, 78] as const;
const COLORS = ['#1b6ca8', '#c0392b', '#1e8449', '#8e44ad', '#d35400', '#566573'];
/** Lines that lie on each other are told apart by their dashes. */
const DASHES = ['', '9 4', '2 4', '12 3 2 3', '5 5', '1 3'];
const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/** Designs with the same curves are one line. */
interface Line { readonly names: readonly string[]; readonly report: DesignReport }

function lines(reports: readonly DesignReport[]): { drawn: Line[]; free: string[] } {
  const short = (r: DesignReport): string => r.design.replace('proposal:', '');
  const costly = reports.filter((r) => r.curves.some((c) => c.points.some((p) => p.operations > 0)));
  const groups = Map.groupBy(costly, (r) => JSON.stringify(r.curves.map((c) => c.points)));
  return { drawn: [...groups.values()].map((group) => ({ names: group.map(short), report: group[0] as DesignReport })), free: reports.filter((r) => !costly.includes(r)).map(short) };
}

export function costSvg(reports: readonly DesignReport[]): string {
  const { drawn, free } = lines(reports);
  const panels = reports[0]?.curves.map((c) => c.against) ?? [];
  const most = Math.ceil(Math.log10(Math.max(10, ...drawn.flatMap(({ report }) => report.curves.flatMap((c) => c.points.map((p) => p.operations))))));
  const parts = panels.flatMap((against, i) => panel(drawn, reports, against, LEFT + (i % 2) * (WIDTH + ACROSS), TOP + Math.floor(i / 2) * (HEIGHT + DOWN), most));
  const legendY = TOP + Math.ceil(panels.length / 2) * (HEIGHT + DOWN) - 10;
  const legend = drawn.map((line, i) => `<g transform="translate(${LEFT},${legendY + i * 20})">${stroke(i, 'M0 6H40')}<text x="50" y="10">${escape(line.names.join(', '))}</text></g>`);
  const note = free.length === 0 ? [] : [`<text x="${LEFT}" y="${legendY + drawn.length * 20 + 12}" fill="#555">looks at nothing at removal: ${escape(free.join(', '))}</text>`];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + 2 * WIDTH + ACROSS + 30} ${legendY + drawn.length * 20 + 30}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/><text x="${LEFT}" y="24" font-size="16">What a removal looks at and takes out, by design</text><text x="${LEFT}" y="42" fill="#555">operations on the simulated kernel; both axes logarithmic; the other sizes as in the table</text>
${[...parts, ...legend, ...note].join('\n')}
</svg>
`;
}

const stroke = (i: number, d: string): string => `<path d="${d}" fill="none" stroke="${COLORS[i % COLORS.length]}" stroke-width="2.5"${DASHES[i % DASHES.length] === '' ? '' : ` stroke-dasharray="${DASHES[i % DASHES.length]}"`}/>`;
const number = (n: number): string => n.toLocaleString('en');

function panel(drawn: readonly Line[], reports: readonly DesignReport[], against: string, x: number, y: number, most: number): string[] {
  const points = reports[0]?.curves.find((c) => c.against === against)?.points ?? [];
  const [low, high] = [Math.log10(points[0]?.at ?? 1), Math.log10(points.at(-1)?.at ?? 10)];
  const px = (at: number): number => x + ((Math.log10(at) - low) / (high - low || 1)) * WIDTH;
  const py = (n: number): number => y + HEIGHT - (Math.log10(Math.max(1, n)) / most) * HEIGHT;
  const frame = `<text x="${x}" y="${y - 6}" font-weight="bold">against ${against}</text><rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" fill="none" stroke="#999"/>`;
  const ticksX = points.map((p) => `<text x="${px(p.at).toFixed(1)}" y="${y + HEIGHT + 16}" text-anchor="middle" fill="#555">${number(p.at)}</text>`);
  const ticksY = Array.from({ length: most + 1 }, (_, i) => `<path d="M${x} ${py(10 ** i).toFixed(1)}H${x + WIDTH}" stroke="#e5e5e5"/><text x="${x - 6}" y="${(py(10 ** i) + 4).toFixed(1)}" text-anchor="end" fill="#555">${i < 6 ? number(10 ** i) : `10^${i}`}</text>`);
  const curves = drawn.map(({ names, report }, i) => {
    const curve = report.curves.find((c) => c.against === against)?.points ?? [];
    return stroke(i, curve.map((p, j) => `${j === 0 ? 'M' : 'L'}${px(p.at).toFixed(1)} ${py(p.operations).toFixed(1)}`).join('')).replace('/>', `><title>${escape(names.join(', '))}: ${curve.map((p) => `${number(p.at)}: ${number(p.operations)}`).join('; ')}</title></path>`);
  });
  return [...ticksY, frame, ...ticksX, ...curves];
}
