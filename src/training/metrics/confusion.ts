/** Metrics of true and false positives and negatives. */
import type { SymbolicTensor } from '../../graph/node.ts';
import {
  anything,
  type Field,
  type Fields,
  integer,
  nullable,
  type Options,
  positiveInteger,
} from '../../layers/fields.ts';
import { greaterEqual, where } from '../../ops/compare.ts';
import { add, divideNoNan } from '../../ops/elementwise.ts';
import { withShape } from '../../ops/operand.ts';
import { max } from '../../ops/reduce.ts';
import type { Assignment } from '../optimizers/optimizer.ts';
import { BELOW_ALL, type ConfusionName, type ConfusionOptions, countConfusions } from './confusion-counts.ts';
import { Metric, type MetricConfig, metricFields } from './metric.ts';

const isShare = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1;

/** A threshold, or several, from 0 to 1; `null` for 0.5. */
type Thresholds = number | readonly number[] | null;

function thresholdsField(): Field<Thresholds> {
  const check = (value: unknown): boolean =>
    value === null || isShare(value) || (Array.isArray(value) && value.length > 0 && value.every(isShare));
  return anything<Thresholds>('a number from 0 to 1, a list of them, or null', check, null);
}

function listOf(thresholds: Thresholds, fallback: number): readonly number[] {
  if (thresholds === null) return [fallback];
  return typeof thresholds === 'number' ? [thresholds] : thresholds;
}

/** A metric whose state is some of the four counts. */
abstract class ConfusionMetric<C extends MetricConfig> extends Metric<C> {
  readonly #counts: readonly ConfusionName[];
  readonly #options: ConfusionOptions;

  constructor(
    className: string,
    fields: Fields<C>,
    options: Readonly<Record<string, unknown>>,
    counts: readonly ConfusionName[],
    optionsOf: (config: C) => ConfusionOptions,
  ) {
    super(className, fields, options);
    this.#counts = counts;
    this.#options = optionsOf(this.config);
    for (const name of counts) this.addVariable(this.stateName(name), [this.#options.thresholds.length]);
  }

  /** Keras' name for the state of a count. */
  protected stateName(count: ConfusionName): string {
    return count;
  }

  override update(yTrue: SymbolicTensor, yPred: SymbolicTensor, sampleWeight?: SymbolicTensor): readonly Assignment[] {
    const counts = countConfusions(yTrue, yPred, sampleWeight, this.#options);
    return this.#counts.map((name) => this.grow(this.stateName(name), counts[name]));
  }

  /** One value for each threshold, or a scalar for a single one. */
  protected perThreshold(values: SymbolicTensor): SymbolicTensor {
    return this.#options.thresholds.length === 1 ? withShape(values, []) : values;
  }

  /** The share of one count in it and another, at each threshold. */
  protected shareOf(count: ConfusionName, other: ConfusionName): SymbolicTensor {
    const own = this.state(this.stateName(count));
    return divideNoNan(own, add(own, this.state(this.stateName(other))));
  }
}

export interface CountConfig extends MetricConfig {
  thresholds: Thresholds;
}

function countFields(name: string): Fields<CountConfig> {
  return { ...metricFields(name), thresholds: thresholdsField() };
}

/** One of the four counts. */
abstract class Count extends ConfusionMetric<CountConfig> {
  constructor(className: string, fields: Fields<CountConfig>, options: Options<CountConfig>, count: ConfusionName) {
    super(className, fields, options, [count], ({ thresholds }) => ({ thresholds: listOf(thresholds, 0.5) }));
  }

  protected override stateName(): string {
    return 'accumulator';
  }

  override result(): SymbolicTensor {
    return this.perThreshold(this.state('accumulator'));
  }
}

/** How many positives were found. */
export class TruePositives extends Count {
  static readonly className = 'TruePositives';
  static readonly fields: Fields<CountConfig> = countFields('true_positives');

  constructor(options: Options<CountConfig> = {}) {
    super(TruePositives.className, TruePositives.fields, options, 'true_positives');
  }
}

/** How many negatives were taken for positives. */
export class FalsePositives extends Count {
  static readonly className = 'FalsePositives';
  static readonly fields: Fields<CountConfig> = countFields('false_positives');

  constructor(options: Options<CountConfig> = {}) {
    super(FalsePositives.className, FalsePositives.fields, options, 'false_positives');
  }
}

/** How many negatives were found. */
export class TrueNegatives extends Count {
  static readonly className = 'TrueNegatives';
  static readonly fields: Fields<CountConfig> = countFields('true_negatives');

  constructor(options: Options<CountConfig> = {}) {
    super(TrueNegatives.className, TrueNegatives.fields, options, 'true_negatives');
  }
}

/** How many positives were taken for negatives. */
export class FalseNegatives extends Count {
  static readonly className = 'FalseNegatives';
  static readonly fields: Fields<CountConfig> = countFields('false_negatives');

  constructor(options: Options<CountConfig> = {}) {
    super(FalseNegatives.className, FalseNegatives.fields, options, 'false_negatives');
  }
}

export interface PrecisionConfig extends CountConfig {
  /** Whether only the `topK` greatest predictions of a row can be positives. */
  topK: number | null;
  /** The only class that counts. */
  classId: number | null;
}

function precisionFields(name: string): Fields<PrecisionConfig> {
  return { ...countFields(name), topK: nullable(positiveInteger()), classId: nullable(integer()) };
}

function precisionOptions({ thresholds, topK, classId }: PrecisionConfig): ConfusionOptions {
  return { thresholds: listOf(thresholds, topK === null ? 0.5 : BELOW_ALL), topK, classId };
}

/** The share of true ones in what was found. */
export class Precision extends ConfusionMetric<PrecisionConfig> {
  static readonly className = 'Precision';
  static readonly fields: Fields<PrecisionConfig> = precisionFields('precision');

  constructor(options: Options<PrecisionConfig> = {}) {
    const counts: ConfusionName[] = ['true_positives', 'false_positives'];
    super(Precision.className, Precision.fields, options, counts, precisionOptions);
  }

  override result(): SymbolicTensor {
    return this.perThreshold(this.shareOf('true_positives', 'false_positives'));
  }
}

/** The share of what was found in what there is. */
export class Recall extends ConfusionMetric<PrecisionConfig> {
  static readonly className = 'Recall';
  static readonly fields: Fields<PrecisionConfig> = precisionFields('recall');

  constructor(options: Options<PrecisionConfig> = {}) {
    const counts: ConfusionName[] = ['true_positives', 'false_negatives'];
    super(Recall.className, Recall.fields, options, counts, precisionOptions);
  }

  override result(): SymbolicTensor {
    return this.perThreshold(this.shareOf('true_positives', 'false_negatives'));
  }
}

interface TradeConfig extends MetricConfig {
  /** How many thresholds are tried, evenly from 0 to 1. */
  numThresholds: number;
  /** The only class that counts. */
  classId: number | null;
}

function tradeFields(name: string): Fields<TradeConfig> {
  return { ...metricFields(name), numThresholds: positiveInteger(200), classId: nullable(integer()) };
}

/** A share that must be given. */
const share: Field<number> = anything('a number from 0 to 1', isShare);

/** Evenly from 0 to 1; 0.5 for a single one. */
function evenThresholds(count: number): number[] {
  return count === 1 ? [0.5] : Array.from({ length: count }, (_, index) => index / (count - 1));
}

const ALL_COUNTS: readonly ConfusionName[] = ['true_positives', 'false_positives', 'true_negatives', 'false_negatives'];

/** The best of one share at those thresholds at which another is high enough. */
abstract class Trade<C extends TradeConfig> extends ConfusionMetric<C> {
  constructor(className: string, fields: Fields<C>, options: Readonly<Record<string, unknown>>) {
    super(className, fields, options, ALL_COUNTS, ({ numThresholds, classId }) => {
      return { thresholds: evenThresholds(numThresholds), isEven: numThresholds > 1, classId };
    });
  }

  protected best(wanted: SymbolicTensor, demanded: SymbolicTensor, least: number): SymbolicTensor {
    return max(where(greaterEqual(demanded, least), wanted, 0), null, false, 0);
  }

  protected get sensitivities(): SymbolicTensor {
    return this.shareOf('true_positives', 'false_negatives');
  }

  protected get specificities(): SymbolicTensor {
    return this.shareOf('true_negatives', 'false_positives');
  }

  protected get precisions(): SymbolicTensor {
    return this.shareOf('true_positives', 'false_positives');
  }
}

export interface SensitivityAtSpecificityConfig extends TradeConfig {
  specificity: number;
}

/** The greatest share of positives that is found while enough negatives are. */
export class SensitivityAtSpecificity extends Trade<SensitivityAtSpecificityConfig> {
  static readonly className = 'SensitivityAtSpecificity';
  static readonly fields: Fields<SensitivityAtSpecificityConfig> = {
    ...tradeFields('sensitivity_at_specificity'),
    specificity: share,
  };

  constructor(options: Options<SensitivityAtSpecificityConfig, 'specificity'>) {
    super(SensitivityAtSpecificity.className, SensitivityAtSpecificity.fields, options);
  }

  override result(): SymbolicTensor {
    return this.best(this.sensitivities, this.specificities, this.config.specificity);
  }
}

export interface SpecificityAtSensitivityConfig extends TradeConfig {
  sensitivity: number;
}

/** The greatest share of negatives that is found while enough positives are. */
export class SpecificityAtSensitivity extends Trade<SpecificityAtSensitivityConfig> {
  static readonly className = 'SpecificityAtSensitivity';
  static readonly fields: Fields<SpecificityAtSensitivityConfig> = {
    ...tradeFields('specificity_at_sensitivity'),
    sensitivity: share,
  };

  constructor(options: Options<SpecificityAtSensitivityConfig, 'sensitivity'>) {
    super(SpecificityAtSensitivity.className, SpecificityAtSensitivity.fields, options);
  }

  override result(): SymbolicTensor {
    return this.best(this.specificities, this.sensitivities, this.config.sensitivity);
  }
}

export interface PrecisionAtRecallConfig extends TradeConfig {
  recall: number;
}

/** The greatest precision at a high enough recall. */
export class PrecisionAtRecall extends Trade<PrecisionAtRecallConfig> {
  static readonly className = 'PrecisionAtRecall';
  static readonly fields: Fields<PrecisionAtRecallConfig> = { ...tradeFields('precision_at_recall'), recall: share };

  constructor(options: Options<PrecisionAtRecallConfig, 'recall'>) {
    super(PrecisionAtRecall.className, PrecisionAtRecall.fields, options);
  }

  override result(): SymbolicTensor {
    return this.best(this.precisions, this.sensitivities, this.config.recall);
  }
}

export interface RecallAtPrecisionConfig extends TradeConfig {
  precision: number;
}

/** The greatest recall at a high enough precision. */
export class RecallAtPrecision extends Trade<RecallAtPrecisionConfig> {
  static readonly className = 'RecallAtPrecision';
  static readonly fields: Fields<RecallAtPrecisionConfig> = { ...tradeFields('recall_at_precision'), precision: share };

  constructor(options: Options<RecallAtPrecisionConfig, 'precision'>) {
    super(RecallAtPrecision.className, RecallAtPrecision.fields, options);
  }

  override result(): SymbolicTensor {
    return this.best(this.sensitivities, this.precisions, this.config.precision);
  }
}
