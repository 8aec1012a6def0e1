import type { SymbolicTensor } from '../../graph/node.ts';
import { boolean, type Fields, number, type Options } from '../../layers/fields.ts';
import { softplus } from '../../ops/activations.ts';
import { equal, greater, logicalAnd, logicalNot, where } from '../../ops/compare.ts';
import { eye } from '../../ops/creation.ts';
import { add, maximum, multiply, subtract } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matrix.ts';
import { cast } from '../../ops/operand.ts';
import { logsumexp } from '../../ops/reduce.ts';
import { reshape, transpose } from '../../ops/shape.ts';
import { FunctionalLoss, type LossConfig, lossFields } from './loss.ts';

export interface CircleConfig extends LossConfig {
  /** How sharply pairs are told apart. */
  gamma: number;
  /** How far pairs may be from where they should be. */
  margin: number;
  /** Whether a sample is no pair of itself. */
  removeDiagonal: boolean;
}

export interface CircleOptions {
  readonly gamma?: number;
  readonly margin?: number;
  readonly removeDiagonal?: boolean;
}

/**
 * Circle loss of embeddings `[batch, features]` of length 1 with labels `[batch]`: pairs of one label shall be near,
 * others far, and those count more that are further from it.
 */
function circle(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  { gamma = 80, margin = 0.4, removeDiagonal = true }: CircleOptions = {},
): SymbolicTensor {
  const labels = cast(yTrue, 'int32');
  const column = labels.shape.length === 1 ? reshape(labels, [-1, 1]) : labels;
  const isSame = equal(column, transpose(column));
  const count = yPred.shape[0] as number;
  const isPositive = removeDiagonal ? logicalAnd(isSame, logicalNot(eye(count))) : isSame;
  const isNegative = logicalNot(isSame);
  const distance = maximum(subtract(1, matmul(yPred, transpose(yPred))), 0);
  const positiveWeight = multiply(add(distance, margin), cast(isPositive, 'float32'));
  const negativeWeight = maximum(multiply(subtract(1 + margin, distance), cast(isNegative, 'float32')), 0);
  const positive = multiply(multiply(positiveWeight, -gamma), subtract(margin, distance));
  const negative = multiply(multiply(negativeWeight, gamma), subtract(1 - margin, distance));
  const far = Number.NEGATIVE_INFINITY;
  const total = add(logsumexp(where(isPositive, positive, far), 1), logsumexp(where(isNegative, negative, far), 1));
  return softplus(total);
}

/** Circle loss, for embeddings whose pairs shall be near or far by their labels. */
export class Circle extends FunctionalLoss<CircleConfig> {
  static readonly className = 'Circle';
  static readonly fields: Fields<CircleConfig> = {
    ...lossFields('circle'),
    gamma: number(80),
    margin: number(0.4),
    removeDiagonal: boolean(true),
  };

  constructor(options: Options<CircleConfig> = {}) {
    super(Circle.className, Circle.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return circle(yTrue, yPred, this.config);
  }

  /** Samples without a pair of their label have a loss of 0 and do not count. */
  override outputMask(_yTrue: SymbolicTensor, _yPred: SymbolicTensor, values: SymbolicTensor): SymbolicTensor {
    return greater(values, 0);
  }
}
