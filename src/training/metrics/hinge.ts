/** Means of margins, the same functions as the losses. */
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Fields } from '../../layers/fields.ts';
import { categoricalHinge, hinge, squaredHinge } from '../losses/hinge.ts';
import { MeanMetric } from './mean.ts';
import { type MetricConfig, type MetricOptions, metricFields } from './metric.ts';

/** The mean of max(1 − yTrue · yPred, 0). */
export class Hinge extends MeanMetric {
  static readonly className = 'Hinge';
  static readonly fields: Fields<MetricConfig> = metricFields('hinge');

  constructor(options: MetricOptions = {}) {
    super(Hinge.className, Hinge.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return hinge(yTrue, yPred);
  }
}

/** The mean of max(1 − yTrue · yPred, 0)². */
export class SquaredHinge extends MeanMetric {
  static readonly className = 'SquaredHinge';
  static readonly fields: Fields<MetricConfig> = metricFields('squared_hinge');

  constructor(options: MetricOptions = {}) {
    super(SquaredHinge.className, SquaredHinge.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return squaredHinge(yTrue, yPred);
  }
}

/** The mean of max(greatest wrong prediction − right one + 1, 0). */
export class CategoricalHinge extends MeanMetric {
  static readonly className = 'CategoricalHinge';
  static readonly fields: Fields<MetricConfig> = metricFields('categorical_hinge');

  constructor(options: MetricOptions = {}) {
    super(CategoricalHinge.className, CategoricalHinge.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return categoricalHinge(yTrue, yPred);
  }
}
