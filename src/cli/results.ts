/** What a model gave, for people and for programs. */
import { Tensor } from '../index.ts';
import { formatBar, formatExtents, formatValue } from './format.ts';
import type { Labels } from './labels.ts';

/** A class and its score. */
export interface Ranked {
  readonly index: number;
  readonly label: string;
  readonly score: number;
}

/** One output of the model for one sample. */
export interface Output {
  readonly name: string;
  readonly tensor: Tensor;
}

const BAR_WIDTH = 20;
/** Values of an output that is no list of classes are shown up to this number. */
const MAX_VALUES = 12;

/** The outputs by name, in the order of the model. */
export function listOutputs(result: unknown, names: readonly string[]): Output[] {
  const tensors = flatten(result);
  return tensors.map((tensor, index) => ({ name: names[index] ?? `output ${index}`, tensor }));
}

function flatten(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  return typeof result === 'object' && result !== null ? Object.values(result).flatMap(flatten) : [];
}

/** The rows of an output that is a list of scores for classes; `undefined` for any other. */
export function rankClasses(output: Tensor, top: number, labels: Labels | undefined): Ranked[][] | undefined {
  const [rows = 0, classes = 0] = output.shape;
  if (output.shape.length !== 2 || classes < 2 || output.dtype !== 'float32') return undefined;
  const data = output.data as Float32Array;
  return Array.from({ length: rows }, (_, row) =>
    Array.from(data.subarray(row * classes, (row + 1) * classes), (score, index) => ({
      index,
      label: labels?.[index] ?? `class ${index}`,
      score,
    }))
      .sort((a, b) => b.score - a.score)
      .slice(0, top),
  );
}

/** A line for each class: its name, its score, and a bar where scores are probabilities. */
export function formatRanking(ranking: readonly Ranked[]): string[] {
  const width = Math.max(...ranking.map(({ label }) => label.length));
  const areProbabilities = ranking.every(({ score }) => score >= 0 && score <= 1);
  return ranking.map(({ label, score }) => {
    const value = areProbabilities ? `${(score * 100).toFixed(1)} %`.padStart(7) : formatValue(score).padStart(10);
    return `${label.padEnd(width)} ${value} ${areProbabilities ? formatBar(score, BAR_WIDTH) : ''}`.trimEnd();
  });
}

/** A line or two about an output that is no list of classes. */
export function formatValues({ shape, dtype, data }: Tensor): string[] {
  const values = Array.from(data as ArrayLike<number | string>);
  const shown = values.slice(0, MAX_VALUES).map((value) => (typeof value === 'string' ? value : formatValue(value)));
  const lines = [`${dtype} ${formatExtents(shape)}: ${shown.join(' ')}${values.length > MAX_VALUES ? ' …' : ''}`];
  if (dtype !== 'string' && values.length > MAX_VALUES) {
    const { minimum, maximum, mean } = describeNumbers(values as number[]);
    lines.push(`minimum ${formatValue(minimum)}, maximum ${formatValue(maximum)}, mean ${formatValue(mean)}`);
  }
  return lines;
}

export interface Statistics {
  readonly minimum: number;
  readonly maximum: number;
  readonly mean: number;
}

/** Extremes and mean of some numbers; NaN where there is a NaN, or no number at all. */
export function describeNumbers(values: ArrayLike<number>): Statistics {
  let minimum = values.length > 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  let maximum = -minimum;
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
    sum += value;
  }
  return { minimum, maximum, mean: sum / values.length };
}
