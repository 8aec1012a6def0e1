/** Means of the distances of distributions, the same functions as the losses. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { boolean, type Fields, integer, nullable, number, type Options } from '../../layers/fields.ts';
import {
  binaryCrossentropy,
  categoricalCrossentropy,
  isCounted,
  klDivergence,
  poisson,
  sparseCategoricalCrossentropy,
} from '../losses/probabilistic-functions.ts';
import { MeanMetric } from './mean.ts';
import { type MetricConfig, type MetricOptions, metricFields } from './metric.ts';

/** The mean of Σ yTrue · log(yTrue / yPred). */
export class KLDivergence extends MeanMetric {
  static readonly className = 'KLDivergence';
  static readonly fields: Fields<MetricConfig> = metricFields('kl_divergence');

  constructor(options: MetricOptions = {}) {
    super(KLDivergence.className, KLDivergence.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return klDivergence(yTrue, yPred);
  }
}

/** The mean of yPred − yTrue · log(yPred). */
export class Poisson extends MeanMetric {
  static readonly className = 'Poisson';
  static readonly fields: Fields<MetricConfig> = metricFields('poisson');

  constructor(options: MetricOptions = {}) {
    super(Poisson.className, Poisson.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return poisson(yTrue, yPred);
  }
}

export interface BinaryCrossentropyConfig extends MetricConfig {
  /** Whether predictions are logits instead of probabilities. */
  fromLogits: boolean;
  /** How much of each target is spread over all classes. */
  labelSmoothing: number;
}

const binaryFields: Fields<BinaryCrossentropyConfig> = {
  ...metricFields('binary_crossentropy'),
  fromLogits: boolean(false),
  labelSmoothing: number(0),
};

/** The mean cross entropy for targets of 0 and 1. */
export class BinaryCrossentropy extends MeanMetric<BinaryCrossentropyConfig> {
  static readonly className = 'BinaryCrossentropy';
  static readonly fields: Fields<BinaryCrossentropyConfig> = binaryFields;

  constructor(options: Options<BinaryCrossentropyConfig> = {}) {
    super(BinaryCrossentropy.className, BinaryCrossentropy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return binaryCrossentropy(yTrue, yPred, this.config);
  }
}

export interface CategoricalCrossentropyConfig extends BinaryCrossentropyConfig {
  axis: number;
}

/** The mean cross entropy for one-hot targets. */
export class CategoricalCrossentropy extends MeanMetric<CategoricalCrossentropyConfig> {
  static readonly className = 'CategoricalCrossentropy';
  static readonly fields: Fields<CategoricalCrossentropyConfig> = {
    ...binaryFields,
    ...metricFields('categorical_crossentropy'),
    axis: integer(-1),
  };

  constructor(options: Options<CategoricalCrossentropyConfig> = {}) {
    super(CategoricalCrossentropy.className, CategoricalCrossentropy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return categoricalCrossentropy(yTrue, yPred, this.config);
  }
}

export interface SparseCategoricalCrossentropyConfig extends MetricConfig {
  /** Whether predictions are logits instead of probabilities. */
  fromLogits: boolean;
  /** The class number of samples that do not count. */
  ignoreClass: number | null;
  axis: number;
}

/** The mean cross entropy for targets that are class numbers. */
export class SparseCategoricalCrossentropy extends MeanMetric<SparseCategoricalCrossentropyConfig> {
  static readonly className = 'SparseCategoricalCrossentropy';
  static readonly fields: Fields<SparseCategoricalCrossentropyConfig> = {
    ...metricFields('sparse_categorical_crossentropy'),
    fromLogits: boolean(false),
    ignoreClass: nullable(integer()),
    axis: integer(-1),
  };

  constructor(options: Options<SparseCategoricalCrossentropyConfig> = {}) {
    super(SparseCategoricalCrossentropy.className, SparseCategoricalCrossentropy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return sparseCategoricalCrossentropy(yTrue, yPred, this.config);
  }

  protected override outputMask(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor | undefined {
    const { ignoreClass, axis } = this.config;
    return ignoreClass === null ? undefined : isCounted(yTrue, yPred, ignoreClass, axis);
  }
}
