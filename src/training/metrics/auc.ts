import { formatShape } from '../../array/shape.ts';
import { tensor } from '../../array/tensor.ts';
import { ShapeError } from '../../errors.ts';
import { constant } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { anything, boolean, type Fields, integer, nullable, type Options, oneOf } from '../../layers/fields.ts';
import { sigmoid } from '../../ops/activations.ts';
import { equal, greater, logicalAnd, where } from '../../ops/compare.ts';
import { add, divide, divideNoNan, log, maximum, minimum, multiply, subtract } from '../../ops/elementwise.ts';
import { mean, sum } from '../../ops/reduce.ts';
import { between } from '../../ops/shape.ts';
import { EPSILON } from '../epsilon.ts';
import type { Assignment } from '../optimizers/optimizer.ts';
import { type ConfusionCounts, countConfusions, isEven } from './confusion-counts.ts';
import { Metric, type MetricConfig, metricFields } from './metric.ts';

export interface AUCConfig extends MetricConfig {
  /** How many thresholds are tried, evenly from 0 to 1. */
  numThresholds: number;
  /** `ROC`: recall over the rate of false positives. `PR`: precision over recall. `PRGAIN`: their gains. */
  curve: 'ROC' | 'PR' | 'PRGAIN';
  /** How the area between two thresholds is taken: by the mean, the greater or the lesser of both heights. */
  summationMethod: 'interpolation' | 'majoring' | 'minoring';
  /** Thresholds of one's own instead; those below 0 and above 1 are added. */
  thresholds: readonly number[] | null;
  /** Whether each label has its own curve, of which the mean area is taken. */
  multiLabel: boolean;
  numLabels: number | null;
  labelWeights: readonly number[] | null;
  /** Whether predictions are logits instead of probabilities. */
  fromLogits: boolean;
}

const numberList = anything<readonly number[]>(
  'a list of numbers',
  (value) => Array.isArray(value) && value.every((element) => typeof element === 'number'),
);

const curveField = oneOf(['ROC', 'PR', 'PRGAIN'], 'ROC');
const summationField = oneOf(['interpolation', 'majoring', 'minoring'], 'interpolation');

const COUNTS = ['true_positives', 'false_positives', 'true_negatives', 'false_negatives'] as const;

/** The area under a curve: how well predictions tell positives from negatives, whatever the threshold. */
export class AUC extends Metric<AUCConfig> {
  static readonly className = 'AUC';
  static readonly fields: Fields<AUCConfig> = {
    ...metricFields('auc'),
    numThresholds: anything('an integer above 1', (value) => Number.isSafeInteger(value) && (value as number) > 1, 200),
    // Names in another case are taken, too, as in Keras.
    curve: { ...curveField, parse: (value) => curveField.parse(String(value).toUpperCase()) },
    summationMethod: { ...summationField, parse: (value) => summationField.parse(String(value).toLowerCase()) },
    thresholds: nullable(numberList),
    multiLabel: boolean(false),
    numLabels: nullable(integer()),
    labelWeights: nullable(numberList),
    fromLogits: boolean(false),
  };
  readonly #thresholds: readonly number[];
  readonly #isEven: boolean;

  constructor(options: Options<AUCConfig> = {}) {
    super(AUC.className, AUC.fields, options);
    const { thresholds, numThresholds, multiLabel, numLabels } = this.config;
    const between01 = thresholds
      ? [...thresholds].sort((a, b) => a - b)
      : Array.from({ length: numThresholds - 2 }, (_, index) => (index + 1) / (numThresholds - 1));
    this.#isEven = thresholds === null || isEven([0, ...between01, 1]);
    this.#thresholds = [-EPSILON, ...between01, 1 + EPSILON];
    if (!multiLabel) this.#addCounts([]);
    else if (numLabels !== null) this.#addCounts([numLabels]);
  }

  #addCounts(labels: readonly number[]): void {
    for (const name of COUNTS) this.addVariable(name, [this.#thresholds.length, ...labels]);
  }

  override update(yTrue: SymbolicTensor, yPred: SymbolicTensor, sampleWeight?: SymbolicTensor): readonly Assignment[] {
    const { multiLabel, labelWeights, fromLogits } = this.config;
    if (multiLabel) {
      if (yPred.shape.length !== 2) {
        throw new ShapeError(
          `Cannot compute metric "${this.name}": found predictions ${formatShape(yPred.shape)}, ` +
            'expected [batch, labels] as multiLabel is set',
        );
      }
      this.#addCounts([yPred.shape[1] as number]);
    }
    const prediction = fromLogits ? sigmoid(yPred) : yPred;
    const options = { thresholds: this.#thresholds, isEven: this.#isEven, multiLabel, labelWeights };
    const counts = countConfusions(yTrue, prediction, sampleWeight, options);
    return COUNTS.map((name) => this.grow(name, counts[name]));
  }

  override result(): SymbolicTensor {
    const entries = COUNTS.map((name) => [name, this.state(name)] as const);
    const counts = Object.fromEntries(entries) as unknown as ConfusionCounts;
    const { curve, summationMethod } = this.config;
    if (curve === 'PR' && summationMethod === 'interpolation') return this.#join(interpolatedPrecision(counts));
    const [x, y] = CURVES[curve](counts);
    const [high, low] = [upper(y), lower(y)];
    const heights = {
      interpolation: () => divide(add(high, low), 2),
      majoring: () => maximum(high, low),
      minoring: () => minimum(high, low),
    }[summationMethod]();
    return this.#join(multiply(subtract(upper(x), lower(x)), heights));
  }

  /** The areas between thresholds as one area: their sum, and the mean over labels. */
  #join(areas: SymbolicTensor): SymbolicTensor {
    const { multiLabel, labelWeights } = this.config;
    if (!multiLabel) return sum(areas);
    const byLabel = sum(areas, 0);
    if (labelWeights === null) return mean(byLabel);
    const weights = constant(tensor([...labelWeights]));
    return divideNoNan(sum(multiply(byLabel, weights)), sum(weights));
  }
}

/** All but the last threshold: the first of each two. */
function upper(x: SymbolicTensor): SymbolicTensor {
  return between(x, 0, 0, (x.shape[0] as number) - 1);
}

/** All but the first threshold: the second of each two. */
function lower(x: SymbolicTensor): SymbolicTensor {
  return between(x, 0, 1, x.shape[0] as number);
}

function shareIn(count: SymbolicTensor, other: SymbolicTensor): SymbolicTensor {
  return divideNoNan(count, add(count, other));
}

type Curve = (counts: ConfusionCounts) => [x: SymbolicTensor, y: SymbolicTensor];

const CURVES: { readonly [name in AUCConfig['curve']]: Curve } = {
  ROC: (counts) => [
    shareIn(counts.false_positives, counts.true_negatives),
    shareIn(counts.true_positives, counts.false_negatives),
  ],
  PR: (counts) => [
    shareIn(counts.true_positives, counts.false_negatives),
    shareIn(counts.true_positives, counts.false_positives),
  ],
  PRGAIN: (counts) => {
    const { true_positives: found, false_negatives: missed, false_positives: wrong, true_negatives: rest } = counts;
    const odds = divideNoNan(add(found, missed), add(rest, wrong));
    const gain = (errors: SymbolicTensor): SymbolicTensor => subtract(1, multiply(odds, divideNoNan(errors, found)));
    // Without any true positive, nothing is gained in recall and nothing lost in precision.
    const isEmpty = equal(found, 0);
    return [maximum(where(isEmpty, 0, gain(missed)), 0), where(isEmpty, 1, gain(wrong))];
  },
};

/**
 * Areas under the curve of precision over recall, as Davis and Goadrich interpolate it: true positives, not precision,
 * lie on a line between two thresholds.
 */
function interpolatedPrecision(counts: ConfusionCounts): SymbolicTensor {
  const { true_positives: found, false_positives: wrong, false_negatives: missed } = counts;
  const positives = add(found, wrong);
  const gained = subtract(upper(found), lower(found));
  const slope = divideNoNan(gained, maximum(subtract(upper(positives), lower(positives)), 0));
  const intercept = subtract(lower(found), multiply(slope, lower(positives)));
  const ratio = where(
    logicalAnd(greater(upper(positives), 0), greater(lower(positives), 0)),
    divideNoNan(upper(positives), maximum(lower(positives), 0)),
    1,
  );
  const area = multiply(slope, add(gained, multiply(intercept, log(ratio))));
  return divideNoNan(area, maximum(add(lower(found), lower(missed)), 0));
}
