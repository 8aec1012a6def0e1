/** Intersection over union: how well regions of classes are met, from counts of all pairs of true and found classes. */
import { tensor } from '../../array/tensor.ts';
import { constant } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { VariableDtype } from '../../graph/variable.ts';
import {
  anything,
  boolean,
  type Field,
  type Fields,
  integer,
  nullable,
  number,
  type Options,
  positiveInteger,
} from '../../layers/fields.ts';
import { greater, greaterEqual, less, logicalAnd, notEqual, where } from '../../ops/compare.ts';
import { add, divide, multiply, subtract } from '../../ops/elementwise.ts';
import { segmentSum, take } from '../../ops/indexing.ts';
import { diagonal } from '../../ops/matrix.ts';
import { broadcastTo, cast, numericDtype, toFloat } from '../../ops/operand.ts';
import { argmax, sum } from '../../ops/reduce.ts';
import { ravel, reshape } from '../../ops/shape.ts';
import { EPSILON } from '../epsilon.ts';
import type { Assignment } from '../optimizers/optimizer.ts';
import { Metric, type MetricConfig, metricFields } from './metric.ts';

const CONFUSIONS = 'total_confusion_matrix';

/** What all these metrics do, whatever they call it. */
interface Regions {
  readonly numClasses: number;
  readonly targetClassIds: readonly number[];
  readonly ignoreClass: number | null;
  readonly sparseYTrue: boolean;
  readonly sparseYPred: boolean;
  readonly axis: number;
}

const CLASS_NUMBERS = { ignoreClass: null, sparseYTrue: true, sparseYPred: true, axis: -1 } as const;

function classIds(...fallback: [readonly number[]] | []): Field<readonly number[]> {
  const isList = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every(Number.isInteger);
  return anything<readonly number[]>('a list of class numbers', isList, ...fallback);
}

function allOf(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** A mean over classes of the share of what is both true and found in what is either. */
abstract class Overlap<C extends MetricConfig> extends Metric<C> {
  readonly #regions: Regions;
  readonly #dtype: VariableDtype;

  constructor(
    className: string,
    fields: Fields<C>,
    options: Readonly<Record<string, unknown>>,
    regionsOf: (config: C) => Regions,
  ) {
    super(className, fields, options);
    const { dtype } = this.config;
    // Keras counts in integers unless told otherwise, and cuts weights off to integers then.
    this.#dtype = dtype === null || dtype === 'int' ? 'int32' : numericDtype(dtype);
    this.#regions = regionsOf(this.config);
    const { numClasses, targetClassIds } = this.#regions;
    const wrong = targetClassIds.find((id) => id >= numClasses);
    if (wrong !== undefined) {
      throw new RangeError(`Cannot create ${className}: target class ${wrong} is none of the ${numClasses} classes`);
    }
    this.addVariable(CONFUSIONS, [numClasses, numClasses], this.#dtype);
  }

  override update(yTrue: SymbolicTensor, yPred: SymbolicTensor, sampleWeight?: SymbolicTensor): readonly Assignment[] {
    const { numClasses, ignoreClass, sparseYTrue, sparseYPred, axis } = this.#regions;
    const target = ravel(cast(sparseYTrue ? yTrue : argmax(yTrue, axis), 'int32'));
    const found = ravel(cast(sparseYPred ? yPred : argmax(yPred, axis), 'int32'));
    const isClass = (x: SymbolicTensor): SymbolicTensor => logicalAnd(greaterEqual(x, 0), less(x, numClasses));
    const isInside = logicalAnd(isClass(target), isClass(found));
    const isCounted = ignoreClass === null ? isInside : logicalAnd(isInside, notEqual(target, ignoreClass));
    const given = cast(sampleWeight ?? 1, this.#dtype);
    const weights = broadcastTo(given.shape.length > 1 ? ravel(given) : given, target.shape);
    const pair = where(isCounted, add(multiply(target, numClasses), found), -1);
    const counts = segmentSum(weights, pair, numClasses * numClasses);
    return [this.grow(CONFUSIONS, reshape(counts, [numClasses, numClasses]))];
  }

  override result(): SymbolicTensor {
    const { targetClassIds } = this.#regions;
    const ids = constant(tensor([...targetClassIds], undefined, 'int32'));
    const counts = this.state(CONFUSIONS);
    const both = diagonal(counts);
    const either = subtract(add(sum(counts, 0), sum(counts, 1)), both);
    const ofTargets = (x: SymbolicTensor): SymbolicTensor => toFloat(take(x, ids, 0));
    const [overlap, union] = [ofTargets(both), ofTargets(either)];
    const occurs = greater(union, 1e-9);
    const shares = where(occurs, divide(overlap, add(union, EPSILON)), 0);
    return divide(sum(shares), add(toFloat(sum(occurs)), EPSILON));
  }
}

export interface MeanIoUConfig extends MetricConfig {
  numClasses: number;
  /** A class number whose pixels do not count. */
  ignoreClass: number | null;
  /** Whether targets are class numbers instead of one-hot. */
  sparseYTrue: boolean;
  /** Whether predictions are class numbers instead of probabilities. */
  sparseYPred: boolean;
  /** The axis of classes. */
  axis: number;
}

const meanFields: Fields<MeanIoUConfig> = {
  ...metricFields('mean_io_u'),
  numClasses: positiveInteger(),
  ignoreClass: nullable(integer()),
  sparseYTrue: boolean(true),
  sparseYPred: boolean(true),
  axis: integer(-1),
};

export interface IoUConfig extends MeanIoUConfig {
  /** The classes that are looked at. */
  targetClassIds: readonly number[];
}

/** The mean overlap of some classes. */
export class IoU extends Overlap<IoUConfig> {
  static readonly className = 'IoU';
  static readonly fields: Fields<IoUConfig> = { ...meanFields, ...metricFields('io_u'), targetClassIds: classIds() };

  constructor(options: Options<IoUConfig, 'numClasses' | 'targetClassIds'>) {
    super(IoU.className, IoU.fields, options, (config) => config);
  }
}

/** The mean overlap of all classes. */
export class MeanIoU extends Overlap<MeanIoUConfig> {
  static readonly className = 'MeanIoU';
  static readonly fields: Fields<MeanIoUConfig> = meanFields;

  constructor(options: Options<MeanIoUConfig, 'numClasses'>) {
    super(MeanIoU.className, MeanIoU.fields, options, (config) => {
      return { ...config, targetClassIds: allOf(config.numClasses) };
    });
  }
}

export interface BinaryIoUConfig extends MetricConfig {
  /** The classes that are looked at, of 0 and 1. */
  targetClassIds: readonly number[];
  /** Predictions of at least this are 1. */
  threshold: number;
}

/** The mean overlap of two classes, for predictions of the second one's probability. */
export class BinaryIoU extends Overlap<BinaryIoUConfig> {
  static readonly className = 'BinaryIoU';
  static readonly fields: Fields<BinaryIoUConfig> = {
    ...metricFields('binary_io_u'),
    targetClassIds: classIds([0, 1]),
    threshold: number(0.5),
  };

  constructor(options: Options<BinaryIoUConfig> = {}) {
    super(BinaryIoU.className, BinaryIoU.fields, options, ({ targetClassIds }) => {
      return { ...CLASS_NUMBERS, numClasses: 2, targetClassIds };
    });
  }

  override update(yTrue: SymbolicTensor, yPred: SymbolicTensor, sampleWeight?: SymbolicTensor): readonly Assignment[] {
    const found = cast(greaterEqual(toFloat(yPred), this.config.threshold), 'int32');
    return super.update(yTrue, found, sampleWeight);
  }
}

export interface OneHotMeanIoUConfig extends MetricConfig {
  numClasses: number;
  ignoreClass: number | null;
  sparseYPred: boolean;
  axis: number;
}

const oneHotFields: Fields<OneHotMeanIoUConfig> = {
  ...metricFields('one_hot_mean_io_u'),
  numClasses: positiveInteger(),
  ignoreClass: nullable(integer()),
  sparseYPred: boolean(false),
  axis: integer(-1),
};

export interface OneHotIoUConfig extends OneHotMeanIoUConfig {
  /** The classes that are looked at. */
  targetClassIds: readonly number[];
}

/** The mean overlap of some classes, for one-hot targets. */
export class OneHotIoU extends Overlap<OneHotIoUConfig> {
  static readonly className = 'OneHotIoU';
  static readonly fields: Fields<OneHotIoUConfig> = {
    ...oneHotFields,
    ...metricFields('one_hot_io_u'),
    targetClassIds: classIds(),
  };

  constructor(options: Options<OneHotIoUConfig, 'numClasses' | 'targetClassIds'>) {
    super(OneHotIoU.className, OneHotIoU.fields, options, (config) => ({ ...config, sparseYTrue: false }));
  }
}

/** The mean overlap of all classes, for one-hot targets. */
export class OneHotMeanIoU extends Overlap<OneHotMeanIoUConfig> {
  static readonly className = 'OneHotMeanIoU';
  static readonly fields: Fields<OneHotMeanIoUConfig> = oneHotFields;

  constructor(options: Options<OneHotMeanIoUConfig, 'numClasses'>) {
    super(OneHotMeanIoU.className, OneHotMeanIoU.fields, options, (config) => {
      return { ...config, sparseYTrue: false, targetClassIds: allOf(config.numClasses) };
    });
  }
}
