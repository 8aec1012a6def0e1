/** Losses for probabilities. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { anything, boolean, type Fields, integer, nullable, number, type Options } from '../../layers/fields.ts';
import { FunctionalLoss, type LossConfig, type LossOptions, lossFields } from './loss.ts';
import {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalGeneralizedCrossEntropy,
  isCounted,
  klDivergence,
  poisson,
  sparseCategoricalCrossentropy,
} from './probabilistic-functions.ts';

/** Σ yTrue · log(yTrue / yPred) over the last axis. */
export class KLDivergence extends FunctionalLoss {
  static readonly className = 'KLDivergence';
  static readonly fields: Fields<LossConfig> = lossFields('kl_divergence');

  constructor(options: LossOptions = {}) {
    super(KLDivergence.className, KLDivergence.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return klDivergence(yTrue, yPred);
  }
}

/** mean(yPred − yTrue · log(yPred)) over the last axis. */
export class Poisson extends FunctionalLoss {
  static readonly className = 'Poisson';
  static readonly fields: Fields<LossConfig> = lossFields('poisson');

  constructor(options: LossOptions = {}) {
    super(Poisson.className, Poisson.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return poisson(yTrue, yPred);
  }
}

export interface CrossentropyConfig extends LossConfig {
  /** Whether predictions are logits instead of probabilities. */
  fromLogits: boolean;
  /** How much of each target is spread over all classes. */
  labelSmoothing: number;
  axis: number;
}

function crossentropyFields(name: string): Fields<CrossentropyConfig> {
  return { ...lossFields(name), fromLogits: boolean(false), labelSmoothing: number(0), axis: integer(-1) };
}

/** Cross entropy for targets of 0 and 1, each by itself; the mean over the axis. */
export class BinaryCrossentropy extends FunctionalLoss<CrossentropyConfig> {
  static readonly className = 'BinaryCrossentropy';
  static readonly fields: Fields<CrossentropyConfig> = crossentropyFields('binary_crossentropy');

  constructor(options: Options<CrossentropyConfig> = {}) {
    super(BinaryCrossentropy.className, BinaryCrossentropy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return binaryCrossentropy(yTrue, yPred, this.config);
  }
}

export interface BinaryFocalCrossentropyConfig extends CrossentropyConfig {
  /** Whether 1s count `alpha` and 0s `1 − alpha`. */
  applyClassBalancing: boolean;
  alpha: number;
  gamma: number;
}

/** Binary cross entropy that looks at what is not yet known well. */
export class BinaryFocalCrossentropy extends FunctionalLoss<BinaryFocalCrossentropyConfig> {
  static readonly className = 'BinaryFocalCrossentropy';
  static readonly fields: Fields<BinaryFocalCrossentropyConfig> = {
    ...crossentropyFields('binary_focal_crossentropy'),
    applyClassBalancing: boolean(false),
    alpha: number(0.25),
    gamma: number(2),
  };

  constructor(options: Options<BinaryFocalCrossentropyConfig> = {}) {
    super(BinaryFocalCrossentropy.className, BinaryFocalCrossentropy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return binaryFocalCrossentropy(yTrue, yPred, this.config);
  }
}

/** Cross entropy for one-hot targets or distributions. */
export class CategoricalCrossentropy extends FunctionalLoss<CrossentropyConfig> {
  static readonly className = 'CategoricalCrossentropy';
  static readonly fields: Fields<CrossentropyConfig> = crossentropyFields('categorical_crossentropy');

  constructor(options: Options<CrossentropyConfig> = {}) {
    super(CategoricalCrossentropy.className, CategoricalCrossentropy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return categoricalCrossentropy(yTrue, yPred, this.config);
  }
}

export interface CategoricalFocalCrossentropyConfig extends CrossentropyConfig {
  /** How much the classes count, one for all or one each. */
  alpha: number | readonly number[];
  gamma: number;
}

/** Categorical cross entropy that looks at what is not yet known well. */
export class CategoricalFocalCrossentropy extends FunctionalLoss<CategoricalFocalCrossentropyConfig> {
  static readonly className = 'CategoricalFocalCrossentropy';
  static readonly fields: Fields<CategoricalFocalCrossentropyConfig> = {
    ...crossentropyFields('categorical_focal_crossentropy'),
    alpha: anything<number | readonly number[]>('a number or one for each class', isNumberOrList, 0.25),
    gamma: number(2),
  };

  constructor(options: Options<CategoricalFocalCrossentropyConfig> = {}) {
    super(CategoricalFocalCrossentropy.className, CategoricalFocalCrossentropy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return categoricalFocalCrossentropy(yTrue, yPred, this.config);
  }
}

function isNumberOrList(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((element) => typeof element === 'number');
  return typeof value === 'number';
}

export interface SparseCategoricalCrossentropyConfig extends LossConfig {
  /** Whether predictions are logits instead of probabilities. */
  fromLogits: boolean;
  /** The class number of samples that do not count. */
  ignoreClass: number | null;
  axis: number;
}

/** Cross entropy for targets that are class numbers. */
export class SparseCategoricalCrossentropy extends FunctionalLoss<SparseCategoricalCrossentropyConfig> {
  static readonly className = 'SparseCategoricalCrossentropy';
  static readonly fields: Fields<SparseCategoricalCrossentropyConfig> = {
    ...lossFields('sparse_categorical_crossentropy'),
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

  override outputMask(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor | undefined {
    const { ignoreClass, axis } = this.config;
    return ignoreClass === null ? undefined : isCounted(yTrue, yPred, ignoreClass, axis);
  }
}

export interface CategoricalGeneralizedCrossEntropyConfig extends LossConfig {
  /** From 0, where it is the cross entropy, to 1, where it is the mean absolute error. */
  q: number;
}

/** Cross entropy that wrong labels disturb less. */
export class CategoricalGeneralizedCrossEntropy extends FunctionalLoss<CategoricalGeneralizedCrossEntropyConfig> {
  static readonly className = 'CategoricalGeneralizedCrossEntropy';
  static readonly fields: Fields<CategoricalGeneralizedCrossEntropyConfig> = {
    ...lossFields('categorical_generalized_cross_entropy'),
    q: anything('a number between 0 and 1', (value) => typeof value === 'number' && value > 0 && value < 1, 0.5),
  };

  constructor(options: Options<CategoricalGeneralizedCrossEntropyConfig> = {}) {
    super(CategoricalGeneralizedCrossEntropy.className, CategoricalGeneralizedCrossEntropy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return categoricalGeneralizedCrossEntropy(yTrue, yPred, this.config.q);
  }
}
