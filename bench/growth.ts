/** How time and memory grow with the rows of a batch and with the layers of a model; drawn to results/. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { GrowthPoint } from './growth-child.ts';
import { describeMachine } from './machine.ts';
import { type Findings, makeRow, type Row } from './measure.ts';
import { drawPanels, type Panel, type Series } from './plot.ts';

const BATCHES = [1, 8, 64, 512] as const;

/** Layers come in threes in one of the models. */
const DEPTHS = [9, 30, 99, 300, 999] as const;

const OVER_BATCH: Readonly<Record<string, string>> = {
  cnn: 'CIFAR CNN',
  mobilenet: 'MobileNetV2, 96²',
  lstm: 'LSTM of 64, 50 steps',
};

const OVER_DEPTH: Readonly<Record<string, string>> = {
  dense: 'Dense of 32, tanh',
  residual: 'residual convolutions',
};

/** A tenth more than the least is allowed to plans of memory. */
const BOUND_GOAL = 1 / 1.1;

type Points = ReadonlyMap<number, GrowthPoint>;

/** Each point is a process of its own. Writes growth-batch.svg and growth-depth.svg into `results`. */
export async function measureGrowth(results: string): Promise<Findings> {
  const overBatch = measureAll(OVER_BATCH, BATCHES);
  const overDepth = measureAll(OVER_DEPTH, DEPTHS);
  mkdirSync(results, { recursive: true });
  writeFileSync(`${results}/growth-batch.svg`, drawBatches(overBatch));
  writeFileSync(`${results}/growth-depth.svg`, drawDepths(overDepth));
  const rows: Row[] = [];
  for (const [title, points] of overBatch) {
    rows.push(...growthRows(title, points, 'row', BATCHES), boundRow(title, points, 'rows'));
  }
  for (const [title, points] of overDepth) {
    rows.push(...growthRows(title, points, 'layer', DEPTHS), boundRow(title, points, 'layers'));
    const [least, most] = [DEPTHS[0], DEPTHS[DEPTHS.length - 1] as number];
    const each = (depth: number): number => pointAt(points, depth).compileMs / depth;
    rows.push(makeRow(`compile ${title}, a layer of ${most}`, each(most), each(least), `a layer of ${least}`, 'ms', 1));
  }
  return { rows, notes: [`growth: drawn to growth-batch.svg and growth-depth.svg in the folder bench/results`] };
}

function measureAll(kinds: Readonly<Record<string, string>>, sizes: readonly number[]): Map<string, Points> {
  const script = fileURLToPath(new URL('growth-child.ts', import.meta.url));
  const all = new Map<string, Points>();
  for (const [kind, title] of Object.entries(kinds)) {
    const points = new Map<number, GrowthPoint>();
    for (const size of sizes) {
      const words = ['--expose-gc', '--no-warnings', script, kind, String(size)];
      const output = execFileSync(process.execPath, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      points.set(size, JSON.parse(output.trim().split('\n').at(-1) ?? '') as GrowthPoint);
    }
    all.set(title, points);
  }
  return all;
}

/** The largest against the smallest: what one row, or one layer, takes of time and of the process' memory. */
function growthRows(title: string, points: Points, part: string, sizes: readonly number[]): Row[] {
  const [least, most] = [sizes[0] as number, sizes[sizes.length - 1] as number];
  const [small, large] = [pointAt(points, least), pointAt(points, most)];
  const peer = `one of ${least}`;
  const name = `${title}, one ${part} of ${most}`;
  return [
    makeRow(`${name}, time`, large.ms / most, small.ms / least, peer, 'ms', 1),
    makeRow(`${name}, peak memory`, large.peakBytes / most / 1e6, small.peakBytes / least / 1e6, peer, 'MB', 1),
  ];
}

/** The point that lies farthest above the bound. */
function boundRow(title: string, points: Points, parts: string): Row {
  const excess = ({ activationBytes, boundBytes }: GrowthPoint): number => activationBytes / boundBytes;
  const [size, worst] = [...points].reduce((most, entry) => (excess(entry[1]) > excess(most[1]) ? entry : most));
  const [ours, bound] = [worst.activationBytes / 1e6, worst.boundBytes / 1e6];
  return makeRow(`${title}, activations at ${size} ${parts}`, ours, bound, 'the lower bound', 'MB', BOUND_GOAL);
}

function pointAt(points: Points, size: number): GrowthPoint {
  return points.get(size) as GrowthPoint;
}

function seriesOf(
  all: ReadonlyMap<string, Points>,
  value: (point: GrowthPoint, size: number) => number,
  style: Pick<Series, 'dashed'> = {},
): Series[] {
  return [...all].map(([name, points]) => ({
    name,
    points: [...points].map(([size, point]) => [size, value(point, size)] as const),
    ...style,
  }));
}

function drawBatches(all: ReadonlyMap<string, Points>): string {
  const common = { xLabel: 'rows of the batch', xTicks: BATCHES };
  const panels: Panel[] = [
    { ...common, title: 'Time of one row', yLabel: 'ms', series: seriesOf(all, ({ ms }, size) => ms / size) },
    {
      ...common,
      title: 'Activations (dashed, hollow: lower bound)',
      yLabel: 'MB',
      series: [
        ...seriesOf(all, ({ activationBytes }) => activationBytes / 1e6),
        ...seriesOf(all, ({ boundBytes }) => boundBytes / 1e6, { dashed: true }),
      ],
    },
    {
      ...common,
      title: 'Peak memory of the process',
      yLabel: 'MB',
      series: seriesOf(all, ({ peakBytes }) => peakBytes / 1e6),
    },
  ];
  return drawPanels('Growth with the batch, one thread', describeMachine(), panels);
}

function drawDepths(all: ReadonlyMap<string, Points>): string {
  const common = { xLabel: 'layers', xTicks: DEPTHS };
  const panels: Panel[] = [
    {
      ...common,
      title: 'Prediction',
      yLabel: 'µs a layer',
      series: seriesOf(all, ({ ms }, size) => (ms * 1000) / size),
    },
    { ...common, title: 'Compiling', yLabel: 'ms', series: seriesOf(all, ({ compileMs }) => compileMs) },
    {
      ...common,
      title: 'Peak memory (dashed, hollow: activations)',
      yLabel: 'MB',
      series: [
        ...seriesOf(all, ({ peakBytes }) => peakBytes / 1e6),
        ...seriesOf(all, ({ activationBytes }) => activationBytes / 1e6, { dashed: true }),
      ],
    },
  ];
  return drawPanels('Growth with the depth, one row, one thread', describeMachine(), panels);
}
