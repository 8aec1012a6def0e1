/** A profile as a picture: the kernels along the time of a run, below the layers that they are for; and a roofline plot. */
import type { KernelProfile, ModelProfile } from '../index.ts';
import { formatBytes } from './format.ts';
import { colourRules, kindOf, kindsOf } from './profile-kinds.ts';
import { describeProfile, formatMs, formatPercent } from './profile-table.ts';

const WIDTH = 1200;
const MARGIN = 24;
const ROW = 26;

/** Height of the bars of the kernels. */
const BAR = 84;

/** Width of a character of the small texts, on average. */
const CHARACTER = 6.1;

const PICTURE_RULES = `
svg { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
text { fill: var(--ink); }
.small { font-size: 11px; }
.quiet { fill: var(--quiet); }
.title { font-size: 18px; font-weight: 600; }
.head { font-size: 13px; font-weight: 600; }
.ground { fill: var(--ground); }
.span { fill: var(--panel); stroke: var(--line); }
.floor { fill: var(--own); }
.kernel .time { opacity: 0.38; }
.kernel:hover .time { opacity: 0.7; }
.axis { stroke: var(--line); fill: none; }
.roof { stroke: var(--ink); stroke-width: 1.5; fill: none; }
.cache { stroke-dasharray: 5 4; }
.point { fill-opacity: 0.55; stroke: var(--own); }
.chosen .time, .point.chosen { opacity: 1; fill-opacity: 1; stroke: var(--mark); stroke-width: 2; }
`;

/** Both pictures in one SVG that needs nothing else. */
export function profilePicture(profile: ModelProfile): string {
  const facts = describeProfile(profile).slice(0, 4);
  const top = MARGIN + 26 + facts.length * 18 + 12;
  const time = timeline(profile);
  const roofs = roofline(profile);
  const height = top + time.height + 28 + roofs.height + MARGIN;
  const lines = facts.map(
    ([name, fact], index) =>
      `<text x="${MARGIN}" y="${MARGIN + 40 + index * 18}"><tspan class="quiet">${name}</tspan><tspan x="${MARGIN + 60}">${escapeText(fact)}</tspan></text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeText(`Profile of ${profile.model}`)}">`,
    `<style>${colourRules()}${PICTURE_RULES}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    `<text class="title" x="${MARGIN}" y="${MARGIN + 12}">${escapeText(profile.model)}</text>`,
    ...lines,
    `<g transform="translate(0 ${top})">${time.content}</g>`,
    `<g transform="translate(0 ${top + time.height + 28})">${roofs.content}</g>`,
    '</svg>\n',
  ].join('\n');
}

/** The parts of the picture, each an SVG of its own, and the rules for their style sheet. */
export function pictureParts(profile: ModelProfile): { readonly rules: string; readonly parts: readonly string[] } {
  const parts = [timeline(profile), roofline(profile)].map(
    ({ content, height }) =>
      `<svg viewBox="${MARGIN - 6} 0 ${WIDTH - 2 * MARGIN + 12} ${height}" role="img">${content}</svg>`,
  );
  return { rules: colourRules() + PICTURE_RULES, parts };
}

interface Part {
  readonly content: string;
  readonly height: number;
}

/** What neighbouring kernels are for: a span of the time. */
interface Span {
  readonly name: string;
  start: number;
  end: number;
}

function timeline({ kernels, kernelMilliseconds }: ModelProfile): Part {
  const total = kernelMilliseconds || 1;
  const scale = (WIDTH - 2 * MARGIN) / total;
  const rows = [
    spansOf(kernels, ({ layers }) => nameOfGroup(layers[0] ?? '')),
    spansOf(kernels, ({ layers }) => layers[0] ?? ''),
  ].filter((spans, index, all) => index === 1 || spans.length < (all[1]?.length ?? 0));
  const barTop = 24 + rows.length * ROW;
  const drawn: string[] = [
    `<text class="head" x="${MARGIN}" y="12">Kernels in the order in which they run; as wide as their time, dark up to the floor</text>`,
  ];
  for (const [row, spans] of rows.entries()) {
    for (const { name, start, end } of spans) {
      const [x, width] = [MARGIN + start * scale, (end - start) * scale];
      if (name === '' || width < 0.3) continue;
      const label = fitted(row === rows.length - 1 && rows.length > 1 ? withoutGroup(name) : name, width);
      drawn.push(
        `<g><title>${escapeText(`${name}: ${formatMs(end - start)} ms, ${formatPercent((end - start) / total)}`)}</title>` +
          `<rect class="span" x="${x.toFixed(2)}" y="${24 + row * ROW}" width="${width.toFixed(2)}" height="${ROW - 4}" rx="2"/>` +
          `${label && `<text class="small" x="${(x + 5).toFixed(2)}" y="${24 + row * ROW + 15}">${escapeText(label)}</text>`}</g>`,
      );
    }
  }
  let time = 0;
  for (const [index, kernel] of kernels.entries()) {
    const [x, width] = [MARGIN + time * scale, kernel.milliseconds * scale];
    time += kernel.milliseconds;
    const part = kernel.milliseconds === 0 ? 0 : Math.min(1, kernel.floorMilliseconds / kernel.milliseconds);
    const inner = Math.max(width - (width > 3 ? 1 : 0), 0.2);
    const box = `x="${x.toFixed(2)}" width="${inner.toFixed(2)}"`;
    drawn.push(
      `<g class="kernel ${kindOf(kernel).id}" data-kernel="${index}"><title>${escapeText(describeKernel(kernel))}</title>` +
        `<rect class="time" ${box} y="${barTop}" height="${BAR}"/>` +
        `<rect class="floor" ${box} y="${(barTop + BAR * (1 - part)).toFixed(2)}" height="${(BAR * part).toFixed(2)}"/></g>`,
    );
  }
  const axis = barTop + BAR + 8;
  drawn.push(`<path class="axis" d="M${MARGIN} ${axis}H${WIDTH - MARGIN}"/>`);
  for (const tick of ticksUpTo(total)) {
    const x = MARGIN + tick * scale;
    drawn.push(
      `<path class="axis" d="M${x.toFixed(2)} ${axis}v5"/>`,
      `<text class="small quiet" x="${x.toFixed(2)}" y="${axis + 17}" text-anchor="middle">${trimmed(tick)}</text>`,
    );
  }
  drawn.push(`<text class="small quiet" x="${WIDTH - MARGIN}" y="${axis + 17}" text-anchor="end">ms</text>`);
  drawn.push(legend(kernels, axis + 44));
  return { content: drawn.join('\n'), height: axis + 56 };
}

function legend(kernels: readonly KernelProfile[], y: number): string {
  let x = MARGIN;
  return kindsOf(kernels)
    .map(({ kind, share }) => {
      const label = `${kind.title} ${formatPercent(share)}`;
      const drawn = `<rect class="${kind.id}" x="${x}" y="${y - 10}" width="11" height="11" rx="2"/><text class="small" x="${x + 16}" y="${y}">${label}</text>`;
      x += 40 + label.length * CHARACTER;
      return drawn;
    })
    .join('\n');
}

/** Neighbours with the same name, together. */
function spansOf(kernels: readonly KernelProfile[], nameOf: (kernel: KernelProfile) => string): Span[] {
  const spans: Span[] = [];
  let time = 0;
  for (const kernel of kernels) {
    const name = nameOf(kernel);
    const last = spans.at(-1);
    const end = time + kernel.milliseconds;
    if (last?.name === name) last.end = end;
    else spans.push({ name, start: time, end });
    time = end;
  }
  return spans;
}

/** The model inside the model; else the block, by the first two parts of names such as `block_3_expand`. */
function nameOfGroup(layer: string): string {
  const slash = layer.indexOf('/');
  if (slash > 0) return layer.slice(0, slash);
  const words = layer.split('_');
  return words.length < 3 ? layer : words.slice(0, 2).join('_');
}

/** What a layer's name says beyond that of its group. */
function withoutGroup(name: string): string {
  const group = nameOfGroup(name);
  return group.length < name.length ? name.slice(group.length + 1) : name;
}

/** The beginning of a text that fits a width; nothing where that says nothing. */
function fitted(text: string, width: number): string {
  const most = Math.floor((width - 8) / CHARACTER);
  if (text.length <= most) return text;
  return most < 7 ? '' : `${text.slice(0, most - 1)}…`;
}

function describeKernel(kernel: KernelProfile): string {
  const { milliseconds, share, gigaflops, shareOfPeak, bytes, gigabytesPerSecond, floorMilliseconds } = kernel;
  return [
    kernel.layers.join(' + '),
    `${kernel.operation} → ${kernel.shape.join('×')}`,
    `${formatMs(milliseconds)} ms (${formatPercent(share)}), floor ${formatMs(floorMilliseconds)} ms`,
    `${gigaflops.toFixed(1)} GFLOP/s, ${formatPercent(shareOfPeak)} of the peak`,
    `${formatBytes(bytes)}, ${gigabytesPerSecond.toFixed(1)} GB/s`,
  ].join('\n');
}

const PLOT = { left: MARGIN + 52, top: 30, width: WIDTH - 2 * MARGIN - 62, height: 330 } as const;

/** Kernels below this part of the peak are drawn at the bottom: they are small, and many decades would hide the others. */
const LOWEST_PART = 1000;

/** Operations for each byte against operations in a second, both as powers of ten. */
function roofline({ kernels, peak }: ModelProfile): Part {
  const points = kernels.filter(({ operations, bytes, gigaflops }) => operations > 0 && bytes > 0 && gigaflops > 0);
  const intensities = points.map(({ operations, bytes }) => operations / bytes);
  const rates = points.map(({ gigaflops }) => gigaflops);
  const [cache, main] = [peak.bandwidths[0]?.gigabytesPerSecond ?? 1, peak.bandwidths.at(-1)?.gigabytesPerSecond ?? 1];
  const across = decades([...intensities, peak.gigaflops / cache, (peak.gigaflops / main) * 10]);
  const lowest = peak.gigaflops / LOWEST_PART;
  const up = decades([...rates.filter((rate) => rate > lowest), peak.gigaflops, peak.gigaflops / 100]);
  const x = (value: number): number =>
    PLOT.left + ((Math.log10(value) - across[0]) / (across[1] - across[0])) * PLOT.width;
  const y = (value: number): number =>
    PLOT.top + PLOT.height - ((Math.log10(value) - up[0]) / (up[1] - up[0])) * PLOT.height;
  const bottom = PLOT.top + PLOT.height;
  const drawn: string[] = [
    `<text class="head" x="${MARGIN}" y="12">Roofline: how near kernels are to what computing and memory allow; as large as their share of the time</text>`,
  ];
  for (let power = across[0]; power <= across[1]; power++) {
    const at = x(10 ** power).toFixed(1);
    drawn.push(
      `<path class="axis" d="M${at} ${PLOT.top}V${bottom}"/><text class="small quiet" x="${at}" y="${bottom + 16}" text-anchor="middle">${trimmed(10 ** power)}</text>`,
    );
  }
  for (let power = up[0]; power <= up[1]; power++) {
    const at = y(10 ** power).toFixed(1);
    drawn.push(
      `<path class="axis" d="M${PLOT.left} ${at}H${PLOT.left + PLOT.width}"/><text class="small quiet" x="${PLOT.left - 8}" y="${Number(at) + 4}" text-anchor="end">${trimmed(10 ** power)}</text>`,
    );
  }
  for (const [bandwidth, name, style] of [
    [main, 'memory', 'roof'],
    [cache, 'cache', 'roof cache'],
  ] as const) {
    const ridge = Math.min(peak.gigaflops / bandwidth, 10 ** across[1]);
    const start = Math.max(10 ** across[0], 10 ** up[0] / bandwidth);
    drawn.push(
      `<path class="${style}" d="M${x(start).toFixed(1)} ${y(start * bandwidth).toFixed(1)}L${x(ridge).toFixed(1)} ${y(ridge * bandwidth).toFixed(1)}"/>`,
    );
    // Along the slope, a third of the way up.
    const middle = start * (ridge / start) ** (style === 'roof' ? 0.35 : 0.6);
    const angle = (-Math.atan2(y(start) - y(start * 10), x(start * 10) - x(start)) * 180) / Math.PI;
    drawn.push(
      `<text class="small quiet" transform="translate(${x(middle).toFixed(1)} ${(y(middle * bandwidth) - 7).toFixed(1)}) rotate(${angle.toFixed(1)})">${name} ${Math.round(bandwidth)} GB/s</text>`,
    );
  }
  const flat = x(peak.gigaflops / cache).toFixed(1);
  drawn.push(
    `<path class="roof" d="M${flat} ${y(peak.gigaflops).toFixed(1)}H${PLOT.left + PLOT.width}"/>`,
    `<text class="small quiet" x="${PLOT.left + PLOT.width - 4}" y="${(y(peak.gigaflops) - 6).toFixed(1)}" text-anchor="end">${peak.gigaflops.toFixed(1)} GFLOP/s</text>`,
  );
  for (const kernel of points.toSorted((a, b) => b.share - a.share)) {
    const radius = 2.5 + 34 * Math.sqrt(Math.min(kernel.share, 1));
    drawn.push(
      `<circle class="point ${kindOf(kernel).id}" data-kernel="${kernels.indexOf(kernel)}" cx="${x(kernel.operations / kernel.bytes).toFixed(1)}" cy="${y(Math.max(kernel.gigaflops, 10 ** up[0])).toFixed(1)}" r="${radius.toFixed(1)}"><title>${escapeText(describeKernel(kernel))}</title></circle>`,
    );
  }
  drawn.push(
    `<text class="small quiet" x="${PLOT.left + PLOT.width / 2}" y="${bottom + 36}" text-anchor="middle">operations for each byte that is read or written</text>`,
    `<text class="small quiet" transform="translate(${MARGIN + 8} ${PLOT.top + PLOT.height / 2}) rotate(-90)" text-anchor="middle">GFLOP/s</text>`,
  );
  return { content: drawn.join('\n'), height: bottom + 44 };
}

/** The powers of ten around all values. */
function decades(values: readonly number[]): readonly [number, number] {
  const powers = values.map(Math.log10).filter(Number.isFinite);
  return [Math.floor(Math.min(...powers)), Math.ceil(Math.max(...powers))];
}

/** About ten round numbers from 0. */
function ticksUpTo(total: number): number[] {
  const rough = total / 10;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(total / step + 1e-9) + 1 }, (_, index) => index * step);
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** Text as it stands in HTML and XML. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
