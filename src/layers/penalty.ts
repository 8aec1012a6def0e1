/** The numbers of regularizers: what a weight or an output adds to the loss. */
import { ShapeError, UnsupportedError } from '../errors.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { eye } from '../ops/creation.ts';
import { abs, add, maximum, multiply, rsqrt, square, subtract } from '../ops/elementwise.ts';
import { matmul } from '../ops/matrix.ts';
import { sum } from '../ops/reduce.ts';
import { transpose } from '../ops/shape.ts';
import type { Regularizer } from './regularizers.ts';

/** Squares below it count as it, so that a row of zeros has a direction. */
const LEAST_SQUARE = 1e-12;

/**
 * The penalty on a value: a scalar.
 *
 * @throws {UnsupportedError} when the regularizer is none of Keras' own.
 */
export function penaltyOf(regularizer: Regularizer, x: SymbolicTensor): SymbolicTensor {
  const config = regularizer.config as Readonly<Record<string, number>>;
  const absolute = (factor: number): SymbolicTensor => multiply(sum(abs(x)), factor);
  const squared = (factor: number): SymbolicTensor => multiply(sum(square(x)), factor);
  switch (regularizer.className) {
    case 'L1':
      return absolute(config.l1 as number);
    case 'L2':
      return squared(config.l2 as number);
    case 'L1L2':
      return add(absolute(config.l1 as number), squared(config.l2 as number));
    case 'OrthogonalRegularizer':
      return orthogonalPenalty(x, config.factor as number, regularizer.config.mode === 'columns');
    default:
      throw new UnsupportedError(
        `Cannot train with regularizer ${regularizer.className}: expected one of L1, L2, L1L2, OrthogonalRegularizer`,
        regularizer.className,
      );
  }
}

/** The penalty on an output: a scalar, the mean over the samples, so that it does not grow with the batch. */
export function activityPenaltyOf(regularizer: Regularizer, output: SymbolicTensor): SymbolicTensor {
  return multiply(penaltyOf(regularizer, output), 1 / Math.max(output.shape[0] ?? 1, 1));
}

/** How far the rows, or columns, of a matrix are from being at right angles to each other. */
function orthogonalPenalty(x: SymbolicTensor, factor: number, ofColumns: boolean): SymbolicTensor {
  if (x.shape.length !== 2) {
    throw new ShapeError(`Cannot regularize: found rank ${x.shape.length}, an OrthogonalRegularizer expects rank 2`);
  }
  const rows = ofColumns ? transpose(x) : x;
  const lengths = sum(square(rows), [1], true);
  const units = multiply(rows, rsqrt(maximum(lengths, LEAST_SQUARE)));
  const count = rows.shape[0] as number;
  const products = multiply(matmul(units, transpose(units)), subtract(1, eye(count)));
  return multiply(sum(abs(products)), (factor * 0.5) / ((count * (count - 1)) / 2));
}
