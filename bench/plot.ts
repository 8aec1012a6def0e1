/** Line charts on logarithmic axes, side by side, as one SVG that reads on white and needs nothing else. */

export interface Series {
  /** Series of one name have one colour, and one line in the legend. */
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xTicks: readonly number[];
  readonly series: readonly Series[];
}

const WIDTH = 340;
const HEIGHT = 250;
const MARGIN = { left: 62, right: 18, top: 34, bottom: 44 };
const HEADER = 54;
const LEGEND = 34;

/** Told apart by people who do not see all colours (Okabe and Ito), and by their shapes. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'] as const;

/** A title, a line below it, the panels in one row, and one legend for all. */
export function drawPanels(title: string, subtitle: string, panels: readonly Panel[]): string {
  const names = [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))];
  const width = panels.length * WIDTH;
  const height = HEADER + HEIGHT + LEGEND;
  const parts = [
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(width / 2, 26, title, 'middle', 'font-size="16" font-weight="bold"'),
    text(width / 2, 44, subtitle, 'middle', 'fill="#666"'),
    ...panels.map((panel, index) => drawPanel(panel, index * WIDTH, HEADER, names)),
    ...drawLegend(names, width, HEADER + HEIGHT + 14),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    '  font-family="system-ui, sans-serif" font-size="11" fill="#222">',
    ...parts.map((part) => `  ${part}`),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel(panel: Panel, left: number, top: number, names: readonly string[]): string {
  const ys = panel.series.flatMap(({ points }) => points.map(([, y]) => y)).filter((y) => y > 0);
  const [lowest, highest] = limits(Math.min(...ys), Math.max(...ys));
  const x = scale(
    panel.xTicks[0] as number,
    panel.xTicks.at(-1) as number,
    left + MARGIN.left,
    left + WIDTH - MARGIN.right,
  );
  const y = scale(lowest, highest, top + HEIGHT - MARGIN.bottom, top + MARGIN.top);
  const [start, end] = [left + MARGIN.left - 6, left + WIDTH - MARGIN.right + 6];
  const [ceiling, floor] = [top + MARGIN.top, top + HEIGHT - MARGIN.bottom];
  const parts = [text((start + end) / 2, top + 20, panel.title, 'middle', 'font-size="13"')];
  for (const tick of ticksBetween(lowest, highest)) {
    parts.push(line(start, y(tick), end, y(tick), 'stroke="#ddd"'));
    parts.push(text(start - 5, y(tick) + 4, formatNumber(tick), 'end'));
  }
  for (const tick of panel.xTicks) {
    parts.push(line(x(tick), floor, x(tick), floor + 4, 'stroke="#222"'));
    parts.push(text(x(tick), floor + 17, String(tick), 'middle'));
  }
  parts.push(line(start, floor, end, floor, 'stroke="#222"'), line(start, ceiling, start, floor, 'stroke="#222"'));
  parts.push(text((start + end) / 2, floor + 34, panel.xLabel, 'middle'));
  const turned = `transform="rotate(-90 ${left + 14} ${(ceiling + floor) / 2})"`;
  parts.push(text(left + 14, (ceiling + floor) / 2, panel.yLabel, 'middle', turned));
  for (const series of panel.series) parts.push(drawSeries(series, names.indexOf(series.name), x, y));
  return `<g>${parts.join('\n    ')}</g>`;
}

function drawSeries(
  { points, dashed = false }: Series,
  index: number,
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const places = points.filter(([, value]) => value > 0).map(([size, value]) => [x(size), y(value)] as const);
  const path = places.map((place) => place.map((value) => value.toFixed(1)).join(',')).join(' ');
  const dashes = dashed ? ' stroke-dasharray="5 4"' : '';
  const shapes = places.map(([atX, atY]) => marker(index, atX, atY, dashed));
  return `<polyline points="${path}" fill="none" stroke="${colorOf(index)}" stroke-width="1.6"${dashes}/>${shapes.join('')}`;
}

function drawLegend(names: readonly string[], width: number, top: number): string[] {
  const widths = names.map((name) => 34 + name.length * 6.4);
  let left = (width - widths.reduce((sum, value) => sum + value, 0)) / 2;
  return names.map((name, index) => {
    const at = left;
    left += widths[index] as number;
    return `${marker(index, at, top)}${text(at + 10, top + 4, name, 'start')}`;
  });
}

/** Hollow ones show what lies below them. */
function marker(index: number, x: number, y: number, isHollow = false): string {
  const color = isHollow ? `fill="#fff" stroke="${colorOf(index)}" stroke-width="1.2"` : `fill="${colorOf(index)}"`;
  const [atX, atY] = [x.toFixed(1), y.toFixed(1)];
  const size = isHollow ? 2 : 3.4;
  if (index % 3 === 0) return `<circle cx="${atX}" cy="${atY}" r="${size}" ${color}/>`;
  if (index % 3 === 1) return `<path d="M${atX} ${atY}m-${size} ${size}h${2 * size}l-${size} -${2 * size}z" ${color}/>`;
  return `<path d="M${atX} ${atY}m-${size} -${size}h${2 * size}v${2 * size}h-${2 * size}z" ${color}/>`;
}

function colorOf(index: number): string {
  return COLORS[index % COLORS.length] as string;
}

/** A logarithmic scale. */
function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  const [low, span] = [Math.log(from), Math.log(to / from)];
  return (value) => start + ((Math.log(value) - low) / span) * (end - start);
}

/** Steps of 1, 2 and 5 around what is shown, at least a factor of 10 apart: noise shall not look like growth. */
function limits(lowest: number, highest: number): [number, number] {
  const middle = Math.sqrt(lowest * highest);
  return [
    stepAt(Math.min(lowest, middle / Math.sqrt(10)), false),
    stepAt(Math.max(highest, middle * Math.sqrt(10)), true),
  ];
}

function stepAt(value: number, upwards: boolean): number {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  const steps = [1, 2, 5, 10].map((step) => step * power);
  const fits = upwards ? steps.find((step) => step >= value * 0.999) : steps.findLast((step) => step <= value * 1.001);
  return fits ?? value;
}

function ticksBetween(lowest: number, highest: number): number[] {
  const ticks: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(lowest) + 1e-9); power <= highest; power *= 10) {
    for (const step of highest / lowest > 500 ? [1] : [1, 2, 5]) ticks.push(step * power);
  }
  return ticks.filter((tick) => tick >= lowest * 0.999 && tick <= highest * 1.001);
}

function formatNumber(value: number): string {
  return String(Number(value.toPrecision(2)));
}

function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  const [fromX, fromY, toX, toY] = [x1, y1, x2, y2].map((value) => value.toFixed(1));
  return `<line x1="${fromX}" y1="${fromY}" x2="${toX}" y2="${toY}" ${style}/>`;
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', style = ''): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" ${style}>${escaped}</text>`;
}
