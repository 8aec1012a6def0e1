/** The metrics of each output, with Keras' names for their logs. */
import type { OutputPart } from './compiled-model.ts';
import type { LossFunction } from './losses/loss.ts';
import { Metric } from './metrics/metric.ts';
import { resolveMetric } from './metrics/resolve-metric.ts';
import type { Assignment } from './optimizers/optimizer.ts';

/** A metric: by Keras' name, as an object, or as a function written with `ops`. */
export type MetricLike = Metric | LossFunction | string;

/**
 * Metrics: a list for the only output; for several, a list with an entry for each or a record by output name. An entry
 * is one metric or a list.
 */
export type MetricsOption =
  | MetricLike
  | readonly (MetricLike | null | readonly MetricLike[])[]
  | { readonly [output: string]: MetricLike | null | readonly MetricLike[] };

/** One metric of one output. */
export interface OutputMetric {
  readonly name: string;
  readonly output: number;
  readonly isWeighted: boolean;
  readonly metric: Metric;
}

export interface MetricsOptions {
  readonly metrics?: MetricsOption | null | undefined;
  readonly weightedMetrics?: MetricsOption | null | undefined;
}

interface Wanted {
  readonly output: number;
  readonly isWeighted: boolean;
  readonly given: MetricLike;
}

/** Metrics that keep their state from batch to batch. What a name means may depend on shapes, which batches tell. */
export class CompiledMetrics {
  readonly #names: readonly string[];
  readonly #wanted: readonly Wanted[];
  #made: readonly OutputMetric[] | undefined;

  /** @throws {RangeError} when a name means nothing, or an output has no such name. */
  constructor(names: readonly string[], { metrics, weightedMetrics }: MetricsOptions) {
    this.#names = names;
    this.#wanted = [
      ...wantedBy(names, metrics, false, 'metrics'),
      ...wantedBy(names, weightedMetrics, true, 'weightedMetrics'),
    ];
    for (const { given } of this.#wanted) make(given, { yTrue: [1], yPred: [1] });
  }

  /** The metrics; none before the first batch. */
  get metrics(): readonly OutputMetric[] {
    return this.#made ?? [];
  }

  /** New values of the state with a batch. */
  update(parts: readonly OutputPart[]): readonly Assignment[] {
    this.#made ??= this.#make(parts);
    return this.#made.flatMap(({ metric, output, isWeighted }) => {
      const { yPred, yTrue, sampleWeight, mask } = parts[output] as OutputPart;
      if (yTrue === undefined) return [];
      return metric.update(yTrue, yPred, isWeighted ? sampleWeight : undefined, mask);
    });
  }

  reset(): void {
    for (const { metric } of this.metrics) metric.reset();
  }

  #make(parts: readonly OutputPart[]): OutputMetric[] {
    const counts = new Map<string, number>();
    return this.#wanted.flatMap(({ output, isWeighted, given }) => {
      const { yTrue, yPred } = parts[output] as OutputPart;
      if (yTrue === undefined) return [];
      const metric = make(given, { yTrue: yTrue.shape, yPred: yPred.shape });
      const own = typeof given === 'string' ? given : metric.name;
      return [{ name: this.#logName(own, output, isWeighted, counts), output, isWeighted, metric }];
    });
  }

  /** Names are Keras': that of the output goes first where there are several, and repeated ones are told apart. */
  #logName(own: string, output: number, isWeighted: boolean, counts: Map<string, number>): string {
    const prefix = this.#names.length > 1 ? `${this.#names[output]}_` : '';
    let name = prefix + own;
    if (isWeighted && counts.has(name)) name = `${prefix}weighted_${own}`;
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }
}

function make(given: MetricLike, shapes: { yTrue: readonly number[]; yPred: readonly number[] }): Metric {
  const metric = resolveMetric(given, shapes);
  if (metric !== undefined) return metric;
  throw new RangeError(`Cannot compile the model: found no metric named "${String(given)}"`);
}

function isMetric(value: unknown): value is MetricLike {
  return typeof value === 'string' || typeof value === 'function' || value instanceof Metric;
}

function wantedBy(
  names: readonly string[],
  option: MetricsOption | null | undefined,
  isWeighted: boolean,
  what: string,
): Wanted[] {
  const entries = entriesOf(names, option, what);
  return entries.flatMap((entry, output) => {
    const list = entry === null || entry === undefined ? [] : isMetric(entry) ? [entry] : entry;
    return list.map((given) => ({ output, isWeighted, given }));
  });
}

/** One entry for each output. */
function entriesOf(
  names: readonly string[],
  option: MetricsOption | null | undefined,
  what: string,
): readonly (MetricLike | null | undefined | readonly MetricLike[])[] {
  if (option === null || option === undefined) return [];
  if (isMetric(option)) return names.map(() => option);
  if (Array.isArray(option)) {
    const list = option as readonly (MetricLike | null | readonly MetricLike[])[];
    if (names.length === 1) return [list.flat().filter((entry) => entry !== null)];
    if (list.length === names.length) return list;
    throw new RangeError(
      `Cannot compile the model: ${what} has ${list.length} entries, expected one for each of the outputs ` +
        names.join(', '),
    );
  }
  const record = option as Readonly<Record<string, MetricLike | null | readonly MetricLike[]>>;
  const unknown = Object.keys(record).filter((name) => !names.includes(name));
  if (unknown.length === 0) return names.map((name) => record[name]);
  throw new RangeError(
    `Cannot compile the model: ${what} names ${unknown.join(', ')}, expected outputs ${names.join(', ')}`,
  );
}
