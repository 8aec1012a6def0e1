/** Sums and means of values over batches. */
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Fields } from '../../layers/fields.ts';
import { divideNoNan, multiply } from '../../ops/elementwise.ts';
import { broadcastTo, toFloat } from '../../ops/operand.ts';
import { mean, sum } from '../../ops/reduce.ts';
import { alignRanks } from '../align.ts';
import type { LossFunction } from '../losses/loss.ts';
import { mergeMask } from '../losses/reduction.ts';
import type { Assignment } from '../optimizers/optimizer.ts';
import { Metric, type MetricConfig, type MetricOptions, metricFields } from './metric.ts';

type Reduce = (x: SymbolicTensor, axes: readonly number[]) => SymbolicTensor;

interface Samples {
  readonly values: SymbolicTensor;
  readonly weights: SymbolicTensor | undefined;
}

function axesFrom(first: number, x: SymbolicTensor): number[] {
  return x.shape.map((_, axis) => axis).filter((axis) => axis >= first);
}

/** One value for each sample, times its weight, and the weights. What a sample has several of is joined. */
function toSamples(values: SymbolicTensor, sampleWeight: SymbolicTensor | undefined, reduce: Reduce): Samples {
  const overRest = (x: SymbolicTensor): SymbolicTensor => reduce(x, axesFrom(1, x));
  if (sampleWeight === undefined) return { values: overRest(toFloat(values)), weights: undefined };
  const [aligned, weight] = alignRanks(toFloat(values), toFloat(sampleWeight));
  const reduced = reduce(aligned, axesFrom(weight.shape.length, aligned));
  const weights = broadcastTo(weight, reduced.shape);
  return { values: overRest(multiply(reduced, weights)), weights: overRest(weights) };
}

/** The sum of values. */
export class Sum extends Metric {
  static readonly className = 'Sum';
  static readonly fields: Fields<MetricConfig> = metricFields('sum');

  constructor(options: MetricOptions = {}) {
    super(Sum.className, Sum.fields, options);
    this.addVariable('total');
  }

  override update(values: SymbolicTensor, sampleWeight?: SymbolicTensor): readonly Assignment[] {
    return [this.grow('total', sum(toSamples(values, sampleWeight, sum).values))];
  }

  override result(): SymbolicTensor {
    return this.state('total');
  }
}

/** What is a mean over all samples. */
abstract class Averaging<C extends MetricConfig = MetricConfig> extends Metric<C> {
  constructor(className: string, fields: Fields<C>, options: Readonly<Record<string, unknown>>) {
    super(className, fields, options);
    this.addVariable('total');
    this.addVariable('count');
  }

  protected average(values: SymbolicTensor, sampleWeight: SymbolicTensor | undefined): readonly Assignment[] {
    const { values: samples, weights } = toSamples(values, sampleWeight, mean);
    const count = weights === undefined ? (samples.shape[0] ?? 1) : sum(weights);
    return [this.grow('total', sum(samples)), this.grow('count', count)];
  }

  override result(): SymbolicTensor {
    return divideNoNan(this.state('total'), this.state('count'));
  }
}

/** The mean of values. */
export class Mean extends Averaging {
  static readonly className = 'Mean';
  static readonly fields: Fields<MetricConfig> = metricFields('mean');

  constructor(options: MetricOptions = {}) {
    super(Mean.className, Mean.fields, options);
  }

  override update(values: SymbolicTensor, sampleWeight?: SymbolicTensor): readonly Assignment[] {
    return this.average(values, sampleWeight);
  }
}

/** The mean of a function of targets and predictions. */
export abstract class MeanMetric<C extends MetricConfig = MetricConfig> extends Averaging<C> {
  /** The values, one for each sample. */
  protected abstract evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor;

  /** Which values count, where some are left out. */
  protected outputMask(_yTrue: SymbolicTensor, _yPred: SymbolicTensor): SymbolicTensor | undefined {
    return undefined;
  }

  override update(
    yTrue: SymbolicTensor,
    yPred: SymbolicTensor,
    sampleWeight?: SymbolicTensor,
    mask?: SymbolicTensor,
  ): readonly Assignment[] {
    const given = mergeMask(sampleWeight, mask, 'sum');
    // As in Keras, what is left out counts as 0 where there are no weights.
    const weight = given && mergeMask(given, this.outputMask(yTrue, yPred), 'sum');
    return this.average(this.evaluate(yTrue, yPred), weight);
  }
}

/** The mean of a function of one's own. */
export class MeanMetricWrapper extends MeanMetric {
  static readonly className = 'MeanMetricWrapper';
  readonly fn: LossFunction;

  constructor(fn: LossFunction, options: MetricOptions = {}) {
    super(MeanMetricWrapper.className, metricFields(fn.name || 'mean_metric_wrapper'), options);
    this.fn = fn;
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return this.fn(yTrue, yPred);
  }
}
